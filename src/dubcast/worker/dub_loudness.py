"""Brings a dub to the loudness of the speech that it replaces."""

from __future__ import annotations

import math
from contextlib import AbstractContextManager
from dataclasses import dataclass

import numpy as np

from dubcast.audio.bed import StoredBed
from dubcast.audio.loudness import HOP, SILENT, integrated
from dubcast.audio.match import SpeechLevel, gain_between
from dubcast.audio.pcm import Float
from dubcast.audio.store import AudioStore

# A shorter part of a span says too little about the speech in it.
_LEAST_SEPARATED = 0.5


@dataclass(frozen=True)
class MatchedVoice:
    """A dub as it is mixed, with both loudnesses in LUFS where there are any."""

    voice: Float
    speech_lufs: float | None = None
    dub_lufs: float | None = None


def speech_lufs(
    lock: AbstractContextManager[object], store: AudioStore, bed: StoredBed, span: tuple[int, int]
) -> float:
    """How loud the speech of `span` (positions in samples) is; SILENT if there is none.

    Where the background is known for long enough, the speech is what is left without it. `lock`
    guards the store and the bed; it is taken for one hop at a time, so that nothing waits long.
    """
    start, stop = span
    with lock:
        covered = bed.covered(start, stop)
    separated = covered >= _LEAST_SEPARATED * (stop - start)
    if separated:
        stop = start + covered
    level = SpeechLevel()
    for at in range(start, stop - HOP + 1, HOP):
        with lock:
            original = store.read(at, at + HOP)
            background = bed.read(at, at + HOP) if separated else None
        level.feed(original, background)
    return level.lufs


def matched(speech: float, voice: Float) -> MatchedVoice:
    """`voice` as loud as the speech that it replaces."""
    dub = integrated(voice)
    gain = gain_between(speech, dub)
    louder = voice * np.float32(gain)
    if SILENT in (speech, dub):
        return MatchedVoice(louder)
    return MatchedVoice(louder, round(speech, 1), round(dub + 20 * math.log10(gain), 1))
