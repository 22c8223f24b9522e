"""What a run has shown: figures and the report, from two recordings and the as-run log.

The recordings are what the media server received and what the third party received, each with
the arrival of every tag on the machine's monotonic clock; nothing is taken from the worker's
word but where it says it placed its dubs.
"""

from __future__ import annotations

import statistics
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np

from dubcast.audio.pcm import RATE, Int16, to_int16
from dubcast.config import Settings
from dubcast.contract.worker import AsRunEntry, Outcome
from dubcast.demo.findings import Programme
from dubcast.demo.plots import Sound
from dubcast.errors import ProbeError
from dubcast.measure import decode, speech_models, timing
from dubcast.measure.asrun import fragment_figures
from dubcast.measure.figures import Bar, Figure
from dubcast.measure.probe import ProbeReport, probe
from dubcast.measure.recording import Recording, opened
from dubcast.measure.stage import Usage

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
    Bar("worker_cpu_with_separation", "<=", 0.20),
    Bar("worker_rss_mb", "<=", 140),
    Bar("first_dub_s", "<=", 25),
    Bar("setup_s", "<=", 480),
)


@dataclass(frozen=True)
class Take:
    """The evidence of one programme."""

    stream_id: str
    source: Path  # as the media server received it
    output: Path  # as the third party received it
    asrun: Sequence[AsRunEntry]
    delay_s: float
    started_ns: int  # when the roles were started


@dataclass(frozen=True)
class Heard:
    """What a recogniser understood of an output: sentences, and their chrF (0-100) against a
    reference translation of what was said.
    """

    chrf: float
    sentences: Sequence[str] = ()


@dataclass(frozen=True)
class Measured:
    """A take, its figures, and how the media was found."""

    take: Take
    figures: Mapping[str, Figure]
    probe: ProbeReport


def measure(take: Take) -> Measured:
    """The figures of one take alone. Raises ProbeError if a recording cannot be measured."""
    report = probe(take.output, source=take.source)
    return Measured(
        take, {**_picture_and_sync(report, take.delay_s), **fragment_figures(take.asrun)}, report
    )


def judged(
    main: Measured, long_gop: Measured, usage: Usage, roundtrip_chrf: float, setup_s: float | None
) -> dict[str, Figure]:
    """The figures of the run: the fragments of both programmes, the rest as the main one shows."""
    return {
        **main.figures,
        **fragment_figures([*main.take.asrun, *long_gop.take.asrun]),
        "video_bit_exact_gop250": long_gop.figures["video_bit_exact"],
        "roundtrip_chrf": roundtrip_chrf,
        "first_dub_s": _first_dub_s(main.take),
        **asdict(usage),
        "setup_s": setup_s,
    }


def _picture_and_sync(report: ProbeReport, delay_s: float) -> dict[str, Figure]:
    """None for what cannot be measured: it misses its bar, and the probe's notes say why."""
    comparison, sync = report.comparison, report.sync
    delay = comparison.delay if comparison else None
    slope = sync.slope_ms_per_min or 0.0 if sync else None
    return {
        "video_bit_exact": comparison is not None and comparison.bit_exact,
        "av_offset_max_abs_ms": _rounded(sync.max_abs_ms if sync else None, 2),
        "av_offset_slope_ms_per_min": _rounded(None if slope is None else abs(slope), 3),
        "av_points": len(sync.points) if sync else 0,
        "output_gap_max_ms": report.gap_max_ms,
        "output_delay_s": _rounded(delay.median_s if delay else None, 3),
        "output_delay_error_s": _rounded(abs(delay.median_s - delay_s) if delay else None, 3),
        "output_delay_spread_p99_ms": _rounded(delay.spread_p99_ms if delay else None, 1),
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


def understood(take: Take, texts: Sequence[str], settings: Settings) -> Heard:
    """What a recogniser makes of the output. Raises MissingPartError without the models."""
    policy = settings.stream
    languages = policy.source_language, policy.target_language
    reference = speech_models.reference_translation(texts, *languages)
    heard = speech_models.understood(settings, sound_of(take.output), policy.target_language)
    return Heard(round(speech_models.chrf(heard, reference), 2), heard)


def sound_of(path: Path) -> Int16:
    """The sound of a recording, (frames, 2). Raises ProbeError if it is not at 48 kHz."""
    with opened(path) as recording:
        found = decode.whole_sound(recording)
    if found.rate_hz != RATE:
        raise ProbeError(f"{path.name} has no sound at {RATE} Hz")
    return to_int16(found.samples)


def programme(title: str, measured: Measured, said: Sequence[str], heard: Heard) -> Programme:
    """A programme for the report; every time in it is a time of the source recording."""
    take = measured.take
    source_offset, output_offset = _offset_s(take.source), _offset_s(take.output)
    shift = _stream_to_source_s(take, source_offset)
    sync, comparison = measured.probe.sync, measured.probe.comparison
    delay = comparison.delay if comparison else None
    return Programme(
        stream_id=take.stream_id,
        title=title,
        figures={**measured.figures, "roundtrip_chrf": heard.chrf},
        fragments=[entry.moved(shift) for entry in take.asrun],
        av_points=[(p.t_s, p.offset_ms) for p in sync.points] if sync else (),
        delay_points=delay.points if delay else (),
        source=listened(take.source),
        output=listened(take.output, shift_s=output_offset - source_offset - take.delay_s),
        said=said,
        heard=heard.sentences,
        notes=measured.probe.notes,
        probe=measured.probe.as_dict(),
    )


def listened(path: Path, *, shift_s: float = 0.0) -> Sound:
    """The sound of a recording at its timestamps + `shift_s`."""
    with opened(path) as recording:
        found = decode.whole_sound(recording)
    return Sound(found.samples, found.rate_hz, found.start_ms / 1000 + shift_s)


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
