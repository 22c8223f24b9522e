"""`python -m bench.speech.sung`: who sings is left alone, and who speaks is not taken for a singer.

The people of the live programmes, alone, over music and over a song, and the songs go the way of a
stream's sound: the worker's detector and its cutting, then what the service asks of the sound, with
what was said before where a fragment goes on from there.
"""

from __future__ import annotations

import math
import sys
from collections.abc import Iterator
from dataclasses import astuple, dataclass
from pathlib import Path

import numpy as np
from rich.console import Console

from bench import parts
from bench.parts import Found, Part
from bench.separation import sources
from bench.separation.sound import centred, looped, to_level
from bench.speech import programmes, recordings
from bench.speech.cutting import fragments
from dubcast.audio.fragmenter import Span
from dubcast.audio.pcm import RATE, Float, samples_to_ms
from dubcast.config import Settings
from dubcast.contract.sts import WordTime
from dubcast.measure import synth
from dubcast.measure.figures import Bar
from dubcast.sts import songs
from dubcast.sts.providers.interface import ASR_RATE
from dubcast.worker.fragment import Fragment
from dubcast.worker.fragment_length import LONGEST_S
from dubcast.worker.said import Said
from dubcast.worker.songs import Songs

BARS = (
    Bar("speech_called_song", "<=", 0.005, "of the fragments of speech"),
    Bar("speech_after_song_called_song", "<=", 0.025, "of them, had each followed a song"),
)
_SPEECH_DBFS, _BED_DBFS = -20.0, -30.0
_WORD_MS = 100
# As a slow or a new stream cuts, as a machine of two cores does, and a fast one.
_LONGEST_S = (2.5, 5.0, LONGEST_S)


@dataclass(frozen=True)
class Told:
    """Fragments of a sound, and how many of them are told to be sung; the same in seconds.

    `after_song`: how many would be if each came just after a song.
    """

    fragments: int
    sung: int
    after_song: int
    seconds: float
    sung_s: float


def told(sound: Float, settings: Settings) -> Told:
    """What is told of a sound, shape (frames, 2), cut in each length."""
    ways = [astuple(_told(sound, settings, longest_s)) for longest_s in _LONGEST_S]
    return Told(*(sum(values) for values in zip(*ways, strict=True)))


def _told(sound: Float, settings: Settings, longest_s: float) -> Told:
    import soxr

    before, said, sung, after, lengths = Songs(), Said(), [], 0, []
    for number, (first, last) in enumerate(fragments(sound, settings.stream.fragments, longest_s)):
        fragment = Fragment(number, "", Span(first, last, first, last))
        heard = sound[first - said.around(fragment, round(longest_s * RATE)).before : last]
        mono = soxr.resample(heard.mean(axis=1), RATE, ASR_RATE).astype(np.float32)
        tune = songs.tune_of(mono)
        lengths.append((last - first) / RATE)
        odds = None
        if tune is not None:
            odds = songs.odds_of(tune, before.before(number, first))
            after += songs.is_song(songs.odds_of(tune, math.inf))
        sung.append(odds is not None and songs.is_song(odds))
        before.heard(number, last, odds)
        said.heard(number, first, last, () if sung[-1] else _words(last - first))
    sung_s = sum(length for length, is_sung in zip(lengths, sung, strict=True) if is_sung)
    return Told(len(sung), sum(sung), after, sum(lengths), sung_s)


def _words(length: int) -> list[WordTime]:
    """A word every tenth of a second, for as long as a fragment."""
    starts = range(0, samples_to_ms(length), _WORD_MS)
    return [WordTime(text="a", start_ms=at, end_ms=at + _WORD_MS) for at in starts]


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
    after = sum(one.after_song for one in spoken.values())
    reached_s = sum(one.seconds for one in sung.values())
    found = {
        "speech_called_song": round(sum(one.sung for one in spoken.values()) / count, 4),
        "speech_after_song_called_song": round(after / count, 4),
        "speech_fragments": count,
        "sung_told_share": round(sum(one.sung_s for one in sung.values()) / reached_s, 4),
        "sung_s": round(reached_s, 1),
    }
    return Found(found, {name: vars(one) for name, one in {**spoken, **sung}.items()})


PART = Part("sung", BARS, _measure)

if __name__ == "__main__":
    sys.exit(parts.run("speech", [PART], PART.name))
