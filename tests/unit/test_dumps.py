"""Rolling recordings of the stems."""

from __future__ import annotations

import os
import threading
import wave
from pathlib import Path

import numpy as np
import pytest

from dubcast.audio.pcm import RATE, Float, Int16
from dubcast.config import DumpSettings
from dubcast.worker.dumps import RollingDumps


def settings(folder: Path, segment_s: int = 1, max_mb: int = 100, hours: float = 1) -> DumpSettings:
    return DumpSettings(dir=folder, segment_s=segment_s, max_mb=max_mb, retention_h=hours)


def block(value: int, frames: int = 4800) -> Int16:
    return np.full((frames, 2), value, np.int16)


def read(path: Path) -> Int16:
    with wave.open(str(path)) as file:
        assert (file.getframerate(), file.getnchannels(), file.getsampwidth()) == (RATE, 2, 2)
        data = file.readframes(file.getnframes())
    return np.frombuffer(data, "<i2").reshape(-1, 2)


def record(one: DumpSettings, *items: tuple[str, int, Int16 | Float]) -> RollingDumps:
    dumps = RollingDumps(one, "demo", "run")
    for stem, start, samples in items:
        dumps.offer(stem, start, samples)
    dumps.close()
    return dumps


def test_each_stem_lies_at_its_place_in_files_of_equal_length(tmp_path: Path) -> None:
    voice = np.full(RATE, 0.25, np.float32)
    dumps = record(
        settings(tmp_path),
        ("original", 5 * RATE + 100, block(7)),
        ("output", 5 * RATE, block(9)),
        ("dub", 5 * RATE + RATE // 2, voice),
    )
    names = sorted(path.name for path in tmp_path.iterdir())
    assert names == [
        "demo.run.0000005.dub.wav",
        "demo.run.0000005.original.wav",
        "demo.run.0000005.output.wav",
        "demo.run.0000006.dub.wav",
    ]
    original = read(tmp_path / names[1])
    assert len(original) == RATE
    assert not original[:100].any()
    assert (original[100:4900] == 7).all()
    assert not original[4900:].any()
    assert (read(tmp_path / names[0])[RATE // 2 :] == 8192).all()
    assert (read(tmp_path / names[3])[: RATE // 2] == 8192).all()
    assert dumps.dropped == 0


def test_dubs_that_cross_over_are_both_heard(tmp_path: Path) -> None:
    """As chunks of fixed length do, over a border between two segments."""
    voice = np.full(RATE, 0.25, np.float32)
    record(
        settings(tmp_path),
        ("dub", 0, voice),
        ("dub", RATE // 2, voice),
        ("output", 0, block(7)),
        ("output", 0, block(9)),
    )
    first = read(tmp_path / "demo.run.0000000.dub.wav")
    assert (first[: RATE // 2] == 8192).all()
    assert (first[RATE // 2 :] == 16384).all()
    assert (read(tmp_path / "demo.run.0000001.dub.wav")[: RATE // 2] == 8192).all()
    assert (read(tmp_path / "demo.run.0000000.output.wav")[:4800] == 9).all()


def test_dubs_that_are_too_loud_together_stay_within_full_scale(tmp_path: Path) -> None:
    voice = np.full(4800, -0.9, np.float32)
    record(settings(tmp_path), ("dub", 0, voice), ("dub", 0, voice))
    assert (read(tmp_path / "demo.run.0000000.dub.wav")[:4800] == -32768).all()


def test_only_the_owner_may_read_them(tmp_path: Path) -> None:
    record(settings(tmp_path / "new"), ("output", 0, block(1)))
    assert (tmp_path / "new").stat().st_mode & 0o777 == 0o700
    assert next((tmp_path / "new").iterdir()).stat().st_mode & 0o777 == 0o600


def test_the_oldest_go_when_there_is_no_room_and_nothing_else_does(tmp_path: Path) -> None:
    (tmp_path / "mine.wav").write_bytes(bytes(3_000_000))
    for second in range(20):
        record(settings(tmp_path, max_mb=2), ("output", second * RATE, block(1)))
    names = sorted(path.name for path in tmp_path.iterdir())
    assert names[-1] == "mine.wav"
    assert names[0].startswith("demo.run.0000010")
    assert sum(p.stat().st_size for p in tmp_path.glob("demo*")) <= 2_000_000


def test_what_is_too_old_goes(tmp_path: Path) -> None:
    record(settings(tmp_path), ("output", 0, block(1)))
    old = next(tmp_path.iterdir())
    os.utime(old, (0, 0))
    record(settings(tmp_path), ("output", 9 * RATE, block(1)))
    assert [path.name for path in tmp_path.iterdir()] == ["demo.run.0000009.output.wav"]


def test_a_full_disk_is_reported_once_and_survived(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    # The kernel's own full disk, in place of two of the files.
    for second in (0, 1):
        (tmp_path / f"demo.run.000000{second}.output.wav").symlink_to("/dev/full")
    items = [("output", second * RATE, block(3)) for second in range(3)]
    dumps = record(settings(tmp_path), *items)
    assert dumps.dropped == 2 * 4800
    assert (read(tmp_path / "demo.run.0000002.output.wav")[:4800] == 3).all()
    captured = capsys.readouterr()
    assert (captured.out + captured.err).count("audio dumps cannot be written") == 1


def test_a_stalled_disk_costs_samples_and_no_time(tmp_path: Path) -> None:
    opened = threading.Event()

    class Stalled(RollingDumps):
        def _run(self) -> None:
            opened.wait(20)  # as a disk does that does not answer
            super()._run()

    dumps = Stalled(settings(tmp_path), "demo", "run")
    for second in range(40):
        dumps.offer("original", second * RATE, block(1, RATE))
    assert dumps.dropped == 24 * RATE
    opened.set()
    dumps.close()
    dumps.close()
    dumps.offer("original", 0, block(1))
    assert dumps.dropped == 24 * RATE + 4800


def test_a_limit_that_no_segment_fits_is_refused() -> None:
    with pytest.raises(ValueError, match="max_mb must be 93 or more"):
        DumpSettings(segment_s=60, max_mb=50)
