"""From a run's evidence to its figures, per programme and over all of them.

| figure | what it is |
|---|---|
| `original_words_over_chance` | percent of the script that Whisper reads in the output, less the same over the true bed, as loud, with the same dub, as coded: what is read by chance; the worst of the language forced (mean of five cuts), guessed, and forced where no dub sounds, over the words of all programmes |
| `leak_under_dub_db` | what is left of the original under its dub, from the best fit of the known stems: a dub as loud hides from Whisper even what is 6 dB below it |
| `roundtrip_chrf_talk`, `_sport` | Whisper's text of the output against the translation of the script, numbers below a hundred in words in both; the worst programme of the kind |
| `onset_in_window_share` | fragments whose dub is heard -50..+400 ms from their speech's true onset; without a dub: missed |
| `tempo_in_band_share`, `tempo_max` | dubbed time at 0.95-1.15; the fastest dub |
| `backlog_end_s`, `backlog_slope_s_per_min` | sport: how late the next dub would begin; in the last 20 s, and its trend |
| `loudness_error_lu_p95` | per fragment, gated loudness of the dub against that of the speech it replaces |
| `true_peak_dbtp` | in dubbed spans, of what the mixer hands to the encoder if the worker kept it, else of the decoded recording |
| `silence_ratio_added` | time without any voice, output less source, over the programme |
| `undubbed_speech_share` | by the records: of the seconds of speech, those without a dub, and those of dubbed fragments in which no words were recognised |
"""  # noqa: E501

from __future__ import annotations

import statistics
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from bench.mix import loudness, placement, recorded, silence, stems, takes, words
from bench.mix.models import Ear, Voice
from bench.mix.placement import Placed
from bench.mix.takes import Evidence, Stems
from dubcast.audio.pcm import RATE, Float, to_int16
from dubcast.config import Settings
from dubcast.contract.worker import AsRunEntry, SpeechAired, undubbed_share
from dubcast.measure import speech_models
from dubcast.measure.asrun import speech_seconds
from dubcast.measure.figures import Bar, Figure
from dubcast.measure.percentile import percentile

BARS = (
    Bar("original_words_over_chance", "<=", 2, "points"),
    Bar("leak_under_dub_db", "<=", -18, "mean of the fragments"),
    Bar("roundtrip_chrf_talk", ">=", 75),
    Bar("roundtrip_chrf_sport", ">=", 72),
    Bar("onset_in_window_share", ">=", 0.9, "-50..+400 ms"),
    Bar("tempo_in_band_share", ">=", 0.9, "of dubbed time at 0.95-1.15"),
    Bar("tempo_max", "<=", 1.25),
    Bar("backlog_end_s", "<=", 1.5),
    Bar("backlog_slope_abs", "<=", 0.1, "s per min, either way"),
    Bar("loudness_error_lu_p95", "<=", 1),
    Bar("true_peak_dbtp", "<=", -1),
    Bar("silence_ratio_added", "<=", 0.08),
    Bar("dead_air_share", "<=", 0.08),
)
_READINGS = ("forced", "auto", "gaps")
# Shorter speech has no block of its own to be measured in.
_SHORTEST_S = 0.6


@dataclass(frozen=True)
class Tools:
    """The models that judge, and the settings of what is judged."""

    ear: Ear
    voice: Voice
    settings: Settings


@dataclass(frozen=True)
class Read:
    """Words of the script found in a sound: how many with the language forced, with it guessed,
    and (forced) where no dub sounds.

    Told to write English, Whisper translates a Portuguese dub back, and finds most of the script
    by that: the first is a weak witness, and the floor is high, so it is the mean of several
    readings. Where no dub sounds there is nothing to translate.
    """

    forced: float
    auto: int
    gaps: int
    total: int
    languages: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True)
class Measured:
    """One programme's result."""

    name: str
    kind: str
    output: Read
    floor: Read
    chrf: float
    placed: Sequence[Placed]
    loudness_errors_lu: Sequence[float]
    leaks_db: Sequence[float]
    peak_decoded_dbtp: float
    peak_pcm_dbtp: float | None
    silence_added_s: float
    dead_air_share: float
    seconds: float
    detail: Mapping[str, Any]
    speech_s: Mapping[SpeechAired, float] = field(default_factory=dict)


def measure(name: str, kind: str, evidence: Evidence, tools: Tools) -> Measured:
    """Everything of one programme. Takes about half of its length on one core."""
    known = evidence.stems
    parts = stems.taken_apart(evidence.output, known.bed, known.speech)
    clips = takes.clips_of(evidence.asrun, tools.voice)
    runs = takes.true_runs(known.speech)
    lines = [(line.start_s, line.end_s) for line in known.narration]
    placed = takes.fragments(evidence.asrun, runs, parts.dub, clips, lines)
    errors = loudness_errors(placed, parts.dub, known.speech)
    read, floor = _read_both(evidence, parts.dub, clips, tools)
    policy = tools.settings.stream
    texts = [line.text for line in known.narration]
    language = policy.target_language
    reference = speech_models.reference_translation(texts, policy.source_language, language)
    heard = speech_models.understood(tools.settings, to_int16(evidence.output), language)
    spoken = silence.voice_runs(np.repeat(known.speech[:, None], 2, axis=1))
    return Measured(
        name,
        kind,
        read,
        floor,
        round(speech_models.chrf(*(_plain(t, language) for t in (heard, reference))), 2),
        placed,
        [round(error, 2) for error in errors],
        [round(leak, 2) for leak in leaks_db(placed, evidence.output, known)],
        peak_in_dubs(evidence.output, placed),
        None if evidence.pcm is None else peak_in_dubs(evidence.pcm, placed),
        silence.length_s(spoken) - silence.length_s(silence.voice_runs(parts.voices)),
        silence.dead_air_share(*(_heard(s, evidence) for s in (evidence.source, evidence.output))),
        known.seconds,
        {**evidence.detail, "heard": heard, "reference": reference},
        speech_seconds(evidence.asrun),
    )


def _plain(texts: Sequence[str], language: str) -> list[str]:
    return [words.spelled_out(text, language) for text in texts]


def _heard(sound: Float, evidence: Evidence) -> Float:
    first, last = evidence.heard_s
    return sound[round(first * RATE) : round(last * RATE)]


def _read_both(
    evidence: Evidence, dub: Float, clips: Sequence[Float | None], tools: Tools
) -> tuple[Read, Read]:
    """What is read in the output, and by chance: over the true bed with the same dub, coded."""
    known = evidence.stems
    chance = recorded.coded(floor_sound(evidence, dub, clips))
    between = undubbed(evidence.output, known.bed, evidence.asrun)
    return _read(evidence.output, between, known, tools), _read(chance, known.bed, known, tools)


def _read(sound: Float, between: Float, known: Stems, tools: Tools) -> Read:
    code = tools.settings.stream.source_language.partition("-")[0]
    windows = words.windows(known.narration, known.seconds)
    readings = [(cut, tools.ear.forced(sound, cut, code)) for cut in words.shifted(windows)]
    forced = readings[0][1]
    auto, languages = tools.ear.auto(sound, windows, forced, code)
    gaps = tools.ear.forced(between, windows, code)
    total = sum(len(window.words) for window in windows)
    in_forced = statistics.fmean(words.found(cut, texts) for cut, texts in readings)
    in_auto, in_gaps = words.found(windows, auto), words.found(windows, gaps)
    counts = {name: languages.count(name) for name in sorted(set(languages))}
    return Read(in_forced, in_auto, in_gaps, total, counts)


def undubbed(output: Float, bed: Float, asrun: Sequence[AsRunEntry]) -> Float:
    """The output where no dub sounds, and the true bed where one does."""
    out = output.copy()
    for entry in asrun:
        if entry.dub_span_s is not None:
            first, last = (round(at * RATE) for at in entry.dub_span_s)
            out[max(first, 0) : max(last, 0)] = bed[max(first, 0) : max(last, 0)]
    return out


def floor_sound(evidence: Evidence, dub: Float, clips: Sequence[Float | None]) -> Float:
    """The true bed with what was dubbed, where and as loud as both were, the dubs spoken anew: in
    it there is nothing of the original.

    The bed is as low under a dub as in the output: the clearer a dub stands, the more of the
    script is found in it by chance.
    """
    known = evidence.stems
    both = np.repeat(known.speech[:, None], 2, axis=1)
    out, dubs = known.bed.copy(), np.zeros_like(known.bed)
    for entry, clip in zip(evidence.asrun, clips, strict=True):
        span = entry.dub_span_s
        if clip is None or span is None:
            continue
        level = loudness.integrated(_part(dub, *span))
        first = round(span[0] * RATE)
        add(dubs, first, clip if level is None else at_loudness(clip, level))
        heard = stems.bed_in(*(_part(one, *span) for one in (evidence.output, known.bed, both)))
        out[max(first, 0) : max(first, 0) + len(heard)] = heard
    return out + dubs


def at_loudness(clip: Float, lufs: float) -> Float:
    """A mono clip at this loudness when both channels carry it."""
    now = loudness.integrated(np.repeat(clip[:, None], 2, axis=1))
    gain = 1.0 if now is None else 10 ** ((lufs - now) / 20)
    return np.asarray(clip * gain, dtype=np.float32)


def add(out: Float, first: int, clip: Float) -> None:
    """Add a mono clip to both channels, in place; what is outside is left out."""
    begin, end = max(first, 0), min(first + len(clip), len(out))
    if begin < end:
        out[begin:end] += clip[begin - first : end - first, None]


def loudness_errors(placed: Sequence[Placed], dub: Float, speech: Float) -> list[float]:
    """Per dubbed fragment: loudness of its dub less that of the speech it replaces, in LU."""
    both = np.repeat(speech[:, None], 2, axis=1)
    errors = []
    for one in placed:
        if one.dub_start_s is None or one.dub_end_s is None:
            continue
        if min(one.dub_s, one.source_end_s - one.source_start_s) < _SHORTEST_S:
            continue
        new = loudness.integrated(_part(dub, one.dub_start_s, one.dub_end_s))
        old = loudness.integrated(_part(both, one.source_start_s, one.source_end_s))
        if old is not None:
            errors.append((-70.0 if new is None else new) - old)
    return errors


def leaks_db(placed: Sequence[Placed], output: Float, known: Stems) -> list[float]:
    """Per dubbed fragment: the original's level under the dub, against what it was."""
    both = np.repeat(known.speech[:, None], 2, axis=1)
    found = []
    for one in placed:
        if one.dub_start_s is None or one.dub_end_s is None:
            continue
        first = max(one.source_start_s, one.dub_start_s)
        last = min(one.source_end_s, one.dub_end_s)
        if last - first >= _SHORTEST_S:
            cut = (_part(sound, first, last) for sound in (output, known.bed, both))
            leak = stems.leak_db(*cut)
            found += [] if leak is None else [leak]
    return found


def _part(sound: Float, start_s: float, end_s: float) -> Float:
    return sound[max(0, round(start_s * RATE)) : max(0, round(end_s * RATE))]


def peak_in_dubs(sound: Float, placed: Sequence[Placed]) -> float:
    """The highest true peak while a dub sounds, in dBTP."""
    spans = [(p.dub_start_s, p.dub_end_s) for p in placed]
    peaks = [loudness.true_peak_dbtp(_part(sound, a, b)) for a, b in spans if a and b]
    return round(max(peaks, default=-120.0), 2)


def figures(results: Sequence[Measured]) -> dict[str, Figure]:
    """Over all programmes; what was not run is None and misses its bar."""
    every = [one for result in results for one in result.placed]
    sport = [result for result in results if result.kind == "sport"]
    points = placement.backlogs(sport[0].placed) if sport else []
    slope = placement.backlog_slope_s_per_min(points)
    errors = [abs(error) for result in results for error in result.loudness_errors_lu]
    seconds = sum(result.seconds for result in results)
    out: dict[str, Figure] = {
        "original_words_over_chance": over_chance(results),
        "original_words_over_chance_worst": max((over_chance([r]) for r in results), default=None),
        "leak_under_dub_db": mean_db([leak for r in results for leak in r.leaks_db]),
        "roundtrip_chrf_talk": _least(r.chrf for r in results if r.kind == "talk"),
        "roundtrip_chrf_sport": _least(r.chrf for r in sport),
        "onset_in_window_share": round(placement.in_window_share(every), 4),
        "tempo_in_band_share": round(placement.tempo_in_band_share(every), 4),
        "tempo_max": placement.tempo_max(every),
        "backlog_end_s": _rounded(placement.backlog_end_s(points)),
        "backlog_slope_s_per_min": _rounded(slope),
        "backlog_slope_abs": None if slope is None else round(abs(slope), 3),
        "loudness_error_lu_median": percentile(errors, 50),
        "loudness_error_lu_p95": percentile(errors, 95),
        "true_peak_dbtp": max((_peak(r) for r in results), default=None),
        "true_peak_decoded_dbtp": max((r.peak_decoded_dbtp for r in results), default=None),
        "true_peak_of_pcm": bool(results) and all(r.peak_pcm_dbtp is not None for r in results),
        "silence_ratio_added": round(max(sum(r.silence_added_s for r in results), 0) / seconds, 4)
        if results
        else None,
        "dead_air_share": max((round(r.dead_air_share, 4) for r in results), default=None),
        "dubbed_share": round(sum(p.dubbed for p in every) / len(every), 4) if every else None,
        "undubbed_speech_share": undubbed_share(_together(results)),
        "dubs_overlap_s": round(sum(placement.overlapping_s(r.placed) for r in results), 3),
    }
    return out


def _together(results: Sequence[Measured]) -> Mapping[SpeechAired, float]:
    """The seconds of speech of all programmes by how they went on air."""
    return {aired: sum(one.speech_s.get(aired, 0.0) for one in results) for aired in SpeechAired}


def over_chance(results: Sequence[Measured]) -> float:
    """Points of the script's words that are read beyond chance; the worst way of reading."""
    total = sum(result.output.total for result in results)
    more = [
        sum(getattr(r.output, way) - getattr(r.floor, way) for r in results) for way in _READINGS
    ]
    return round(100 * max(more) / total, 2) if total else 0.0


def detail(result: Measured) -> dict[str, Any]:
    """One programme's own figures and its fragments."""
    lags = [
        1000 * (p.onset_s - p.source_onset_s)
        for p in result.placed
        if p.onset_s is not None and p.source_onset_s is not None
    ]
    own = {key: value for key, value in figures([result]).items() if value is not None}
    return {
        **own,
        **{
            f"{name}_{way}_percent": _percent(getattr(read, way), read.total)
            for name, read in (("words", result.output), ("chance", result.floor))
            for way in _READINGS
        },
        "languages_guessed": result.output.languages,
        "onset_ms_p50": percentile(lags, 50),
        "onset_ms_p95": percentile(lags, 95),
        "loudness_errors_lu": list(result.loudness_errors_lu),
        "leaks_db": list(result.leaks_db),
        "true_peak_pcm_dbtp": result.peak_pcm_dbtp,
        "fragments": [vars(one) for one in result.placed],
        **result.detail,
    }


def mean_db(values: Sequence[float]) -> float | None:
    """The mean of the energies that these levels stand for, as a level."""
    if not values:
        return None
    return round(float(10 * np.log10(np.mean(10 ** (np.array(values) / 10)))), 2)


def _percent(part: float, whole: int) -> float:
    return round(100 * part / whole, 2) if whole else 0.0


def _peak(result: Measured) -> float:
    return result.peak_decoded_dbtp if result.peak_pcm_dbtp is None else result.peak_pcm_dbtp


def _least(values: Any) -> float | None:
    return min(values, default=None)


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, 3)
