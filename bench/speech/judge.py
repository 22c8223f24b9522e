"""From what a live programme left behind to its figures.

| figure | what it is |
|---|---|
| `wer_ratio` | word errors of the transcripts of what was dubbed, over those of the same model on whole clips of the clean speech; what was not dubbed counts as left out |
| `undubbed_speech_share` | of the seconds of true speech (loud, and a voice to the detector on the clean recording), those that aired as the original, by the sound of the output (`bench.speech.heard`) |
| `chrf_loss` | chrF of what Whisper hears in the output, less that of whole clips recognized and translated, both against a translation by hand; the mean of the programmes |
| `longest_fragment_p50_s` | how long the worker allowed a fragment to be, asked twice a second |
| `cuts_inside_words` | cuts in running speech that fall inside a word: where the recognizer says that one is, and no dip in the sound |
| `dub_silent_share` | of the seconds of true speech, those in which neither the original nor a dub is heard |
| `sung_dubbed_share` | of the seconds of songs, those that did not air as they were |
"""  # noqa: E501

from __future__ import annotations

import statistics
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from itertools import pairwise
from typing import Any

import numpy as np

from bench.mix import recorded, silence, stems, takes
from bench.mix.placement import Run
from bench.mix.takes import Kept, Stems
from bench.speech import heard, recordings, wer
from bench.speech.heard import Fate
from bench.speech.listener import Listener, Whole
from bench.speech.programmes import Programme
from dubcast.audio.pcm import RATE
from dubcast.contract.worker import AsRunEntry, Outcome, as_run
from dubcast.measure import speech_models
from dubcast.measure.figures import Figure
from dubcast.measure.material import Material

# After the last word its dub may still speak.
_AFTER_S = 2.5
_TOUCH_S = 0.02


@dataclass(frozen=True)
class Errors:
    """Words that were said, and the errors of two ways of writing them down."""

    words: int
    dubbed: int
    whole: int


@dataclass(frozen=True)
class Measured:
    """One programme. `chrf_heard`, `chrf_whole`: None of songs. `longest_s`: every look at it."""

    name: str
    sung: bool
    fate: Fate
    errors: Errors
    chrf_heard: float | None
    chrf_whole: float | None
    cuts: Sequence[tuple[float, str]]
    longest_s: Sequence[float]
    outcomes: dict[str, int]
    detail: dict[str, Any]

    @property
    def chrf_loss(self) -> float | None:
        if self.chrf_heard is None or self.chrf_whole is None:
            return None
        return self.chrf_heard - self.chrf_whole


def measure(
    programme: Programme,
    kept: Kept,
    material: Material,
    longest_s: Sequence[float],
    listener: Listener,
) -> Measured:
    """Everything of one programme. Raises ProbeError if its files do not fit."""
    known = takes.stems_of(material)
    output = recorded.load(kept.output, material, known.bed, recorded.marks_of(material))
    entries = as_run(kept.asrun.read_text("utf-8"))
    shift_s = takes.coarse_shift_s(entries, output, kept)
    entries = [entry.moved(shift_s) for entry in entries]
    runs = _spoken(known, programme)
    fate = heard.fate(stems.taken_apart(output.sound, known.bed, known.speech), known.speech, runs)
    outcomes = [entry.outcome.value for entry in entries if not entry.beginning]
    counts = {outcome: outcomes.count(outcome) for outcome in sorted(set(outcomes))}
    detail: dict[str, Any] = {
        "seconds": round(known.seconds, 1),
        "undubbed_by_records_s": round(fate.speech_s - _dubbed_s(entries, runs), 2),
        "undubbed": [[round(at, 2) for at in run] for run in fate.undubbed],
        "fragments_s": [round(e.source_end_s - e.source_start_s, 2) for e in entries],
        "outcomes_told": [_told(entry) for entry in entries],
    }
    if programme.sung:
        nothing = Errors(0, 0, 0)
        return Measured(
            programme.name, True, fate, nothing, None, None, [], longest_s, counts, detail
        )
    whole = listener.whole(material.narration, known.speech, programme.source, programme.target)
    texts = _heard_texts(output.sound, material, programme, listener)
    reference = [recordings.said()[name].translation for name in programme.recordings]
    return Measured(
        programme.name,
        False,
        fate,
        _errors(programme, entries, whole),
        round(speech_models.chrf(texts, reference), 2),
        round(speech_models.chrf([whole.translation], reference), 2),
        heard.cut_words(cuts_of(entries), whole.words, known.speech),
        longest_s,
        counts,
        {**detail, "heard": texts, "whole": whole.text, "whole_translation": whole.translation},
    )


def _heard_texts(
    output: Any, material: Material, programme: Programme, listener: Listener
) -> list[str]:
    first, last = material.narration[0].start_s, material.narration[-1].end_s + _AFTER_S
    return listener.heard(output[round(first * RATE) : round(last * RATE)], programme.target)


def _errors(programme: Programme, entries: Sequence[AsRunEntry], whole: Whole) -> Errors:
    said = [recordings.said()[name].text for name in programme.recordings]
    dubbed = [entry.transcript for entry in entries if entry.outcome is Outcome.DUBBED]
    true = wer.words(" ".join(said), programme.source)
    return Errors(
        len(true),
        wer.errors(true, wer.words(" ".join(dubbed), programme.source)),
        wer.errors(true, wer.words(whole.text, programme.source)),
    )


def cuts_of(entries: Sequence[AsRunEntry]) -> list[float]:
    """Where running speech was cut: one fragment ends and the next begins. Between two clauses of
    one fragment, which was heard as a whole, nothing is cut unless one of them airs as it came.
    """
    return [
        after.source_start_s
        for before, after in pairwise(entries)
        if abs(after.source_start_s - before.source_end_s) < _TOUCH_S
        and not (_are_replaced(before, after) and before.sequence_number == after.sequence_number)
    ]


def _are_replaced(*entries: AsRunEntry) -> bool:
    """Whether nothing of the original is heard of them: the bed plays until a dub that is late."""
    return all(
        entry.outcome is Outcome.DUBBED or entry.fallback == "background" for entry in entries
    )


def _spoken(known: Stems, programme: Programme) -> list[Run]:
    """Where somebody speaks, or sings: a recording has noise of its own, which is neither."""
    loud = heard.speech_runs(known.speech)
    if programme.sung:
        return loud
    return heard.common(loud, silence.voice_runs(np.repeat(known.speech[:, None], 2, axis=1)))


def _dubbed_s(entries: Sequence[AsRunEntry], runs: Sequence[Run]) -> float:
    """Seconds of true speech in what the records call dubbed."""
    spans = [
        (entry.source_start_s, entry.source_end_s)
        for entry in entries
        if entry.outcome is Outcome.DUBBED
    ]
    return heard.overlap_s(runs, spans)


def _told(entry: AsRunEntry) -> dict[str, Any]:
    keys = ("source_start_s", "source_end_s", "outcome", "reason", "transcript", "translated_text")
    told = entry.model_dump(mode="json")
    return {key: told[key] for key in (*keys, "round_trip_ms", "deadline_margin_ms", "tempo")}


def figures(results: Sequence[Measured]) -> dict[str, Figure]:
    """Over all programmes; what was not run is None and misses its bar."""
    spoken = [result for result in results if not result.sung]
    songs = [result.fate for result in results if result.sung]
    speech_s = sum(result.fate.speech_s for result in spoken)
    losses = [result.chrf_loss for result in spoken if result.chrf_loss is not None]
    looks = [length for result in spoken for length in result.longest_s]
    return {
        "wer_ratio": _ratio(
            sum(result.errors.dubbed for result in spoken),
            sum(result.errors.whole for result in spoken),
        ),
        "undubbed_speech_share": _ratio(sum(r.fate.undubbed_s for r in spoken), speech_s),
        "chrf_loss": round(statistics.fmean(losses), 2) if losses else None,
        "longest_fragment_p50_s": round(statistics.median(looks), 2) if looks else None,
        "cuts_inside_words": sum(len(result.cuts) for result in spoken) if spoken else None,
        "dub_silent_share": _ratio(sum(r.fate.silent_s for r in spoken), speech_s),
        "sung_dubbed_share": _ratio(
            sum(one.speech_s - one.undubbed_s for one in songs), sum(o.speech_s for o in songs)
        ),
        "speech_minutes": round(speech_s / 60, 2),
    }


def detail(result: Measured) -> dict[str, Any]:
    """One programme's own figures, and what they come from."""
    errors = result.errors
    own = {
        "wer_dubbed": _ratio(errors.dubbed, errors.words),
        "wer_whole": _ratio(errors.whole, errors.words),
        "chrf_heard": result.chrf_heard,
        "chrf_whole": result.chrf_whole,
        "speech_s": round(result.fate.speech_s, 1),
        "outcomes": result.outcomes,
        "cuts": list(result.cuts),
    }
    return {**figures([result]), **own, **result.detail, "errors": asdict(errors)}


def _ratio(part: float, whole: float) -> float | None:
    return round(part / whole, 4) if whole else None
