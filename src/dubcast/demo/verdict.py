"""What a run has shown: figures and the report, from two recordings and the as-run log.

The recordings are what the media server received and what the third party received, each with
the arrival of every tag on the machine's monotonic clock; nothing is taken from the worker's
word but where it says it placed its dubs.
"""

from __future__ import annotations

import statistics
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from dubcast.audio.pcm import RATE, Int16, to_int16
from dubcast.config import Settings
from dubcast.contract.worker import AsRunEntry, Outcome
from dubcast.demo.report import DemoReport, sound_from
from dubcast.errors import ProbeError
from dubcast.measure import decode, engines, timing
from dubcast.measure.figures import Bar, Figure
from dubcast.measure.material import Line
from dubcast.measure.probe import ProbeReport, probe
from dubcast.measure.recording import Recording, opened

# FLV timestamps are whole milliseconds, so steps of an unbroken track differ by up to one.
_CONTAINER_ROUNDING_MS = 1.0

BARS = (
    Bar("video_bit_exact", "==", True),
    Bar("video_bit_exact_gop250", "==", True),
    Bar("av_offset_max_abs_ms", "<=", 10),
    Bar("av_offset_slope_ms_per_min", "<=", 1),
    Bar("av_points", ">=", 8, "beeps heard clearly: no dub over them"),
    Bar("output_gap_max_ms", "<=", 0, "beyond one frame"),
    Bar("output_delay_error_s", "<=", 0.1, "against the set delay"),
    Bar("output_delay_spread_p99_ms", "<=", 60),
    Bar("dubbed_share", ">=", 0.95),
    Bar("roundtrip_chrf", ">=", 70),
    Bar("tempo_p95", "<=", 1.25),
    Bar("worker_cpu", "<=", 0.12),
    Bar("worker_rss_mb", "<=", 150),
    Bar("first_dub_s", "<=", 25),
    Bar("setup_s", "<=", 480),
)


@dataclass(frozen=True)
class Take:
    """One run's evidence."""

    source: Path  # as the media server received it
    output: Path  # as the third party received it
    asrun: Sequence[AsRunEntry]
    delay_s: float
    started_ns: int  # when the roles were started


@dataclass
class Measured:
    """Figures of one take, and what the report draws."""

    figures: dict[str, Figure]
    probe: ProbeReport
    heard: list[str] = field(default_factory=list)


def pictures_exact(take: Take) -> bool:
    """Whether every access unit that came out is one that went in, in order, none missing."""
    report = probe(take.output, source=take.source, sync=False)
    return report.comparison is not None and report.comparison.bit_exact


def measure(take: Take, narration: Sequence[Line], settings: Settings) -> Measured:
    """All figures of the main take. Raises ProbeError if a recording cannot be measured."""
    report = probe(take.output, source=take.source)
    figures: dict[str, Figure] = {}
    figures.update(_picture_and_sync(report, take.delay_s))
    figures.update(fragment_figures(take.asrun))
    figures["first_dub_s"] = _first_dub_s(take)
    texts = [line.text for line in narration]
    figures["roundtrip_chrf"], heard = _roundtrip(take, texts, settings)
    return Measured(figures, report, heard)


def _picture_and_sync(report: ProbeReport, delay_s: float) -> dict[str, Figure]:
    comparison, sync = report.comparison, report.sync
    if comparison is None or comparison.delay is None or sync is None:
        raise ProbeError("; ".join(["the run cannot be measured", *report.notes]))
    return {
        "video_bit_exact": comparison.bit_exact,
        "av_offset_max_abs_ms": _rounded(sync.max_abs_ms, 2),
        "av_offset_slope_ms_per_min": _rounded(abs(sync.slope_ms_per_min or 0.0), 3),
        "av_points": len(sync.points),
        "output_gap_max_ms": largest_gap_ms(report),
        "output_delay_s": round(comparison.delay.median_s, 3),
        "output_delay_error_s": round(abs(comparison.delay.median_s - delay_s), 3),
        "output_delay_spread_p99_ms": round(comparison.delay.spread_p99_ms, 1),
    }


def largest_gap_ms(report: ProbeReport) -> float:
    """The largest gap of either track beyond one frame; infinite if a track is missing."""
    gaps = [t.timing.gap_max_ms for t in (report.video, report.audio) if t is not None]
    gap = max(gaps) if len(gaps) == 2 else float("inf")
    return 0.0 if gap <= _CONTAINER_ROUNDING_MS else round(gap, 1)


def _rounded(value: float | None, digits: int) -> float | None:
    return None if value is None else round(value, digits)


def fragment_figures(asrun: Sequence[AsRunEntry]) -> dict[str, Figure]:
    """Counts, tempo and lag of the fragments of an as-run log."""
    speech = [entry for entry in asrun if entry.outcome is not Outcome.NO_SPEECH]
    dubbed = [entry for entry in speech if entry.outcome is Outcome.DUBBED]
    lags = [span[0] - entry.source_start_s for entry in dubbed if (span := entry.dub_span_s)]
    return {
        "fragments_speech": len(speech),
        "fragments_dubbed": len(dubbed),
        "dubbed_share": round(len(dubbed) / len(speech), 4) if speech else 0.0,
        "tempo_p95": _percentile([entry.tempo for entry in dubbed], 95),
        "dub_lag_p50_s": _percentile(lags, 50),
        "dub_lag_p95_s": _percentile(lags, 95),
    }


def _percentile(values: Sequence[float], rank: float) -> float | None:
    return round(float(np.percentile(values, rank)), 3) if values else None


def _first_dub_s(take: Take) -> float | None:
    """From the start of the roles to the arrival of the first dubbed sample at the third party."""
    dubbed = (entry for entry in take.asrun if entry.outcome is Outcome.DUBBED)
    air = [entry.air_ns for entry in dubbed if entry.air_ns is not None]
    if not air:
        return None
    with opened(take.output) as recording:
        arrivals = recording.video_arrivals_ns()
    if arrivals is None:
        return None
    later = arrivals[arrivals >= min(air)]
    return round((int(later[0]) - take.started_ns) / 1e9, 2) if len(later) else None


def _roundtrip(take: Take, texts: Sequence[str], settings: Settings) -> tuple[float, list[str]]:
    policy = settings.stream
    reference = engines.translated(texts, policy.source_language, policy.target_language)
    heard = engines.heard(settings, stereo(take.output), policy.target_language)
    return round(engines.chrf(heard, reference), 2), heard


def stereo(path: Path) -> Int16:
    """The sound of a recording as int16 (frames, 2) at 48 kHz; both channels alike (a mono mix)."""
    with opened(path) as recording:
        runs = list(decode.sound(recording))
    parts = [run.samples for run in runs if run.rate_hz == RATE]
    if not parts:
        raise ProbeError(f"{path.name} has no sound at {RATE} Hz")
    start = runs[0].start_ms
    end = max(run.start_ms + 1000 * len(run.samples) / RATE for run in runs)
    mono = np.zeros(round((end - start) * RATE / 1000) + 1, dtype=np.float32)
    for run in runs:
        first = round((run.start_ms - start) * RATE / 1000)
        mono[first : first + len(run.samples)] = run.samples[: len(mono) - first]
    return to_int16(np.stack([mono, mono], axis=1))


def report(take: Take, measured: Measured, figures: Mapping[str, Figure], seed: int) -> DemoReport:
    """The report of a run; every time in it is a time of the source recording."""
    source_offset, output_offset = _offset_s(take.source), _offset_s(take.output)
    shift = _stream_to_source_s(take, source_offset)
    to_source = output_offset - source_offset - take.delay_s
    sync = measured.probe.sync
    comparison = measured.probe.comparison
    delay = comparison.delay if comparison else None
    return DemoReport(
        figures=figures,
        bars=BARS,
        fragments=[entry.moved(shift) for entry in take.asrun],
        av_points=[(p.t_s, p.offset_ms) for p in sync.points] if sync else (),
        delay_points=delay.points if delay else (),
        source=sound_from(take.source),
        output=sound_from(take.output, shift_s=to_source),
        seed=seed,
        notes=measured.probe.notes,
        detail={"heard": measured.heard, "probe": measured.probe.as_dict()},
    )


def _offset_s(path: Path) -> float:
    """Monotonic arrival minus timestamp of a recording, its median, in seconds."""
    with opened(path) as recording:
        return _steady_offset(recording)


def _steady_offset(recording: Recording) -> float:
    arrivals = recording.video_arrivals_ns()
    if arrivals is None:
        raise ProbeError(f"{recording.path.name} has no arrival times beside it")
    dts = np.array([unit.dts_ms for unit in recording.video], dtype=np.float64)
    steady = timing.steady(arrivals, dts)
    return float(np.median(arrivals[steady] / 1e9 - dts[steady] / 1e3))


def _stream_to_source_s(take: Take, source_offset: float) -> float:
    """What to add to the worker's stream time to get a time of the source recording."""
    shifts = []
    for entry in take.asrun:
        if entry.air_ns is not None:
            first = entry.dub_start_s or entry.source_start_s
            shifts.append(entry.air_ns / 1e9 - take.delay_s - source_offset - first)
    return statistics.median(shifts) if shifts else 0.0
