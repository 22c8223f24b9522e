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
from dubcast.demo.plots import Sound
from dubcast.demo.report import DemoReport
from dubcast.errors import ProbeError
from dubcast.measure import decode, speech_models, timing
from dubcast.measure.asrun import fragment_figures
from dubcast.measure.figures import Bar, Figure
from dubcast.measure.material import Line
from dubcast.measure.probe import ProbeReport, probe
from dubcast.measure.recording import Recording, opened

_DRAWN_HZ = 8000

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
        "output_gap_max_ms": report.gap_max_ms,
        "output_delay_s": round(comparison.delay.median_s, 3),
        "output_delay_error_s": round(abs(comparison.delay.median_s - delay_s), 3),
        "output_delay_spread_p99_ms": round(comparison.delay.spread_p99_ms, 1),
    }


def _rounded(value: float | None, digits: int) -> float | None:
    return None if value is None else round(value, digits)


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
    languages = policy.source_language, policy.target_language
    reference = speech_models.reference_translation(texts, *languages)
    heard = speech_models.understood(settings, sound_of(take.output), policy.target_language)
    return round(speech_models.chrf(heard, reference), 2), heard


def sound_of(path: Path) -> Int16:
    """The sound of a recording, (frames, 2). Raises ProbeError if it is not at 48 kHz."""
    with opened(path) as recording:
        found = decode.whole_sound(recording)
    if found.rate_hz != RATE:
        raise ProbeError(f"{path.name} has no sound at {RATE} Hz")
    return to_int16(found.samples)


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
        source=drawn(take.source),
        output=drawn(take.output, shift_s=to_source),
        seed=seed,
        notes=measured.probe.notes,
        detail={"heard": measured.heard, "probe": measured.probe.as_dict()},
    )


def drawn(path: Path, *, shift_s: float = 0.0) -> Sound:
    """The sound of a recording to be drawn: mono at about 8 kHz, at its timestamps + `shift_s`."""
    with opened(path) as recording:
        found = decode.whole_sound(recording)
    step = max(1, found.rate_hz // _DRAWN_HZ)
    mono = found.samples[::step].mean(axis=1)
    return Sound(mono, found.rate_hz // step, found.start_ms / 1000 + shift_s)


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
