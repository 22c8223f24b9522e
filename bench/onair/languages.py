"""`python -m bench.onair.languages`: is what is said in the target language left alone, and what is
said in the source language dubbed? With the real recognizer, in both directions. Of fragments that
hold both a dub says the one half and takes the voice of the other: how many are dubbed is told, not
judged.

Kokoro says fifty lines of each language in each of four voices (three there are of Portuguese);
what is said is kept for the next time. Each goes the way of a fragment as far as it is decided:
hear, then recognize. A figure is that of the worse direction; `detail` has both.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from pathlib import Path

import numpy as np
from rich.console import Console

from bench import parts
from bench.mix.models import Voice
from bench.onair import sayings
from bench.parts import Found, Part
from dubcast.audio.pcm import RATE, Float, to_int16
from dubcast.config import Settings
from dubcast.measure import speech_models
from dubcast.measure.figures import Bar, Figure
from dubcast.models.store import ModelStore
from dubcast.sts.build import offered
from dubcast.sts.offer import Choice
from dubcast.sts.providers import registry
from dubcast.sts.providers.interface import AsrProvider, HearProvider, PcmTask, Transcript
from dubcast.sts.providers.registry import Setup
from dubcast.sts.understanding import asr_task

BARS = (
    Bar("target_speech_dubbed", "<=", 1, "of 40"),
    Bar("source_speech_left", "<=", 2, "of 200 (Portuguese: of 150)"),
)
VOICES = {
    "en": ("af_heart", "am_michael", "bf_emma", "bm_george"),
    "pt-BR": ("pf_dora", "pm_alex", "pm_santa"),
}
LINES = {"en": sayings.lines(sayings.ENGLISH), "pt-BR": sayings.lines(sayings.PORTUGUESE)}
DIRECTIONS = (("en", "pt-BR"), ("pt-BR", "en"))
_OF_TARGET = 40
_OF_BOTH = 20
_HALF_S = (1.3, 3.6)  # the halves of a fragment that holds both
_BETWEEN = round(0.15 * RATE)  # no pause that would cut it
_PAD = RATE // 10  # of silence around what is said, as the worker's fragments have
_TIMED = 20  # utterances that are recognized once more without being asked about
_HEAR, _ASR = "silero", "whisper"


@dataclass(frozen=True)
class Said:
    """An utterance: mono float32 at 48 kHz."""

    text: str
    voice: str
    sound: Float


@dataclass(frozen=True)
class Wrong:
    """An utterance that was not taken for what it is."""

    text: str
    voice: str
    taken_for: str
    probability: float


@dataclass(frozen=True)
class Direction:
    """What came of one direction. `ask_ms`, `recognize_ms`: CPU time that a fragment takes for the
    question, and for the rest of its recognition."""

    source_left: list[Wrong]
    target_dubbed: list[Wrong]
    mixed_dubbed: list[Wrong]
    said: dict[str, int]
    ask_ms: float
    recognize_ms: float


class Recognizer:
    """Hears and recognizes as the service does, up to what is decided."""

    def __init__(self, settings: Settings) -> None:
        setup = Setup(ModelStore(settings.models))
        self._hear = registry.create(HearProvider, _HEAR, setup)
        self._asr = registry.create(AsrProvider, _ASR, setup)

    @contextmanager
    def loaded(self) -> Iterator[None]:
        """With its models in memory."""
        self._hear.load()
        self._asr.load()
        try:
            yield
        finally:
            self._asr.close()
            self._hear.close()

    def understand(self, sound: Float, choice: Choice, *, ask: bool = True) -> Transcript:
        """What is made of a sound that is to be dubbed as `choice` says."""
        pcm = to_int16(np.pad(sound, _PAD)).tobytes()
        heard = self._hear.run([PcmTask(pcm, RATE, 1)])[0]
        if not heard.speech:
            return Transcript("")
        task = asr_task(heard, choice)
        return self._asr.run([task if ask else replace(task, question=None)])[0]


def said(settings: Settings) -> dict[str, list[Said]]:
    """Every line in every voice of its language: the voices of a line follow each other."""
    with speech_models.narrator(settings) as speak:
        return {
            language: [
                Said(line, voice, Voice(speak, voice).say(line))
                for line in LINES[language]
                for voice in voices
            ]
            for language, voices in VOICES.items()
        }


def sample(utterances: Sequence[Said], count: int) -> list[Said]:
    """So many of them, spread over all, in as many voices."""
    return [utterances[i * len(utterances) // count] for i in range(count)]


def mixed(source: Sequence[Said], target: Sequence[Said]) -> list[Said]:
    """Fragments of which one half is in either language: either may come first."""

    def halves(utterances: Sequence[Said]) -> list[Said]:
        fitting = [one for one in utterances if _HALF_S[0] <= len(one.sound) / RATE <= _HALF_S[1]]
        return sample(fitting, _OF_BOTH)

    found = []
    for number, pair in enumerate(zip(halves(source), halves(target), strict=True)):
        first, second = pair if number % 2 else pair[::-1]
        sound = np.concatenate([first.sound, np.zeros(_BETWEEN, np.float32), second.sound])
        text, voice = f"{first.text} {second.text}", f"{first.voice}, {second.voice}"
        found.append(Said(text, voice, sound))
    return found


def measure_direction(
    recognizer: Recognizer, choice: Choice, source: Sequence[Said], target: Sequence[Said]
) -> Direction:
    """`source`, `target`: what is said in either language of `choice`."""
    ask_ms, recognize_ms = _cost(recognizer, choice, sample(source, _TIMED))
    both = mixed(source, target)
    return Direction(
        _wrong(recognizer, choice, source, dubbed=False),
        _wrong(recognizer, choice, target, dubbed=True),
        _wrong(recognizer, choice, both, dubbed=True),
        {"source": len(source), "target": len(target), "mixed": len(both)},
        ask_ms,
        recognize_ms,
    )


def _wrong(
    recognizer: Recognizer, choice: Choice, utterances: Sequence[Said], *, dubbed: bool
) -> list[Wrong]:
    """Those that are dubbed, or those that are left alone."""
    found = []
    for one in utterances:
        answer = recognizer.understand(one.sound, choice).answer
        if answer is not None and (answer.left_alone is None) is dubbed:
            wrong = Wrong(one.text, one.voice, answer.language, round(answer.probability, 3))
            found.append(wrong)
    return found


def _cost(
    recognizer: Recognizer, choice: Choice, utterances: Sequence[Said]
) -> tuple[float, float]:
    """CPU time of a fragment, ms: what the question adds, and recognition without it."""
    spent_ms = {True: 0.0, False: 0.0}
    for one in utterances:
        for ask in spent_ms:
            begun_ns = time.process_time_ns()
            recognizer.understand(one.sound, choice, ask=ask)
            spent_ms[ask] += (time.process_time_ns() - begun_ns) / 1e6 / len(utterances)
    return round(spent_ms[True] - spent_ms[False], 2), round(spent_ms[False], 1)


def figures_of(directions: Sequence[Direction]) -> dict[str, Figure]:
    """The worse direction's figures, and what asking costs in the dearer one."""
    return {
        "target_speech_dubbed": max(len(one.target_dubbed) for one in directions),
        "source_speech_left": max(len(one.source_left) for one in directions),
        "mixed_speech_dubbed": max(len(one.mixed_dubbed) for one in directions),
        "language_ask_ms": max(one.ask_ms for one in directions),
        "language_ask_share": round(max(one.ask_ms / one.recognize_ms for one in directions), 4),
    }


def _measure(settings: Settings, out: Path, console: Console) -> Found:
    console.print("saying what is asked about (kept for the next time)", highlight=False)
    utterances = said(settings)
    offer, recognizer = offered(settings), Recognizer(settings)
    directions = {}
    with recognizer.loaded():
        for source, target in DIRECTIONS:
            console.print(f"{source} into {target}", highlight=False)
            languages, into = offer.direction(source, target)
            choice = Choice(languages, into, offer.voice("default", into))
            asked = utterances[source], sample(utterances[target], _OF_TARGET)
            directions[f"{source}-{target}"] = measure_direction(recognizer, choice, *asked)
    detail = {name: asdict(one) for name, one in directions.items()}
    return Found(figures_of(list(directions.values())), detail)


PART = Part("languages", BARS, _measure)

if __name__ == "__main__":
    sys.exit(parts.run("onair", [PART], PART.name))
