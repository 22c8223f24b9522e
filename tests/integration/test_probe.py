"""The probe against clips with known faults. Needs the ffmpeg program."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import typer
from typer.testing import CliRunner

from dubcast import flv
from dubcast.cli import probe as command
from dubcast.errors import ProbeError
from dubcast.flv import AUDIO, VIDEO, Tag
from dubcast.measure import arrivals, decode, flashbeep
from dubcast.measure.probe import ProbeReport, find_beeps, probe
from dubcast.measure.recording import iter_tags, opened
from dubcast.testing.media import ClipSpec, build_clip

Edit = Callable[[list[Tag]], list[Tag]]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("clips")


@pytest.fixture(scope="module")
def clip(folder: Path) -> Path:
    return build_clip(ClipSpec(bed="noise"), folder)


def edited(clip: Path, out: Path, edit: Edit) -> Path:
    """A copy of the clip with its tags changed."""
    out.write_bytes(flv.write(edit(list(iter_tags(clip)))))
    return out


def pictures(tags: list[Tag]) -> list[int]:
    """Places of the tags that hold a picture."""
    return [i for i, tag in enumerate(tags) if tag.kind == VIDEO and tag.body[1] == 1]


def points(report: ProbeReport) -> list[float]:
    assert report.sync is not None
    return [point.offset_ms for point in report.sync.points]


@pytest.mark.parametrize("offset", [0.0, 40.0, -40.0, 7.5])
def test_a_known_offset_with_its_sign(offset: float, folder: Path) -> None:
    report = probe(build_clip(ClipSpec(av_offset_ms=offset, bed="noise"), folder))
    assert len(points(report)) == 6
    assert points(report) == pytest.approx([offset] * 6, abs=0.7)
    assert report.sync is not None and report.sync.unmatched_flashes == 0
    assert report.sync.slope_ms_per_min is not None and abs(report.sync.slope_ms_per_min) < 2


@pytest.mark.parametrize(
    "spec",
    [
        ClipSpec(audio_rate=44100, audio_channels=1),
        ClipSpec(audio_channels=6),
        ClipSpec(audio_start_offset_s=0.8),
        ClipSpec(container="mp4"),
        ClipSpec(container="ts"),
        ClipSpec(bframes=0, gop=15),
    ],
    ids=lambda spec: f"{spec.container}-{spec.audio_rate}-{spec.audio_channels}-{spec.bframes}",
)
def test_no_offset_whatever_the_form(spec: ClipSpec, folder: Path) -> None:
    report = probe(build_clip(spec, folder))
    assert len(points(report)) >= 5
    assert points(report) == pytest.approx([0.0] * len(points(report)), abs=1.0)


def test_a_drift_is_a_slope(clip: Path, tmp_path: Path) -> None:
    def stretch(tags: list[Tag]) -> list[Tag]:
        return [
            Tag(t.kind, round(t.dts_ms * 1.002), t.body) if t.kind == AUDIO else t for t in tags
        ]

    report = probe(edited(clip, tmp_path / "drift.flv", stretch))
    assert report.sync is not None
    # 2 ms a second later, so audio is late by 120 ms more each minute.
    assert report.sync.slope_ms_per_min == pytest.approx(-120, abs=20)


@pytest.mark.parametrize(("kind", "frame_ms"), [(VIDEO, 33.4), (AUDIO, 21.4)])
def test_a_gap_is_seen_and_shifts_nothing(
    kind: int, frame_ms: float, clip: Path, tmp_path: Path
) -> None:
    def lose(tags: list[Tag]) -> list[Tag]:
        # Up to a key frame: without its references a later flash would be damaged itself.
        return [t for t in tags if not (t.kind == kind and 3800 <= t.dts_ms < 4000)]

    report = probe(edited(clip, tmp_path / "gap.flv", lose))
    broken, whole = report.video, report.audio
    if kind == AUDIO:
        broken, whole = whole, broken
    assert broken is not None and whole is not None
    assert broken.timing.gap_max_ms == pytest.approx(200, abs=frame_ms)
    assert 3700 < broken.timing.gap_at_ms < 3900 and len(broken.timing.gaps) == 1
    assert whole.timing.gap_max_ms < 2
    assert len(points(report)) == 6
    assert points(report) == pytest.approx([0.0] * 6, abs=0.7)


def test_the_whole_sound_lies_at_its_timestamps_and_is_silent_in_a_hole(
    clip: Path, tmp_path: Path
) -> None:
    def lose(tags: list[Tag]) -> list[Tag]:
        return [t for t in tags if not (t.kind == AUDIO and 3000 <= t.dts_ms < 3400)]

    with opened(clip) as recording:
        whole = decode.whole_sound(recording)
        onsets = [beep.onset_s for beep in find_beeps(recording)]
    with opened(edited(clip, tmp_path / "hole.flv", lose)) as recording:
        holed = decode.whole_sound(recording)
    assert whole.samples.shape == holed.samples.shape
    assert whole.samples.shape[1] == 2 and whole.rate_hz == 48000
    assert holed.start_ms == pytest.approx(whole.start_ms, abs=1)
    beeps = flashbeep.find_beeps(whole.samples.mean(axis=1), whole.rate_hz)
    assert len(onsets) == 6
    assert [beep.onset_s + whole.start_ms / 1000 for beep in beeps] == pytest.approx(
        onsets, abs=1e-3
    )

    def part(sound: decode.Sound, first_ms: float, last_ms: float) -> np.ndarray:
        at = [round((ms - sound.start_ms) * sound.rate_hz / 1000) for ms in (first_ms, last_ms)]
        return sound.samples[at[0] : at[1]]

    assert np.abs(part(whole, 3030, 3370)).max() > 1e-3
    assert not part(holed, 3030, 3370).any()
    for before_or_after in ((500, 2900), (3500, 5500)):
        one, other = (part(sound, *before_or_after) for sound in (whole, holed))
        # Two runs are placed by their own mean timestamps: within a millisecond.
        product = np.fft.rfft(one.mean(axis=1)) * np.conj(np.fft.rfft(other.mean(axis=1)))
        curve = np.fft.irfft(product)
        assert min(int(np.argmax(curve)), len(curve) - int(np.argmax(curve))) < 48
        assert curve.max() > 0.95 * float((one.mean(axis=1) ** 2).sum())


def test_non_monotone_dts(clip: Path, tmp_path: Path) -> None:
    def swap(tags: list[Tag]) -> list[Tag]:
        first, second = pictures(tags)[30:32]
        a, b = tags[first], tags[second]
        tags[first], tags[second] = Tag(VIDEO, b.dts_ms, a.body), Tag(VIDEO, a.dts_ms, b.body)
        return tags

    report = probe(edited(clip, tmp_path / "swap.flv", swap), sync=False)
    assert report.video is not None and report.audio is not None
    assert not report.video.timing.monotone and report.video.timing.dts_backwards == 1
    assert report.audio.timing.monotone


def test_a_copy_is_exact(clip: Path, tmp_path: Path) -> None:
    def later(tags: list[Tag]) -> list[Tag]:
        return [Tag(t.kind, t.dts_ms + 1234, t.body) for t in tags]

    found = probe(edited(clip, tmp_path / "copy.flv", later), source=clip, sync=False).comparison
    assert found is not None and found.bit_exact and found.one_constant
    assert (found.count, found.first_source, found.last_source) == (180, 0, 179)
    assert (found.constants[0].dts_delta_ms, found.constants[0].pts_delta_ms) == (1234, 1234)
    assert found.delay is None


def _change(tags: list[Tag]) -> list[Tag]:
    place = pictures(tags)[50]
    body = bytearray(tags[place].body)
    body[-3] ^= 1
    tags[place] = Tag(VIDEO, tags[place].dts_ms, bytes(body))
    return tags


def _drop(tags: list[Tag]) -> list[Tag]:
    del tags[pictures(tags)[50]]
    return tags


def _double(tags: list[Tag]) -> list[Tag]:
    place = pictures(tags)[50]
    return [*tags[:place], tags[place], *tags[place:]]


def _exchange(tags: list[Tag]) -> list[Tag]:
    first, second = pictures(tags)[50:52]
    tags[first], tags[second] = tags[second], tags[first]
    return tags


@pytest.mark.parametrize(
    ("edit", "fault"),
    [(_change, "changed"), (_drop, "missing"), (_double, "extra"), (_exchange, "reordered")],
)
def test_one_faulty_access_unit(edit: Edit, fault: str, clip: Path, tmp_path: Path) -> None:
    found = probe(edited(clip, tmp_path / "bad.flv", edit), source=clip, sync=False).comparison
    assert found is not None and not found.bit_exact
    counts = {name: getattr(found, name) for name in ("changed", "missing", "extra", "reordered")}
    assert counts == {"changed": 0, "missing": 0, "extra": 0, "reordered": 0, fault: 1}


def test_one_moved_timestamp(clip: Path, tmp_path: Path) -> None:
    def move(tags: list[Tag]) -> list[Tag]:
        place = pictures(tags)[50]
        tags[place] = Tag(VIDEO, tags[place].dts_ms + 1, tags[place].body)
        return tags

    found = probe(edited(clip, tmp_path / "move.flv", move), source=clip, sync=False).comparison
    assert found is not None and found.bit_exact and not found.one_constant
    assert [run.count for run in found.constants] == [50, 1, 129]


def _with_arrivals(tags: list[Tag], out: Path, arrival_ms: Callable[[int, Tag], float]) -> Path:
    out.write_bytes(flv.write(tags))
    rows = [arrivals.record(tag, round(arrival_ms(i, tag) * 1e6)) for i, tag in enumerate(tags)]
    arrivals.sidecar(out).write_bytes(arrivals.MAGIC + b"".join(rows))
    return out


def test_a_known_delay(clip: Path, tmp_path: Path) -> None:
    tags = list(iter_tags(clip))
    # The source's reader joins a second late and gets what it missed in a burst.
    source = _with_arrivals(tags, tmp_path / "in.flv", lambda _, t: 50_000 + max(t.dts_ms, 1000))
    cut = [t for t in tags if t.dts_ms < 5000]
    output = _with_arrivals(cut, tmp_path / "out.flv", lambda i, t: 58_005 + t.dts_ms + i % 5)
    found = probe(output, source=source, sync=False).comparison
    assert found is not None and found.bit_exact and found.delay is not None
    assert found.delay.median_s == pytest.approx(8.007, abs=0.0011)
    assert found.delay.spread_p99_ms <= 2.001
    assert found.delay.excluded == pytest.approx(30, abs=2)


def test_a_cut_end_is_told(clip: Path, tmp_path: Path) -> None:
    cut = tmp_path / "cut.flv"
    cut.write_bytes(clip.read_bytes()[:-200])
    report = probe(cut, source=clip, sync=False)
    assert report.cut_bytes > 0
    assert report.comparison is not None and report.comparison.bit_exact


def test_flashes_without_beeps_are_unmatched(folder: Path) -> None:
    report = probe(build_clip(ClipSpec(audio_start_offset_s=2.2), folder))
    assert report.sync is not None
    assert (report.sync.flashes, report.sync.unmatched_flashes) == (6, 2)
    assert report.sync.max_abs_ms is not None and report.sync.max_abs_ms < 1


@pytest.mark.parametrize("spec", [ClipSpec(video=False), ClipSpec(audio=False)])
def test_one_track_only(spec: ClipSpec, folder: Path) -> None:
    report = probe(build_clip(spec, folder))
    assert report.sync is None and "both tracks" in report.notes[0]
    assert (report.video is None, report.audio is None) == (not spec.video, not spec.audio)


@pytest.mark.parametrize(
    ("content", "message"),
    [(b"no media at all", "cannot be read"), (b"FLV\x01\x05" + bytes(8), "no audio and no video")],
)
def test_what_is_no_recording(content: bytes, message: str, tmp_path: Path) -> None:
    bad = tmp_path / "bad.bin"
    bad.write_bytes(content)
    with pytest.raises(ProbeError, match=message):
        probe(bad)


def test_a_missing_file(tmp_path: Path) -> None:
    with pytest.raises(ProbeError, match="no such file"):
        probe(tmp_path / "absent.flv")


def test_hevc_is_refused_by_name(folder: Path) -> None:
    with pytest.raises(ProbeError, match="hevc"):
        probe(build_clip(ClipSpec(codec="hevc", container="ts", seconds=2), folder))


def test_the_command(clip: Path) -> None:
    app = typer.Typer()
    command.register(app)
    runner = CliRunner()
    text = runner.invoke(app, [str(clip), "--source", str(clip)])
    assert text.exit_code == 0 and "video bit-exact" in text.output
    data = json.loads(runner.invoke(app, [str(clip), "--json", "--no-sync"]).output)
    assert data["video"]["codec"] == "h264" and data["sync"] is None
