"""One separator on one mix: its streamed output, aligned, and what the measures say of it."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from bench.separation import metrics
from bench.separation.mixes import Mix
from dubcast.audio.pcm import RATE, Float, to_float
from dubcast.measure.figures import Figure
from dubcast.separation.separator import CELL, Separator

BLOCK = 1024  # what an AAC decoder hands over at once


@dataclass(frozen=True)
class Streamed:
    """A stream's separation, aligned with its source: background (frames, 2), speech share in dB
    per 10 ms, and the CPU seconds per second that it took.
    """

    background: Float
    speech_share: Float
    cpu: float


@dataclass(frozen=True)
class Result:
    """Figures of one mix; levels and errors in dB, words in per cent, `lag` in samples."""

    mix: str
    snr_db: float
    sisdr_gain_db: float
    leak_db: float
    background_error_db: float
    speechfree_error_db: float
    words_read: float
    cpu: float
    lag: int
    heard: tuple[str, ...] = ()


def streamed(separator: Separator, whole: Float) -> Streamed:
    """Feed a stream block by block as the worker does, and undo the delay."""
    fed = np.concatenate([whole, np.zeros((separator.latency, 2), np.float32)])
    blocks = [fed[at : at + BLOCK] for at in range(0, len(fed), BLOCK)]
    began = time.process_time()
    parts = [separator.process(block) for block in blocks]
    spent = time.process_time() - began
    background = np.concatenate([part.background for part in parts])[separator.latency :]
    shares = np.concatenate([part.speech_share for part in parts])
    return Streamed(background, shares[separator.latency // CELL :], spent / (len(fed) / RATE))


def result(
    mix: Mix, made: Streamed, aired: Float, reference: Sequence[str], heard: Sequence[str]
) -> Result:
    """The measures. `aired`: what the air path makes of `made`; `heard`: words read on `made`."""
    background, speech, whole = (to_float(s) for s in (mix.background, mix.speech, mix.whole))
    left = metrics.leak(made.background, background, speech)
    before = metrics.si_sdr_db(whole, background)
    return Result(
        mix.spec.name,
        mix.spec.snr_db,
        sisdr_gain_db=metrics.si_sdr_db(made.background, background) - before,
        leak_db=left.speech_db,
        background_error_db=left.background_db,
        speechfree_error_db=metrics.error_db(aired, background, metrics.speech_free(speech)),
        words_read=metrics.read_in_order(reference, heard),
        cpu=made.cpu,
        lag=metrics.lag(made.background, background),
        heard=tuple(heard),
    )


def keeps_silence(separator: Separator, whole: Float) -> bool:
    """Whether digital silence inside a stream comes out as digital silence.

    Two seconds of it between two pieces of a mix.
    """
    gap = slice(3 * RATE, 5 * RATE)
    stream = whole[: 6 * RATE].copy()
    stream[gap] = 0
    return not streamed(separator, stream).background[gap].any()


def figures(
    name: str, results: Sequence[Result], delay_ms: float, yardstick: float
) -> dict[str, Figure]:
    """The figures of one separator: means over the mixes; the worst words where speech is not
    below the background; the median of the CPU, which other work on the machine disturbs less.
    `yardstick`: CPU seconds of the computation that the CPU is held against.
    """
    loud = [result for result in results if result.snr_db >= 0]
    free = [result.speechfree_error_db for result in results]
    cpu = float(np.median([result.cpu for result in results]))
    values: Mapping[str, Figure] = {
        "sisdr_gain_db": _mean([result.sisdr_gain_db for result in results]),
        "leak_db": _mean([result.leak_db for result in results]),
        "words_read_mean": _mean([result.words_read for result in results]),
        "words_read_worst": round(max(result.words_read for result in loud), 2),
        "speechfree_error_db": _mean(free),
        "speechfree_error_worst_db": round(max(free), 2),
        "cpu": round(cpu, 4),
        "cpu_ratio": round(cpu / yardstick, 3),
        "delay_ms": delay_ms,
    }
    return {f"{name}_{key}": value for key, value in values.items()}


def _mean(values: Sequence[float]) -> float:
    return round(float(np.mean(values)), 2)
