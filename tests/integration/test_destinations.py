"""The forwarder and destinations that misbehave as platforms do; one real media server feeds it."""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, suppress
from dataclasses import replace
from pathlib import Path

import pytest

from dubcast import flv
from dubcast.config import Secret
from dubcast.contract.streams import EgressStatus
from dubcast.egress.forwarder import Forwarder
from dubcast.egress.machine import EgressPolicy
from dubcast.egress.outgoing import Target
from dubcast.measure.recording import iter_tags
from dubcast.mediaserver.interface import ControlPlane, MediaServer
from dubcast.rtmp.address import parse
from dubcast.rtmp.client import Purpose
from dubcast.rtmp.connection import Connection, Trust
from dubcast.testing.certificates import Authority
from dubcast.testing.destination import Destination
from dubcast.testing.media import ClipSpec, build_clip
from dubcast.testing.publisher import Timed, captioned, jumped, paced, publish
from dubcast.wire import WireError
from rig import Child, child, eventually, publisher, running_server, server_settings

OUT = "live/abc/out"
OPEN = ControlPlane(None, Secret(""), "http://127.0.0.1:9/", auth_required=False)
ASK = "is the key right, is the event live?"


@pytest.fixture
async def source(server_kind: str) -> AsyncIterator[MediaServer]:
    async with running_server(server_settings(server_kind), OPEN) as one:
        yield one


@pytest.fixture
def media(source: MediaServer) -> Iterator[Child]:
    with publisher(source.publish_url(OUT), seconds=90) as one:
        yield one


@asynccontextmanager
async def forwarding(
    source: MediaServer, target: Target, policy: EgressPolicy | None = None
) -> AsyncIterator[Forwarder]:
    one = Forwarder(
        *("abc", "there", parse(source.read_url(OUT)), target),
        secrets=("rtmp://h/app/the-key",),
        policy=policy or EgressPolicy(),
    )
    task = asyncio.create_task(one.run())
    try:
        yield one
    finally:
        one.stop()
        async with asyncio.timeout(6):
            await task


async def state(one: Forwarder, wanted: str, timeout_s: float = 12) -> EgressStatus:
    await eventually(lambda: one.status().state == wanted, timeout_s)
    return one.status()


async def test_a_redirect_is_followed(source: MediaServer, media: Child) -> None:
    async with Destination().running() as there:
        url = there.rtmp("other/the-key")
        async with (
            Destination("redirect", url=url).running() as first,
            forwarding(source, Target(parse(first.rtmp()))) as one,
        ):
            await state(one, "live")
        (asked,) = [one for one in there.visits[0].commands if one[0] == "publish"]
        assert asked[3] == "the-key"
        assert len(first.visits) == 1 and not first.visits[0].tags


async def test_a_server_that_asks_for_a_password_gets_its_answer(
    source: MediaServer, media: Child
) -> None:
    async with Destination("adobe_auth").running() as there:
        url = f"rtmp://u:the-password@127.0.0.1:{there.port}/app/the-key"
        async with forwarding(source, Target(parse(url))) as one:
            await state(one, "live")
        said = str([visit.commands for visit in there.visits])
        assert "response=" in said and "the-password" not in said


REFUSALS = ["close_on_publish", "close_on_data", "silent_publish", "bad_name", "reject_connect"]


@pytest.mark.parametrize("manner", REFUSALS)
async def test_a_refusal_is_told_however_it_is_made(
    source: MediaServer, media: Child, manner: str
) -> None:
    policy = EgressPolicy(connect_s=4)
    async with (
        Destination(manner).running() as there,  # type: ignore[arg-type]
        forwarding(source, Target(parse(there.rtmp())), policy) as one,
    ):
        status = await state(one, "refused")
        assert status.reason == "refused"
        assert ASK in status.last_error
        assert status.connects == 0
        assert "the-key" not in status.model_dump_json()


async def test_a_refusal_while_it_is_live_is_told_in_its_words(
    source: MediaServer, media: Child
) -> None:
    async with (
        Destination("deny_after", seconds=4).running() as there,
        forwarding(source, Target(parse(there.rtmp()))) as one,
    ):
        await state(one, "live")
        assert "NetStream.Publish.Denied" in (await state(one, "refused")).last_error


async def test_who_is_lost_after_it_was_live_is_no_refusal(
    source: MediaServer, media: Child
) -> None:
    async with (
        Destination("close_after", seconds=4).running() as there,
        forwarding(source, Target(parse(there.rtmp()))) as one,
    ):
        await state(one, "live")
        assert (await state(one, "retrying")).reason == "lost"


async def test_who_hangs_up_at_once_is_unreachable(source: MediaServer, media: Child) -> None:
    async with (
        Destination("reset_at_accept").running() as there,
        forwarding(source, Target(parse(there.rtmp()))) as one,
    ):
        await eventually(lambda: one.status().reason == "unreachable")


# ---- certificates ---------------------------------------------------------------------------


@pytest.fixture
def authority(tmp_path: Path) -> Authority:
    if shutil.which("openssl") is None:
        pytest.skip("openssl is not installed")
    return Authority(tmp_path)


def rtmps(there: Destination) -> str:
    return there.rtmp().replace("rtmp://", "rtmps://")


@pytest.mark.parametrize("fault", ["unknown_authority", "wrong_name", "expired"])
async def test_a_certificate_that_proves_nothing_gets_no_key_and_no_picture(
    source: MediaServer, media: Child, authority: Authority, fault: str
) -> None:
    name = "other.example" if fault == "wrong_name" else "127.0.0.1"
    days = -1 if fault == "expired" else 2
    trust = Trust(ca_file=None if fault == "unknown_authority" else authority.file)
    async with (
        Destination().running(tls=authority.server(name, days=days)) as there,
        forwarding(source, Target(parse(rtmps(there)), trust)) as one,
    ):
        status = await state(one, "refused")
        assert status.reason == "certificate"
        assert "certificate" in status.last_error
        assert all(visit.bytes == 0 and not visit.commands for visit in there.visits)


@pytest.mark.parametrize("verify", [True, False])
async def test_a_certificate_that_is_believed_or_not_asked_for(
    source: MediaServer, media: Child, authority: Authority, verify: bool
) -> None:
    name = "127.0.0.1" if verify else "other.example"
    trust = Trust(verify=verify, ca_file=authority.file if verify else None)
    async with (
        Destination().running(tls=authority.server(name)) as there,
        forwarding(source, Target(parse(rtmps(there)), trust)) as one,
    ):
        await state(one, "live")
        assert there.visits[0].pictures()


# ---- slow and wedged ------------------------------------------------------------------------


def heavy(url: str) -> list[str]:
    """8 Mbit/s, a key frame each 2 s."""
    return [
        *("ffmpeg", "-loglevel", "error", "-nostdin", "-re", "-f", "lavfi"),
        *("-i", "testsrc2=size=640x360:rate=25,noise=alls=60:allf=t"),
        *("-re", "-f", "lavfi", "-i", "sine=sample_rate=48000"),
        *("-c:v", "libx264", "-preset", "ultrafast", "-tune", "zerolatency", "-g", "50"),
        *("-b:v", "8M", "-minrate", "8M", "-maxrate", "8M", "-bufsize", "1M"),
        *("-pix_fmt", "yuv420p", "-c:a", "aac", "-f", "flv", url),
    ]


async def test_a_slow_destination_is_told_and_what_is_late_is_left_out(source: MediaServer) -> None:
    with child(heavy(source.publish_url(OUT))):
        async with (
            Destination("slow", bytes_per_s=250_000).running() as there,
            forwarding(source, Target(parse(there.rtmp()), max_lag_s=3)) as one,
        ):
            status = await state(one, "slow", 15)
            assert status.detail.startswith("takes ")
            await eventually(lambda: one.status().skips > 0, 15)
            assert one.status().connects == 1
            assert one.status().lag_s < 3 + 3


async def test_a_wedged_destination_is_cut_and_tried_again(source: MediaServer) -> None:
    with child(heavy(source.publish_url(OUT))):
        async with (
            Destination("freeze_after", seconds=4).running() as there,
            forwarding(source, Target(parse(there.rtmp())), EgressPolicy(stall_s=3)) as one,
        ):
            await state(one, "live")
            await eventually(lambda: one.machine.last_failure == "stalled", 20)
            await eventually(lambda: len(there.visits) == 2)


# ---- exactness ------------------------------------------------------------------------------


async def read_beside(url: str) -> list[flv.Tag]:
    """What another reader of the server gets, until the stream ends."""
    tags: list[flv.Tag] = []
    while True:
        reader = Connection(parse(url), Purpose.PLAY, on_tags=tags.extend)
        with suppress(WireError):
            await reader.open()
            await reader.ended
        if tags:
            return tags
        await asyncio.sleep(0.1)


async def read_and_taken(
    source: MediaServer, items: list[Timed]
) -> tuple[list[flv.Tag], list[flv.Tag]]:
    """Publish all: what the server gives to readers, and what a destination got of it."""
    async with Destination().running() as there, forwarding(source, Target(parse(there.rtmp()))):
        beside = asyncio.create_task(read_beside(source.read_url(OUT)))
        await publish(source.publish_url(OUT), items)
        read = await asyncio.wait_for(beside, 5)
        (visit,) = [one for one in there.visits if one.tags]
        return read, [tag for _, tag in visit.tags]


PAST_24_BITS = (1 << 24) - 5_000
PAST_32_BITS = (1 << 32) - 5_000


@pytest.mark.parametrize("start_ms", [0, PAST_24_BITS, PAST_32_BITS])
async def test_every_tag_passes_byte_for_byte_at_its_own_time(
    server_kind: str, source: MediaServer, tmp_path: Path, start_ms: int
) -> None:
    if server_kind == "mediamtx" and start_ms == PAST_32_BITS:
        pytest.skip("MediaMTX ends a stream whose timestamps wrap")
    clip = build_clip(ClipSpec(seconds=10, bed="noise"), tmp_path)
    *items, last = jumped(paced(iter_tags(clip)), 0, start_ms)
    # What a server still has for a reader as a stream ends is lost to it: all others are out then.
    read, taken = await read_and_taken(source, [*items, replace(last, at_s=last.at_s + 1)])
    known: dict[bytes, list[int]] = {}
    for tag in read:
        known.setdefault(tag.body, []).append(tag.dts_ms)
    media = [one for one in taken if one.kind != flv.SCRIPT and one.body[1] == 1]
    # Either of them may have joined first; only the last tag, sent as the stream ends, may have
    # reached one alone.
    media = media[next(index for index, one in enumerate(media) if one.body in known) :]
    media = media if media[-1].body in known else media[:-1]
    assert len(media) > 5 * (25 + 40)
    assert all(one.body in known for one in media)
    # Of a picture that occurs twice it is not known which one came.
    shifts = {
        (known[one.body][0] - one.dts_ms) % (1 << 32) for one in media if len(known[one.body]) == 1
    }
    assert len(shifts) == 1
    for kind in (flv.VIDEO, flv.AUDIO):
        bodies, beside = ([one.body for one in tags if one.kind == kind] for tags in (media, read))
        rest = beside[beside.index(bodies[0]) :]
        assert bodies == rest[: len(bodies)]
        assert len(rest) - len(bodies) < 10  # what was on its way when the stream ended


async def test_what_is_read_in_batches_waits_for_more_until_it_is_hurried(
    source: MediaServer,
) -> None:
    header = flv.Tag(flv.AUDIO, 0, flv.aac_config(b"\x11\x90"))
    frames = (flv.Tag(flv.AUDIO, 20 * n, flv.aac_head() + bytes(20)) for n in range(1, 1000))
    publishing = asyncio.create_task(publish(source.publish_url(OUT), paced([header, *frames])))
    tags: list[flv.Tag] = []
    reader = Connection(parse(source.read_url(OUT)), Purpose.PLAY, on_tags=tags.extend)
    try:
        await eventually(lambda: source.ready_paths())
        await reader.open()
        await eventually(lambda: tags)
        reader.batches.at_least(50_000)
        for _ in range(2):
            await asyncio.sleep(0.1)
            before = len(tags)
            await asyncio.sleep(0.4)
            assert len(tags) == before
            reader.batches.hurry()
            reader.batches.hurry()
            reader.batches.at_least(50_000)  # another rate: the hurry stands
            await eventually(lambda: len(tags) > before + 10, 1)  # noqa: B023
        publishing.cancel()
        before = len(tags)
        await asyncio.wait_for(reader.ended, 5)
        assert len(tags) > before
    finally:
        publishing.cancel()
        reader.abort()


async def test_captions_pass(server_kind: str, source: MediaServer, tmp_path: Path) -> None:
    if server_kind == "mediamtx":
        pytest.skip("MediaMTX itself hands no script data on")
    clip = build_clip(ClipSpec(seconds=6), tmp_path)
    _, taken = await read_and_taken(source, list(captioned(paced(iter_tags(clip)), 10)))
    texts = [one for one in taken if one.kind == flv.SCRIPT and b"onTextData" in one.body]
    assert len(texts) > 5
