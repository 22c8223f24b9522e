"""When a server has taken the output, by GStreamer's count: real servers, and two that are none."""

from __future__ import annotations

import asyncio
import json
import sys
from pathlib import Path
from typing import Any

import pytest

from dubcast import flv
from dubcast.measure.recording import iter_tags
from dubcast.mediaserver.interface import MediaServer
from dubcast.testing.destination import Destination
from dubcast.testing.media import ClipSpec, build_clip
from rig import (
    Meet,
    bad_server,
    child,
    eventually,
    running_server,
    say_nothing,
    server_settings,
    shake_hands,
    stub_plane,
)

# A second without media, then two seconds of silence at their own pace, then its end. In a process
# of its own, since the bindings' import warns.
_PROGRAM = """
import json, sys, time
import numpy as np
from dubcast.worker.gst.output import OutputPipeline
from dubcast.worker.gst.pipeline import init
from dubcast.worker.scheduler import AudioBlock, Batch

init()
ends = []
one = OutputPipeline(sys.argv[1], None, lambda kind, message: ends.append(message))
one.play()
found = {"at_first": one.sent_bytes()}
time.sleep(1)
found["without_media"] = one.sent_bytes()
for number in range(20):
    now = time.monotonic_ns()
    block = AudioBlock((number + 10) * 4800, np.zeros((4800, 2), np.int16), due_ns=now)
    one.push(Batch(start_ns=1_000_000_000, audio=[block]), now + 1_000_000_000)
    time.sleep(0.1)
found |= {"with_media": one.sent_bytes(), "backlog_s": one.backlog_s(), "ends": list(ends)}
began = time.monotonic()
one.stop()
print(json.dumps({**found, "stop_s": time.monotonic() - began}))
"""


# An output whose media is due after two seconds, until a little before that.
_AHEAD = """
import sys, time
from dubcast.worker.gst.output import OutputPipeline
from dubcast.worker.gst.pipeline import init
from dubcast.worker.scheduler import Batch

init()
one = OutputPipeline(sys.argv[1], bytes.fromhex(sys.argv[2]), print)
one.play()
due = time.monotonic_ns() + 2_000_000_000
while (now := time.monotonic_ns()) < due - 100_000_000:
    one.push(Batch(start_ns=1_000_000_000, start_due_ns=due), now)
    time.sleep(0.05)
print("media", one.sent_bytes())
one.stop()
"""

# An output that has to send eight megabytes, and half a second of sound, when it comes to its end.
_LAST = """
import sys, time
import numpy as np
from dubcast.worker.gst.output import OutputPipeline
from dubcast.worker.gst.pipeline import init
from dubcast.worker.scheduler import AudioBlock, Batch, ScriptUnit

init()
one = OutputPipeline(sys.argv[1], None, print)
one.play()
now = time.monotonic_ns()
sound = AudioBlock(48_000, np.zeros((24_000, 2), np.int16), due_ns=now)
script = [ScriptUnit(1_000_000_000, bytes(100_000)) for _ in range(80)]
one.push(Batch(start_ns=1_000_000_000, audio=[sound], script=script), now)
one.finish()
one.stop()
"""


async def seen(url: str) -> dict[str, Any]:
    """What an output to `url` said of itself."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-c", _PROGRAM, url), stdout=asyncio.subprocess.PIPE
    )
    told, _ = await asyncio.wait_for(process.communicate(), 30)
    return dict(json.loads(told))


async def test_a_server_takes_the_publish_and_then_the_media(server_kind: str) -> None:
    with stub_plane() as plane:
        plane.open_to_all = True
        control = plane.control(auth_required=False)
        async with running_server(server_settings(server_kind), control) as server:
            found = await seen(server.publish_url("live/t/out"))
    assert found["at_first"] is None
    assert found["without_media"] == 0
    assert found["with_media"] > 500
    assert found["backlog_s"] < 0.5
    assert found["ends"] == []


async def test_readers_are_let_in_before_the_first_of_the_media(
    server_kind: str, tmp_path: Path
) -> None:
    tags = iter_tags(build_clip(ClipSpec(seconds=1), tmp_path))
    packets = [packet for tag in tags if (packet := flv.video_packet(tag))]
    (config,) = {packet.config for packet in packets if packet.config}
    with stub_plane() as plane:
        plane.open_to_all = True
        control = plane.control(auth_required=False)
        async with running_server(server_settings(server_kind), control) as server:
            url = server.publish_url("live/t/out")
            with child([sys.executable, "-c", _AHEAD, url, config.hex()]) as output:
                await eventually(lambda: is_ready(server, "live/t/out"))
                assert await output.ended() == 0
                assert output.output()[0] == b"media 0\n"


async def test_an_output_ends_when_all_is_written_however_slowly_it_is_taken() -> None:
    async with Destination("slow", bytes_per_s=2_000_000).running() as there:
        with child([sys.executable, "-c", _LAST, there.rtmp()]) as output:
            assert await output.ended(30) == 0
        (visit,) = there.visits
        await eventually(lambda: visit.commands[-1][0] == "deleteStream", 30)
    kinds = [tag.kind for _, tag in visit.tags]
    assert kinds.count(flv.SCRIPT) == 1 + 80  # with its metadata
    assert kinds.count(flv.AUDIO) >= 1 + 24_000 // 1024  # with its header


async def is_ready(server: MediaServer, path: str) -> bool:
    return path in await server.ready_paths()


@pytest.mark.parametrize("meet", [say_nothing, shake_hands])
async def test_a_server_that_does_not_answer_has_taken_nothing(meet: Meet) -> None:
    with bad_server(meet) as port:
        found = await seen(f"rtmp://127.0.0.1:{port}/a/b")
    assert found["without_media"] is found["with_media"] is None
    assert found["backlog_s"] > 1
    assert found["ends"] == []
    assert found["stop_s"] < 2  # it does not wait for an answer
