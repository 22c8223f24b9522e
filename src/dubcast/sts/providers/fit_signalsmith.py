"""Fits speech to its time: joins clauses, shortens pauses, stretches, pads, resamples.

Stretching after synthesis keeps far more words intelligible than asking the synthesizer to speak
faster (round trip: 5-7 % of words wrong at 1.3 against 13 %), and hits the asked length.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from dubcast.contract.sts import MAX_DURATION_MS, MIN_DURATION_MS
from dubcast.errors import MissingPartError, StsError
from dubcast.sts import duration
from dubcast.sts.duration import MIN_TEMPO, Plan, Room, Span
from dubcast.sts.providers.interface import (
    Capabilities,
    FitProvider,
    FitTask,
    Fitted,
    Float,
    Speech,
)
from dubcast.sts.providers.registry import Registration

_SEED = 1


class SignalsmithFit(FitProvider):
    """Signalsmith Stretch (MIT) through python-stretch, and soxr."""

    capabilities = Capabilities(model="signalsmith-stretch", thread_safe=True)

    def __init__(self) -> None:
        self._stretch: Any = None
        self._soxr: Any = None

    def load(self) -> None:
        try:
            import soxr
            from python_stretch import Signalsmith
        except ImportError as error:
            raise MissingPartError(
                f"{error.name} is missing: pip install 'dubcast[sts]'"
            ) from error
        self._soxr = soxr
        self._stretch = Signalsmith.Stretch

    def run(self, batch: Sequence[FitTask]) -> list[Fitted]:
        return [self._fit(task) for task in batch]

    def _fit(self, task: FitTask) -> Fitted:
        speech, marks = duration.join(task.clauses, task.pauses_s)
        start_s, room = duration.room(
            task.policy, task.frames / task.rate_hz, task.slot_ms / 1000, task.bounds_s
        )
        pauses = duration.find_pauses(speech.samples, speech.rate_hz)
        chosen = _planned(speech, pauses, room, task)
        lengths = [round(s * chosen.tempo * speech.rate_hz) for s in chosen.pauses_s]
        spoken, marks = duration.squeeze(speech, pauses, lengths, marks)
        samples = self._at_tempo(Speech(spoken, speech.rate_hz), chosen.tempo)
        if speech.rate_hz != task.rate_hz:
            samples = self._soxr.resample(samples, speech.rate_hz, task.rate_hz)
        samples = _placed(samples, start_s, chosen.fits, task)
        scale = 1000 / speech.rate_hz / chosen.tempo
        times = [tuple(round(1000 * start_s + at * scale) for at in mark) for mark in marks]
        return Fitted(
            to_pcm(samples, task.channels),
            round(1000 * len(speech.samples) / speech.rate_hz),
            chosen.tempo,
            chosen.fits,
            tuple((begin, end) for begin, end in times),
        )

    def _at_tempo(self, speech: Speech, tempo: float) -> Float:
        """The speech at `tempo`, pitch kept. The stretcher compensates its own latency."""
        if tempo == 1.0:
            return speech.samples
        # A new one for each clip: no tail of the last one, and a seed for equal results.
        stretch = self._stretch(_SEED)
        stretch.preset(1, float(speech.rate_hz))
        stretch.setTimeFactor(tempo)
        stretched: Float = np.asarray(stretch.process(speech.samples[None, :]))[0]
        return stretched


def _planned(speech: Speech, pauses: Sequence[Span], room: Room, task: FitTask) -> Plan:
    pauses_s = [(stop - start) / speech.rate_hz for start, stop in pauses]
    voice_s = len(speech.samples) / speech.rate_hz - sum(pauses_s)
    slowest = MIN_TEMPO if task.policy == "match" else 1.0
    return duration.plan(voice_s, pauses_s, room, slowest, task.max_tempo)


def _placed(samples: Float, start_s: float, fits: bool, task: FitTask) -> Float:
    """The dub at its place and length: silence around it, nothing but rounding cut off."""
    lead = round(start_s * task.rate_hz)
    samples = np.pad(samples, (lead, 0))
    if fits:
        slot = round(task.slot_ms * task.rate_hz / 1000)
        length = task.frames if task.policy == "match" else min(len(samples), slot)
        samples = to_length(samples, length)
    _check_length(len(samples) / task.rate_hz)
    return to_length(samples, max(len(samples), MIN_DURATION_MS * task.rate_hz // 1000))


def _check_length(seconds: float) -> None:
    if seconds * 1000 > MAX_DURATION_MS:
        message = f"the dub would last {seconds:.1f} s, longer than the contract carries"
        raise StsError("MODEL_ERROR", message, retryable=False)


def to_length(samples: Float, frames: int) -> Float:
    """The samples, filled up with silence or cut to `frames`."""
    short = frames - len(samples)
    return np.pad(samples, (0, short)) if short > 0 else samples[:frames]


def to_pcm(samples: Float, channels: int) -> bytes:
    """Mono float32 as interleaved S16LE; each channel carries the voice. Clipped at full scale."""
    mono = np.clip(np.rint(samples * 32767.0), -32768, 32767).astype("<i2")
    return np.repeat(mono, channels).tobytes()


PROVIDER = Registration(
    create=lambda _: SignalsmithFit(), offers=lambda _: SignalsmithFit.capabilities
)
