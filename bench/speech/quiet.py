"""`python -m bench.speech.quiet`: ten minutes in which nobody speaks, and no word may be dubbed.

Music, crowds, weather, bangs and noise, loud and once more far away, go the way of a stream's sound
as far as words could come of them: the worker's detector and its cutting, then what the service
hears and recognizes.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from rich.console import Console

from bench import parts
from bench.onair.languages import Recognizer
from bench.parts import Found, Part
from bench.separation import sources
from bench.separation.sound import add, looped, scattered, silence, to_level
from bench.speech.cutting import fragments
from dubcast.audio.pcm import RATE, Float, from_db
from dubcast.config import Settings
from dubcast.measure.figures import Bar
from dubcast.sts.build import offered
from dubcast.sts.offer import Choice

BARS = (Bar("nonspeech_words", "==", 0, "words of twice 10 min in which nobody speaks"),)
_LEVEL_DBFS = -20.0
_FAR_DB = -14.0
_SEED = 5
# (what, recordings, seconds)
_LOOPED = (
    ("crowd", ("crowd-a",), 60.0),
    ("crowds", ("crowd-b", "crowd-c", "crowd-d"), 60.0),
    ("orchestra", ("orchestra",), 70.0),
    ("ambient", ("ambient",), 60.0),
    ("folk", ("folk",), 60.0),
    ("electro", ("electro",), 60.0),
    ("upbeat", ("upbeat",), 50.0),
    ("rock", ("rock",), 40.0),
    ("rain", ("rain",), 30.0),
    ("water", ("waterfall",), 20.0),
    ("fire", ("fire",), 20.0),
)
_BANGS = ("thunder", "explosion", "fireworks", "lightning", "cracking", "whistle")
_BANGS_S, _NOISE_S, _HUM_HZ = 40.0, 15.0, 50.0


def sounds() -> Iterator[tuple[str, Float]]:
    """(what it is, its sound), ten minutes together."""
    random = np.random.default_rng(_SEED)
    for name, recordings, seconds in _LOOPED:
        layers = [looped(_recording(one, seconds), seconds) for one in recordings]
        yield name, to_level(np.asarray(sum(layers), dtype=np.float32), _LEVEL_DBFS)
    bangs = [_recording(name, _BANGS_S) for name in _BANGS]
    over = to_level(looped(_recording("crowd-a", _BANGS_S), _BANGS_S), _LEVEL_DBFS - 12)
    add(over, to_level(scattered(bangs, _BANGS_S, 1.5, random), _LEVEL_DBFS), 0.0)
    yield "bangs", over
    white = random.standard_normal((round(_NOISE_S * RATE), 2)).astype(np.float32)
    yield "white noise", to_level(white, _LEVEL_DBFS)
    yield "brown noise", to_level(np.cumsum(white - white.mean(axis=0), axis=0), _LEVEL_DBFS)
    time = np.arange(round(_NOISE_S * RATE)) / RATE
    hum = np.repeat(np.sin(2 * np.pi * _HUM_HZ * time)[:, None], 2, axis=1)
    yield "hum", to_level(hum.astype(np.float32), _LEVEL_DBFS)
    yield "silence", silence(_NOISE_S)


def far_away() -> Iterator[tuple[str, Float]]:
    """The same sounds, quiet: the detector raises them."""
    for name, sound in sounds():
        yield f"{name}, far away", np.asarray(sound * np.float32(from_db(_FAR_DB)))


def words_in(sound: Float, settings: Settings, recognizer: Recognizer, choice: Choice) -> list[str]:
    """What is recognized of a sound, fragment by fragment; "" of one of which nothing is."""
    mono = np.asarray(sound.mean(axis=1), dtype=np.float32)
    cuts = fragments(sound, settings.stream.fragments)
    return [recognizer.understand(mono[first:last], choice).text for first, last in cuts]


def _recording(name: str, seconds: float) -> Float:
    return sources.decoded(name, 0.0, seconds)


def _measure(settings: Settings, _out: Path, console: Console) -> Found:
    sources.fetch()
    recognizer, offer = Recognizer(settings), offered(settings)
    policy = settings.stream
    languages, target = offer.direction(policy.source_language, policy.target_language)
    choice = Choice(languages, target, offer.voice(policy.voice, target))
    texts, seconds = {}, 0.0
    with recognizer.loaded():
        for name, sound in [*sounds(), *far_away()]:
            texts[name] = words_in(sound, settings, recognizer, choice)
            seconds += len(sound) / RATE
            for text in filter(None, texts[name]):
                console.print(f"{name}: {text}", highlight=False, markup=False)
    found = {
        "nonspeech_words": sum(len(text.split()) for some in texts.values() for text in some),
        "nonspeech_fragments": sum(len(some) for some in texts.values()),
        "nonspeech_minutes": round(seconds / 60, 2),
    }
    return Found(found, texts)


PART = Part("quiet", BARS, _measure)

if __name__ == "__main__":
    sys.exit(parts.run("speech", [PART], PART.name))
