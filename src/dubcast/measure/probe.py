"""What `dubcast probe` says of a recording, alone or against its source."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np

from dubcast.errors import ProbeError
from dubcast.measure import alignment, decode, flashbeep, timing
from dubcast.measure.flashbeep import Beep, SyncPoint
from dubcast.measure.recording import Recording, VideoUnit, opened
from dubcast.measure.timing import ConstantRun, Delay, TrackTiming

# Two onsets nearer than this are one beep seen in two overlapping pieces.
_SAME_BEEP_S = 0.020
_MAX_RUNS = 20
# FLV timestamps are whole milliseconds, so steps of an unbroken track differ by up to one.
_CONTAINER_ROUNDING_MS = 1.0


@dataclass(frozen=True)
class Track:
    """One track: codec, the earliest PTS, and the timing of its DTS (see `TrackTiming`)."""

    codec: str
    first_pts_ms: float
    duration_s: float
    timing: TrackTiming


@dataclass(frozen=True)
class Sync:
    """A/V offset by flash and beep; + = audio early. Offsets are None without any match.

    `unclear_beeps`: heard, but under a fade or turned down so far that their onset says nothing;
    not among the points.
    """

    points: list[SyncPoint]
    max_abs_ms: float | None
    median_ms: float | None
    slope_ms_per_min: float | None
    flashes: int
    beeps: int
    unclear_beeps: int
    unmatched_flashes: int


@dataclass(frozen=True)
class Comparison:
    """The output's video against the source's, access unit by access unit.

    `first_source`, `last_source`: indices of the source units that the output begins and ends
    with; None without any match. `constants`: runs of equal timestamp differences (output -
    source); one run means one constant for the connection.
    """

    bit_exact: bool
    count: int
    first_source: int | None
    last_source: int | None
    missing: int
    changed: int
    extra: int
    reordered: int
    ambiguous: bool
    parameter_sets_equal: bool
    one_constant: bool
    constants: list[ConstantRun]
    delay: Delay | None


@dataclass(frozen=True)
class ProbeReport:
    """Everything measured; `notes` says what was not, and why."""

    duration_s: float
    video: Track | None
    audio: Track | None
    sync: Sync | None
    comparison: Comparison | None
    cut_bytes: int = 0
    notes: list[str] = field(default_factory=list)

    @property
    def gap_max_ms(self) -> float:
        """The largest gap of either track beyond one frame; infinite if a track is missing."""
        gaps = [t.timing.gap_max_ms for t in (self.video, self.audio) if t is not None]
        gap = max(gaps) if len(gaps) == 2 else float("inf")
        return 0.0 if gap <= _CONTAINER_ROUNDING_MS else round(gap, 1)

    def as_dict(self) -> dict[str, Any]:
        """Plain data for JSON."""
        return asdict(self)


def probe(
    target: str | Path,
    *,
    source: str | Path | None = None,
    sync: bool = True,
    seconds: float | None = None,
) -> ProbeReport:
    """Measure a file or URL; with `source`, the recording it was made from, compare both.

    `sync` False skips decoding (the slow part). `seconds` bounds a live URL. Raises `ProbeError`
    when a recording cannot be read, `MissingPartError` without the ffmpeg program.
    """
    with opened(target, seconds=seconds) as recording:
        if source is None:
            return measure(recording, sync=sync)
        with opened(source) as original:
            return measure(recording, original, sync=sync)


def measure(
    recording: Recording, source: Recording | None = None, *, sync: bool = True
) -> ProbeReport:
    """Measure an open recording (see `probe`)."""
    notes: list[str] = []
    video, audio = _video_track(recording), _audio_track(recording)
    comparison = _compare(source, recording, notes) if source is not None else None
    return ProbeReport(
        duration_s=max(track.duration_s for track in (video, audio) if track),
        video=video,
        audio=audio,
        sync=_sync(recording, notes) if sync else None,
        comparison=comparison,
        cut_bytes=recording.cut_bytes,
        notes=notes,
    )


def _video_track(recording: Recording) -> Track | None:
    found = timing.track_timing([unit.dts_ms for unit in recording.video])
    first_pts = min((unit.pts_ms for unit in recording.video), default=0)
    return _track(recording.video_codec, first_pts, found)


def _audio_track(recording: Recording) -> Track | None:
    frames = recording.audio
    nominal = frames[0].duration_ms if frames else None
    found = timing.track_timing([frame.dts_ms for frame in frames], nominal)
    return _track(recording.audio_codec, found.first_dts_ms if found else 0, found)


def _track(codec: str | None, first_pts_ms: float, found: TrackTiming | None) -> Track | None:
    if codec is None or found is None:
        return None
    length = found.last_dts_ms - found.first_dts_ms + found.nominal_ms
    return Track(codec, first_pts_ms, length / 1000, found)


def _sync(recording: Recording, notes: list[str]) -> Sync | None:
    if not recording.video or not recording.audio:
        notes.append("A/V offset not measured: it takes both tracks")
        return None
    try:
        flashes = flashbeep.find_flashes(*decode.luma(recording))
        heard = find_beeps(recording)
    except ProbeError as error:
        notes.append(f"A/V offset not measured: {error}")
        return None
    beeps = flashbeep.clear(heard)
    points, unmatched = flashbeep.match(flashes, [1000 * beep.onset_s for beep in beeps])
    offsets = np.array([point.offset_ms for point in points])
    slope = timing.robust_slope([point.t_s / 60 for point in points], offsets)
    return Sync(
        points=points,
        max_abs_ms=float(np.abs(offsets).max()) if points else None,
        median_ms=float(np.median(offsets)) if points else None,
        slope_ms_per_min=slope if len(points) > 1 else None,
        flashes=len(flashes),
        beeps=len(heard),
        unclear_beeps=len(heard) - len(beeps),
        unmatched_flashes=unmatched,
    )


def find_beeps(recording: Recording) -> list[Beep]:
    """Every beep, its onset on the recording's timeline."""
    found: list[Beep] = []
    for run in decode.sound(recording):
        for beep in flashbeep.find_beeps(run.samples, run.rate_hz):
            moved = replace(beep, onset_s=beep.onset_s + run.start_ms / 1000)
            if all(abs(moved.onset_s - other.onset_s) > _SAME_BEEP_S for other in found[-8:]):
                found.append(moved)
    return sorted(found, key=lambda beep: beep.onset_s)


def _compare(source: Recording, output: Recording, notes: list[str]) -> Comparison | None:
    if not source.video or not output.video:
        notes.append("video not compared: it takes video on both sides")
        return None
    found = alignment.align([u.digest for u in source.video], [u.digest for u in output.video])
    matched = [(output.video[i], source.video[j]) for i, j in found.pairs]
    runs = timing.constant_runs(
        [out.dts_ms - src.dts_ms for out, src in matched],
        [out.pts_ms - src.pts_ms for out, src in matched],
    )
    same_sets = output.parameter_sets <= source.parameter_sets
    return Comparison(
        bit_exact=found.exact and same_sets,
        count=len(matched),
        first_source=found.pairs[0][1] if matched else None,
        last_source=found.pairs[-1][1] if matched else None,
        missing=found.missing,
        changed=found.changed,
        extra=found.extra,
        reordered=found.reordered,
        ambiguous=found.ambiguous,
        parameter_sets_equal=same_sets,
        one_constant=len(runs) == 1,
        constants=runs[:_MAX_RUNS],
        delay=_delay(source, output, found.pairs, [out for out, _ in matched]),
    )


def _delay(
    source: Recording, output: Recording, pairs: list[alignment.Pair], units: list[VideoUnit]
) -> Delay | None:
    """Arrival at the output less arrival at the source; None without both sidecars."""
    came, left = source.video_arrivals_ns(), output.video_arrivals_ns()
    if came is None or left is None or not pairs:
        return None
    outputs, sources = np.array(pairs).T
    usable = timing.steady(came, [u.dts_ms for u in source.video])[sources]
    usable &= timing.steady(left, [u.dts_ms for u in output.video])[outputs]
    return timing.delay(came[sources], left[outputs], usable, [unit.dts_ms for unit in units])
