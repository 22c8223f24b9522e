"""What encoders do to timestamps and bytes, through real RTMP: every fault at once, each on its
own stream, and then one look at each recording.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from test_worker import DELAY_S, LEAD_S, media_server, recording, worker

from bench.faults import inputs
from bench.faults.inputs import BENT, FAULT_S, SECONDS
from dubcast import flv
from dubcast.measure.probe import ProbeReport, probe
from dubcast.measure.recording import iter_tags
from dubcast.wire import ClosedError

pytestmark = pytest.mark.timeout(300)
# Each with the words by which MediaMTX 1.20.1 logs what it does: before the worker sees anything.
_HOLE = "MediaMTX ends its readers by RTMP, and keeps no key frame to begin anew with: "
_CUT = "MediaMTX cuts the publisher: "
_ON_REAL_SERVER = {
    # It makes every DTS anew, from the PTS and the order of the pictures.
    **dict.fromkeys(("reset", "back", "wrap32"), f"{_HOLE}DTS is greater than PTS"),
    "repeats": f"{_HOLE}DTS is not monotonically increasing",
    "bad-video": f"{_CUT}unable to decode AVCC: invalid length",
    "bad-heads": f"{_CUT}unsupported audio codec",
}
_ONE_HEADER = "MediaMTX writes one sequence header to a reader by RTMP, the recorder too: its first"


def _faults(names: Iterable[str]) -> list[Any]:
    """The faults, with why some cannot pass on MediaMTX."""
    return [
        pytest.param(name, marks=pytest.mark.fails_on_real_server(_ON_REAL_SERVER[name]))
        if name in _ON_REAL_SERVER
        else name
        for name in names
    ]


@dataclass(frozen=True)
class Aired:
    """What came out of one fault, what went in, and how its publisher was cut, if it was."""

    file: Path
    clip: Path
    cut: Exception | None = None

    def whole(self) -> Path:
        """The recording; fails if its publisher was cut."""
        assert self.cut is None
        return self.file


@pytest.fixture(scope="module")
def recordings(server_kind: str, tmp_path_factory: pytest.TempPathFactory) -> Mapping[str, Aired]:
    folder = tmp_path_factory.mktemp("bad-input")
    faults = inputs.bent(FAULT_S + LEAD_S[server_kind])
    inputs.clip_of(faults["reset"], folder)

    async def one(name: str, base: str, target: str, all_wait: asyncio.Barrier) -> Aired:
        place = folder / name
        place.mkdir()
        source, output = f"{base}/live/{name}/in", f"{base}/live/{name}/out"
        cut = None
        with worker(source, output, place) as process, recording(output, place / "out.flv") as tape:
            await process.state("waiting", 60)
            # Asking a worker for its state holds up whoever publishes already.
            await all_wait.wait()
            try:
                await inputs.publish(faults[name], target, folder)
            except ClosedError as error:
                cut = error
            await asyncio.sleep(DELAY_S + 1.5)
            tape.stop()
            assert process.status()["output"]["restarts"] == 0
            assert process.stop() == 0
        return Aired(place / "out.flv", inputs.clip_of(faults[name], folder), cut)

    async def all_of_them() -> dict[str, Aired]:
        async with media_server(server_kind) as server:
            base = server.read_url("live/x/in").removesuffix("/live/x/in")
            target = {name: server.publish_url(f"live/{name}/in") for name in BENT}
            found: dict[str, Aired] = {}
            names = list(BENT)
            for group in (names[:5], names[5:]):
                all_wait = asyncio.Barrier(len(group))
                done = await asyncio.gather(
                    *(one(name, base, target[name], all_wait) for name in group)
                )
                found.update(zip(group, done, strict=True))
            return found

    return asyncio.run(all_of_them())


@pytest.mark.parametrize("name", _faults(BENT))
def test_the_output_goes_on_in_order_and_in_sync(
    recordings: Mapping[str, Aired], name: str
) -> None:
    fault, report = BENT[name], probe(recordings[name].whole())
    assert report.video is not None and report.audio is not None
    for track in (report.video, report.audio):
        assert track.timing.monotone
        assert track.timing.gap_max_ms <= fault.gap_ms
    assert report.duration_s >= SECONDS - 2.5  # it begins at a key frame
    _in_sync(report)


def _in_sync(report: ProbeReport) -> None:
    assert report.sync is not None and report.sync.max_abs_ms is not None
    # Damaged sound costs up to 9 ms; what a reset may cost is in test_on_air_media.
    assert report.sync.max_abs_ms <= 20
    assert len(report.sync.points) >= 4
    # Before and after the fault, which comes in the middle.
    assert report.sync.points[-1].t_s - report.sync.points[0].t_s >= 5


@pytest.mark.parametrize("name", _faults(name for name, fault in BENT.items() if fault.exact))
def test_the_picture_is_the_one_that_was_sent(recordings: Mapping[str, Aired], name: str) -> None:
    one = recordings[name]
    comparison = probe(one.whole(), source=one.clip, sync=False).comparison
    assert comparison is not None
    assert comparison.bit_exact


@pytest.mark.parametrize(
    ("name", "lines"),
    [
        pytest.param("resolution", 360, marks=pytest.mark.fails_on_real_server(_ONE_HEADER)),
        ("sound-format", 180),
    ],
)
def test_a_change_of_format_arrives(recordings: Mapping[str, Aired], name: str, lines: int) -> None:
    configs = [
        packet.config
        for tag in iter_tags(recordings[name].whole())
        if tag.kind == flv.VIDEO and (packet := flv.video_packet(tag)) and packet.config
    ]
    assert len(set(configs)) == (2 if lines == 360 else 1)
