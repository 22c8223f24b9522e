"""The generator of test clips makes what it is asked for."""

from __future__ import annotations

from pathlib import Path

import pytest

from dubcast.measure.probe import probe
from dubcast.testing.media import ClipSpec, beep_times, build_clip


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("clips")


def test_a_clip_is_made_once(folder: Path) -> None:
    first = build_clip(ClipSpec(seconds=2), folder)
    stamp = first.stat().st_mtime_ns
    assert build_clip(ClipSpec(seconds=2), folder).stat().st_mtime_ns == stamp
    assert build_clip(ClipSpec(seconds=3), folder) != first
    assert all(path.suffix == ".flv" for path in folder.iterdir())


def test_audio_that_starts_later(folder: Path) -> None:
    report = probe(build_clip(ClipSpec(seconds=4, audio_start_offset_s=1.5), folder), sync=False)
    assert report.video is not None and report.audio is not None
    begin = report.audio.first_pts_ms - report.video.first_pts_ms
    # Less the frame that the encoder puts before the first sample.
    assert begin == pytest.approx(1500 - 21.3, abs=2)


@pytest.mark.parametrize(("rate", "nominal_ms"), [(48000, 21.333), (44100, 23.22)])
def test_audio_rates(rate: int, nominal_ms: float, folder: Path) -> None:
    spec = ClipSpec(seconds=2, audio_rate=rate, audio_channels=1)
    report = probe(build_clip(spec, folder), sync=False)
    assert report.audio is not None
    assert report.audio.timing.nominal_ms == pytest.approx(nominal_ms, abs=0.01)


def test_b_frames_and_group_of_pictures(folder: Path) -> None:
    reordered = probe(build_clip(ClipSpec(seconds=2), folder), sync=False).video
    plain = probe(build_clip(ClipSpec(seconds=2, bframes=0), folder), sync=False).video
    assert reordered is not None and plain is not None
    assert reordered.first_pts_ms - reordered.timing.first_dts_ms == pytest.approx(67, abs=1)
    assert plain.first_pts_ms == plain.timing.first_dts_ms


def test_when_the_beeps_are() -> None:
    assert beep_times(ClipSpec(seconds=4)) == [0.5, 1.5, 2.5, 3.5]
    assert beep_times(ClipSpec(seconds=1)) == [0.5]


def test_a_clip_of_nothing_is_refused() -> None:
    with pytest.raises(ValueError, match="video, audio or both"):
        ClipSpec(video=False, audio=False)
