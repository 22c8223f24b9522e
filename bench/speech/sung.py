"""`python -m bench.speech.sung`: who sings is left alone, and who speaks is not taken for a singer.

The people of the live programmes, alone, over music and over a song, and the songs go the way of a
stream's sound: the worker's detector and its cutting, then what the service asks of the sound.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from rich.console import Console

from bench import parts
from bench.parts import Found, Part
from bench.separation import sources
from bench.separation.sound import centred, looped, to_level
from bench.speech import programmes, recordings
from bench.speech.cutting import fragments
from dubcast.audio.pcm import RATE, Float
from dubcast.config import Settings
from dubcast.measure import synth
from dubcast.measure.figures import Bar
from dubcast.sts import songs
from dubcast.sts.providers.interface import ASR_RATE

BARS = (Bar("speech_called_song", "<=", 0.005, "of the fragments of speech"),)
_SPEECH_DBFS, _BED_DBFS = -20.0, -30.0


@dataclass(frozen=True)
class Told:
    """Fragments of a sound, and how many of them are told to be sung; the same in seconds."""

    fragments: int
    sung: int
    seconds: float
    sung_s: float


def told(sound: Float, settings: Settings) -> Told:
    """What is told of a sound, shape (frames, 2)."""
    import soxr

    lengths, flags = [], []
    for first, last in fragments(sound, settings.stream.fragments):
        mono = soxr.resample(sound[first:last].mean(axis=1), RATE, ASR_RATE).astype(np.float32)
        tune = songs.tune_of(mono)
        lengths.append((last - first) / RATE)
        flags.append(tune is not None and songs.is_song(tune))
    sung_s = sum(length for length, flag in zip(lengths, flags, strict=True) if flag)
    return Told(len(flags), sum(flags), sum(lengths), sung_s)


def people() -> Iterator[tuple[str, Float]]:
    """(who, where, and its sound): everybody who speaks, alone, over music and over a song."""
    music, song = sources.decoded("folk", 20.0, 60.0), sources.decoded("song")
    for name in recordings.said():
        clip = centred(synth.levelled(recordings.sound(name), _SPEECH_DBFS))
        yield name, clip
        for behind, bed in (("music", music), ("song", song)):
            seconds = len(clip) / RATE + 1
            yield (
                f"{name} over {behind}",
                clip + to_level(looped(bed, seconds), _BED_DBFS)[: len(clip)],
            )


def singers() -> Iterator[tuple[str, Float]]:
    """(name, sound) of every song."""
    for programme in programmes.PROGRAMMES:
        for name in programme.recordings if programme.sung else ():
            yield name, centred(synth.levelled(recordings.sound(name), _SPEECH_DBFS))


def _measure(settings: Settings, _out: Path, _console: Console) -> Found:
    recordings.fetch()
    spoken = {name: told(sound, settings) for name, sound in people()}
    sung = {name: told(sound, settings) for name, sound in singers()}
    count = sum(one.fragments for one in spoken.values())
    reached_s = sum(one.seconds for one in sung.values())
    found = {
        "speech_called_song": round(sum(one.sung for one in spoken.values()) / count, 4),
        "speech_fragments": count,
        "sung_told_share": round(sum(one.sung_s for one in sung.values()) / reached_s, 4),
        "sung_s": round(reached_s, 1),
    }
    return Found(found, {name: vars(one) for name, one in {**spoken, **sung}.items()})


PART = Part("sung", BARS, _measure)

if __name__ == "__main__":
    sys.exit(parts.run("speech", [PART], PART.name))
