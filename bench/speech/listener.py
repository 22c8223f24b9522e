"""Hears at leisure, with the service's own models: what can be had at best, whole clips of the
clean speech recognized and translated; and what a viewer hears.

Both are cut only where somebody pauses, and searched as widely as the service does where it has the
time: an ear that errs where the other does not would count as a fault of the dub.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace

import numpy as np

from bench.mix import stems
from bench.mix.placement import Run
from bench.speech import heard
from dubcast.audio.pcm import RATE, Float, to_int16
from dubcast.config import Settings
from dubcast.languages import catalogue
from dubcast.languages.sentences import sentences
from dubcast.measure import speech_models
from dubcast.measure.material import Line
from dubcast.models.store import ModelStore
from dubcast.sts.providers import registry
from dubcast.sts.providers.interface import (
    ASR_RATE,
    AsrProvider,
    AsrTask,
    MtProvider,
    MtTask,
    Transcript,
    Word,
)
from dubcast.sts.providers.registry import Setup

_THREADS = 2
# Whisper sees 30 s at most.
_LONGEST_S = 25.0
_MARGIN_S = 0.25
_QUIET_S = 0.1


@dataclass(frozen=True)
class Whole:
    """What was recognized; when each word was said, in s of content; the translation."""

    text: str
    words: tuple[Word, ...]
    translation: str


class Listener:
    """The service's recognizer and translator, without the haste."""

    def __init__(self, settings: Settings, asr: AsrProvider, mt: MtProvider) -> None:
        self.settings = settings
        self._asr = asr
        self._mt = mt

    def recognize(self, sound: Float, language: str, *, words: bool = False) -> Transcript:
        """What is said in mono sound at 48 kHz."""
        import soxr

        at_16k = np.asarray(soxr.resample(sound, RATE, ASR_RATE), dtype=np.float32)
        beam = self.settings.sts_server.asr_beam
        return self._asr.run([AsrTask(at_16k, language, words, beam=beam)])[0]

    def heard(self, sound: Float, language: str) -> list[str]:
        """What is said in stereo, shape (frames, 2), of which nobody says where there is speech."""
        spans = speech_models.speech_spans(to_int16(sound), _LONGEST_S)
        texts = (self.recognize(sound[a:b].mean(axis=1), language).text for a, b in spans)
        return [text for text in texts if text]

    def whole(self, lines: Sequence[Line], speech: Float, source: str, target: str) -> Whole:
        """What is said in `speech`, cut only where people pause, and its translation."""
        texts: list[str] = []
        words: list[Word] = []
        cuts = pieces(lines, heard.speech_runs(speech))
        for first_s, last_s in (part for cut in cuts for part in shorter(cut, speech)):
            clip = speech[round(first_s * RATE) : round(last_s * RATE)]
            said = self.recognize(clip, source, words=True)
            texts.append(said.text)
            words += [
                replace(word, start_s=first_s + word.start_s, end_s=first_s + word.end_s)
                for word in said.words
            ]
        return Whole(" ".join(texts), tuple(words), self._translated(texts, source, target))

    def _translated(self, texts: Sequence[str], source: str, target: str) -> str:
        language = catalogue.find(source)
        assert language is not None
        alone = [sentence for text in texts for sentence in sentences(text, language)]
        tasks = [MtTask(sentence, source, target) for sentence in alone]
        size = self._mt.capabilities.batch_max
        parts = [self._mt.run(tasks[at : at + size]) for at in range(0, len(tasks), size)]
        return " ".join(text for part in parts for text in part)


def pieces(lines: Sequence[Line], runs: Sequence[Run]) -> list[Run]:
    """Each line in pieces of at most 25 s that begin and end in pauses, with some of these."""
    found: list[Run] = []
    for line in lines:
        own = [run for run in runs if line.start_s - _MARGIN_S <= run[0] < line.end_s]
        group: list[Run] = []
        for run in own:
            if group and run[1] - group[0][0] > _LONGEST_S:
                found.append(_around(group))
                group = []
            group.append(run)
        found += [_around(group)] if group else []
    return found


def shorter(piece: Run, speech: Float) -> list[Run]:
    """A piece as it is; what is longer than 25 s, since its speaker does not pause, is cut where it
    is quietest.
    """
    first_s, last_s = piece
    if last_s - first_s <= _LONGEST_S:
        return [piece]
    begin_s = first_s + _LONGEST_S / 2
    part = speech[round(begin_s * RATE) : round((first_s + _LONGEST_S) * RATE)]
    level = stems.level_db(part, _QUIET_S, _QUIET_S / 2)
    cut_s = begin_s + (int(np.argmin(level)) + 1) * _QUIET_S / 2
    return [(first_s, cut_s), *shorter((cut_s, last_s), speech)]


def _around(group: Sequence[Run]) -> Run:
    return max(0.0, group[0][0] - _MARGIN_S), group[-1][1] + _MARGIN_S


@contextmanager
def listening(settings: Settings) -> Iterator[Listener]:
    """With its models in memory. Raises MissingPartError without them."""
    setup, names = (
        Setup(ModelStore(settings.models), threads=_THREADS),
        settings.sts_server.providers,
    )
    asr = registry.create(AsrProvider, names.asr, setup)
    mt = registry.create(MtProvider, names.mt, setup)
    asr.load()
    mt.load()
    try:
        yield Listener(settings, asr, mt)
    finally:
        mt.close()
        asr.close()
