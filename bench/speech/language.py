"""`python -m bench.speech.language`: is it heard which of ten languages is spoken?

Ten lines of each, of two seconds and more, are said by Kokoro in its six languages and by
Festival in three others (what is said is kept for the next time); German by a voice of Kokoro's
that learned another language, with espeak-ng's phonemes and an accent. Each goes the way of a
fragment as far as it is decided, with `auto` as its source and every other language as what it
may be. The bar is on each line alone. The first second of each is asked about as well, alone and
in a stream that was taken for its language so far: told, not judged.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from pathlib import Path

import numpy as np
from rich.console import Console

from bench import parts
from bench.mix.models import Voice as Recorded
from bench.onair.languages import Recognizer
from bench.parts import Found, Part
from bench.speech import festival
from dubcast.audio.pcm import RATE, Float
from dubcast.config import Settings
from dubcast.languages import catalogue
from dubcast.languages.language import Language
from dubcast.measure.figures import Bar, Figure
from dubcast.measure.material import Speak
from dubcast.models.store import ModelStore
from dubcast.sts.offer import Choice
from dubcast.sts.providers import registry
from dubcast.sts.providers.interface import TtsProvider, TtsTask, Voice
from dubcast.sts.providers.registry import Setup

BARS = (
    Bar("language_right", ">=", 0.97, "lines of 2 s and more"),
    Bar("languages_asked_about", ">=", 10, "that can be said here"),
)
LINES = Path(__file__).with_name("languages.tsv")
VOICES = {
    "en": ("af_heart", "bm_george"),
    "es": ("ef_dora", "em_alex"),
    "fr": ("ff_siwis",),
    "it": ("if_sara", "im_nicola"),
    "pt-BR": ("pf_dora", "pm_alex"),
    "hi": ("hf_alpha", "hm_omega"),
    "de": ("im_nicola",),
    **dict.fromkeys(festival.VOICES, ("festival",)),
}
_SHORTEST_S = 2.0
_BRIEF_S = 1.0
_THREADS = 2
_FESTIVAL = "festival"


@dataclass(frozen=True)
class Clip:
    """A line as it was said: mono float32 at 48 kHz."""

    tag: str
    voice: str
    text: str
    sound: Float


@dataclass(frozen=True)
class Wrong:
    """A clip that was taken for another language, and how sure the recognizer was."""

    tag: str
    voice: str
    text: str
    taken_for: str
    probability: float


def lines(path: Path = LINES) -> list[tuple[str, str]]:
    """The lines with the tag of their language."""
    rows = path.read_text(encoding="utf-8").splitlines()
    pairs = (row.split("\t") for row in rows if row and not row.startswith("#"))
    return [(tag, text) for tag, text in pairs]


def said(settings: Settings) -> list[Clip]:
    """Every line that can be said here and is long enough, its language's voices in turn."""
    clips = []
    with _speaking(settings) as speak:
        for number, (tag, text) in enumerate(lines()):
            voice = VOICES[tag][number % len(VOICES[tag])]
            try:
                sound = Recorded(speak, f"{voice}@{tag}").say(text)
            except festival.NotSaidError:
                continue  # its language is not asked about, which the bar tells
            clips.append(Clip(tag, voice, text, sound))
    return [clip for clip in clips if len(clip.sound) >= _SHORTEST_S * RATE]


@contextmanager
def _speaking(settings: Settings) -> Iterator[Speak]:
    """Kokoro's voices in any language, and Festival's: `ff_siwis@de` speaks German."""
    tts = registry.create(
        TtsProvider, "kokoro", Setup(ModelStore(settings.models), threads=_THREADS)
    )
    by_name = {voice.name: voice for voice in tts.capabilities.voices}
    tts.load()

    def speak(text: str, name: str) -> tuple[Float, int]:
        voice, _, tag = name.partition("@")
        if voice == _FESTIVAL:
            return festival.say(text, tag)
        own = by_name[voice]
        if not own.speaks(tag):
            own = replace(own, language=_known(tag).varieties[0].tag)
        speech = tts.run([TtsTask(text, own)])[0]
        return speech.samples, speech.rate_hz

    try:
        yield speak
    finally:
        tts.close()


def _known(tag: str) -> Language:
    language = catalogue.find(tag)
    assert language is not None
    return language


def choice_for(tag: str, tags: Sequence[str]) -> Choice:
    """A stream that may be in any of these languages and is dubbed into another than `tag`."""
    target = "en" if tag != "en" else "pt-BR"
    sources = tuple(_known(one) for one in tags if one != target)
    voice = Voice("none", target, "unknown")
    return Choice(sources, _known(target), voice, named=False)


def wrong(
    recognizer: Recognizer, clips: Sequence[Clip], *, longest_s: float | None, in_stream: bool
) -> list[Wrong]:
    """The clips, or their beginnings, that are not taken for what they are."""
    tags = list(dict.fromkeys(clip.tag for clip in clips))
    found = []
    for clip in clips:
        sound = clip.sound if longest_s is None else clip.sound[: round(longest_s * RATE)]
        so_far = clip.tag if in_stream else ""
        answer = recognizer.understand(sound, choice_for(clip.tag, tags), so_far=so_far).answer
        taken_for, share = (answer.language, answer.probability) if answer else ("und", 0.0)
        if taken_for != clip.tag:
            found.append(Wrong(clip.tag, clip.voice, clip.text, taken_for, round(share, 3)))
    return found


def _measure(settings: Settings, out: Path, console: Console) -> Found:
    console.print("saying the lines (kept for the next time)", highlight=False)
    clips = said(settings)
    if lacking := sorted(set(VOICES) - {clip.tag for clip in clips}):
        how = festival.how_to_get()
        console.print(f"not said here: {', '.join(lacking)} ({how})", highlight=False)
    recognizer = Recognizer(settings)
    with recognizer.loaded():
        asked = {
            "language_right": wrong(recognizer, clips, longest_s=None, in_stream=False),
            "language_right_brief": wrong(recognizer, clips, longest_s=_BRIEF_S, in_stream=False),
            "language_right_brief_in_stream": wrong(
                recognizer, clips, longest_s=_BRIEF_S, in_stream=True
            ),
        }
    figures: dict[str, Figure] = {
        key: round(1 - len(lost) / len(clips), 4) for key, lost in asked.items()
    }
    detail = {key: [asdict(one) for one in lost] for key, lost in asked.items()}
    count = {tag: n for tag in VOICES if (n := sum(clip.tag == tag for clip in clips))}
    figures["languages_asked_about"] = len(count)
    seconds = float(np.median([len(clip.sound) / RATE for clip in clips]))
    return Found(figures, {**detail, "clips": count, "median_s": round(seconds, 2)})


PART = Part("language", BARS, _measure)

if __name__ == "__main__":
    sys.exit(parts.run("speech", [PART], PART.name))
