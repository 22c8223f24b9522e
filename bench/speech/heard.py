"""What became of true speech in an output: dubbed, aired as the original, or silence. Pure.

By the sound, not by the worker's word: the speech and what is behind it are known to the sample, so
how much of either is in the output can be told (`bench.mix.stems`), whatever the worker noted.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bench.mix import stems
from bench.mix.placement import Run, active_runs
from bench.mix.stems import Parts
from dubcast.audio.pcm import Float
from dubcast.sts.providers.interface import Word

_STEP_S = 0.02
_WINDOW_S = 0.1
# Speech is heard when it comes within this of its own level; pauses shorter than this are its own.
_ACTIVE_DB = 20.0
_PAUSE_S = 0.2
# The original airs where it is as loud as it was, but for what a fit makes of chance.
_AIRED_DB = 6.0
# Less is the end of a word's sound in a crossfade, or the fit's chance: not a syllable.
_SYLLABLE_S = 0.3
_VOICE_PAUSE_S = 0.3
# The recognizer knows a word's ends to a tenth of a second; where the sound dips as far as between
# words, it was wrong about them.
_EDGE_S = 0.1
_DIP_S, _DIP_DB = 0.04, 20.0
_DIP_WINDOW_S, _DIP_STEP_S = 0.03, 0.01

Flags = NDArray[np.bool_]


@dataclass(frozen=True)
class Fate:
    """Seconds of true speech: all of it; aired as the original; neither dubbed nor aired.

    `undubbed`: where it aired as the original, in s of content.
    """

    speech_s: float
    undubbed_s: float
    silent_s: float
    undubbed: Sequence[Run] = ()


def fate(parts: Parts, speech: Float, runs: Sequence[Run] | None = None) -> Fate:
    """What became of `speech`, shape (frames,), in the output that was taken apart.

    `runs`: where somebody speaks in it; None: wherever it is loud enough.
    """
    said = _level(speech)
    original, dub = _level(parts.original)[: len(said)], _level(parts.dub)[: len(said)]
    active = _within(speech_runs(speech) if runs is None else runs, len(said))
    undubbed = _lasting(_runs(active & _smooth(original > said - _AIRED_DB)))
    aired = _within(undubbed, len(said))
    voice = _within(active_runs(dub, _STEP_S, _threshold(dub), _VOICE_PAUSE_S), len(said))
    silent = active & ~aired & ~voice
    seconds = [float(flags.sum()) * _STEP_S for flags in (active, aired, silent)]
    return Fate(*seconds, undubbed)


def speech_runs(speech: Float) -> list[Run]:
    """Where somebody speaks in clean speech, shape (frames,): pauses below 0.2 s are his own."""
    said = _level(speech)
    return active_runs(said, _STEP_S, _threshold(said), _PAUSE_S)


def common(runs: Sequence[Run], other: Sequence[Run]) -> list[Run]:
    """Where both are. The runs of either do not overlap each other."""
    both = [(max(a, c), min(b, d)) for a, b in runs for c, d in other]
    return [(first, last) for first, last in both if first < last]


def overlap_s(runs: Sequence[Run], other: Sequence[Run]) -> float:
    """How long both are. The runs of either do not overlap each other."""
    return sum(last - first for first, last in common(runs, other))


def cut_words(
    cuts: Sequence[float], words: Sequence[Word], speech: Float
) -> list[tuple[float, str]]:
    """The cuts (s of content) that fall inside a word of the true speech, and the word."""
    level = stems.level_db(speech, _DIP_WINDOW_S, _DIP_STEP_S)
    quiet = stems.active_level_db(level) - _DIP_DB
    found = []
    for cut in cuts:
        middle = (cut - _DIP_WINDOW_S / 2) / _DIP_STEP_S
        reach = _DIP_S / _DIP_STEP_S
        near = level[max(0, round(middle - reach)) : round(middle + reach) + 1]
        if not len(near) or near.min() < quiet:
            continue
        found += [
            (round(cut, 2), word.text)
            for word in words
            if word.start_s + _EDGE_S < cut < word.end_s - _EDGE_S
        ]
    return found


def _lasting(runs: Sequence[Run]) -> list[Run]:
    return [(first, last) for first, last in runs if last - first >= _SYLLABLE_S]


def _level(sound: Float) -> NDArray[Any]:
    return np.asarray(stems.level_db(sound, _WINDOW_S, _STEP_S))


def _threshold(level: NDArray[Any]) -> float:
    return float(stems.active_level_db(level)) - _ACTIVE_DB


def _within(runs: Sequence[Run], count: int) -> Flags:
    flags = np.zeros(count, dtype=np.bool_)
    for first, last in runs:
        flags[round(first / _STEP_S) : round(last / _STEP_S)] = True
    return flags


def _smooth(flags: Flags, steps: int = 15) -> Flags:
    """By the majority of 0.3 s: a block's fit may err either way."""
    return np.asarray(np.convolve(flags, np.ones(steps), mode="same") > steps / 2)


def _runs(flags: Flags) -> list[Run]:
    edges = np.flatnonzero(np.diff(np.concatenate([[0], flags.astype(np.int8), [0]])))
    return [(a * _STEP_S, b * _STEP_S) for a, b in edges.reshape(-1, 2).tolist()]
