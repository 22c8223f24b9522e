"""Spectra of a stream, the Wiener gain, and the frame that makes a separator's delay exact."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from dubcast.audio.pcm import Float
from dubcast.separation.fifo import Fifo
from dubcast.separation.fixed_latency import FixedLatency
from dubcast.separation.separator import CELL, Burst, Separated, Separator
from dubcast.separation.stft import Stft, hann, sqrt_hann
from dubcast.separation.wiener import WienerCore, gain

SIZES = [(2048, 512, sqrt_hann), (4096, 1024, sqrt_hann), (4480, 1120, hann), (64, 16, hann)]


def noise(frames: int, channels: int = 2, seed: int = 0) -> Float:
    rng = np.random.default_rng(seed)
    return rng.uniform(-1, 1, (frames, channels)).astype(np.float32)


def run(separator: Separator, source: Float, sizes: list[int]) -> Separated:
    """Everything that comes out for blocks of these sizes, over and over."""
    parts, at, turn = [], 0, 0
    while at < len(source):
        size = sizes[turn % len(sizes)]
        parts.append(separator.process(source[at : at + size]))
        at, turn = at + size, turn + 1
    return Separated(
        np.concatenate([part.background for part in parts]),
        np.concatenate([part.speech_share for part in parts]),
    )


def padded(source: Float, separator: Separator) -> Float:
    tail = np.zeros((separator.latency, source.shape[1]), dtype=np.float32)
    return np.concatenate([source, tail])


@pytest.mark.parametrize(("size", "hop", "window"), SIZES)
def test_unchanged_spectra_give_the_input_back(size: int, hop: int, window: object) -> None:
    stft = Stft(size, hop, window(size), analysed=2, made=2)  # type: ignore[operator]
    source = noise(4 * size + 37).T
    out, at = [], 0
    for step in [1, hop - 1, 3 * hop + 5, 0, 2 * size, 10**6]:
        out.append(stft.synthesise(stft.analyse(source[:, at : at + step])))
        at += step
    got = np.concatenate(out, axis=1)
    assert source.shape[1] - got.shape[1] <= stft.behind
    assert np.abs(got - source[:, : got.shape[1]]).max() < 1e-6


def test_a_window_that_does_not_fit_its_hop_is_refused() -> None:
    with pytest.raises(ValueError, match="no multiple"):
        Stft(100, 33, hann(100), 1, 1)


def test_the_gain_falls_with_the_speech_and_with_alpha() -> None:
    mid = np.ones((1, 5), dtype=np.complex64)
    speech = np.array([[0.0, 0.25, 0.5, 0.9, 1.0]], dtype=np.complex64)
    two, three = gain(mid, speech, 2.0)[0], gain(mid, speech, 3.0)[0]
    assert two[0] == 1
    assert two[2] == pytest.approx(0.25 / (0.25 + 4 * 0.25))
    assert two[4] < 1e-12
    assert np.all(np.diff(two) < 0)
    assert np.all(three[1:4] < two[1:4])
    nothing = np.zeros((1, 1), dtype=np.complex64)
    assert gain(nothing, nothing, 2.0)[0, 0] == 1


class Part:
    """An estimator that takes a fixed share of the mid for speech, in bursts and late."""

    def __init__(self, share: float, burst: int = 480, delay: int = 100) -> None:
        self.behind = delay + burst - 1
        self._share, self._burst, self._delay = share, burst, delay
        self.reset()

    def reset(self) -> None:
        self._held = Fifo(1)
        self._skip = self._delay

    def estimate(self, mid: Float) -> Float:
        self._held.push(mid[:, np.newaxis])
        whole = max(len(self._held) - self._skip, 0) // self._burst * self._burst
        return self._held.pop(whole)[:, 0] * np.float32(self._share)


@settings(deadline=None, max_examples=25)
@example(sizes=[1, 4_999], burst=240, delay=0)
@given(
    st.lists(st.integers(200, 5_000), min_size=1, max_size=6),
    st.integers(200, 997),
    st.integers(0, 1440),
)
def test_the_delay_is_exact_for_any_blocks(sizes: list[int], burst: int, delay: int) -> None:
    separator = FixedLatency("part", WienerCore(Part(0.0, burst, delay), alpha=2.0))
    assert separator.latency % CELL == 0
    source = noise(9_000)
    out = run(separator, padded(source, separator), sizes)
    assert not out.background[: separator.latency].any()
    assert np.abs(out.background[separator.latency :] - source).max() < 1e-6
    assert len(out.speech_share) == len(padded(source, separator)) // CELL


def test_the_same_gain_goes_to_both_sides() -> None:
    separator = FixedLatency("part", WienerCore(Part(0.5), alpha=2.0))
    source = noise(20_000, 1) * np.array([[1.0, 0.25]], dtype=np.float32)
    out = run(separator, padded(source, separator), [4800]).background
    assert np.allclose(out[:, 1], out[:, 0] * 0.25, atol=1e-6)
    # M - S = S: a gain of 1 / (1 + alpha^2) everywhere.
    middle = slice(separator.latency + 5_000, separator.latency + 15_000)
    assert np.allclose(out[middle], source[5_000:15_000] / 5, atol=1e-5)


def test_shares_lie_on_the_cells_of_the_source() -> None:
    class Second(Part):
        """Speech in the second of 10 cells only."""

        def estimate(self, mid: Float) -> Float:
            self._held.push(mid[:, np.newaxis])
            out = np.zeros(len(mid), dtype=np.float32)
            at = getattr(self, "_at", 0)
            index = np.arange(at, at + len(mid))
            self._at = at + len(mid)
            spoken = (index // CELL) % 10 == 1
            out[spoken] = mid[spoken] * np.float32(0.1)
            return out

    separator = FixedLatency("second", WienerCore(Second(0.0, delay=0), alpha=2.0))
    shares = run(separator, padded(noise(48_000), separator), [701]).speech_share
    lag = separator.latency // CELL
    assert np.array_equal(shares[:lag], np.full(lag, -80))
    aligned = shares[lag : lag + 100].reshape(10, 10)
    assert np.allclose(aligned[:, 1], -20, atol=1e-3)
    assert np.all(np.delete(aligned, 1, axis=1) == -80)


def test_digital_silence_stays_silent() -> None:
    separator = FixedLatency("part", WienerCore(Part(0.5), alpha=2.0))
    source = noise(24_000)
    source[4_800:9_600] = 0
    out = run(separator, padded(source, separator), [1_024]).background[separator.latency :]
    assert not out[4_800:9_600].any()
    assert out[:4_800].any(axis=1).all()
    assert out[9_600:].any(axis=1).all()


def test_a_reset_separator_knows_nothing_of_the_past() -> None:
    separator = FixedLatency("part", WienerCore(Part(0.3), alpha=2.0))
    source = noise(10_000)
    fresh = run(separator, source, [999])
    separator.reset()
    again = run(separator, source, [999])
    assert np.array_equal(fresh.background, again.background)
    assert np.array_equal(fresh.speech_share, again.speech_share)


def test_a_core_that_breaks_its_promise_is_found() -> None:
    class Lazy:
        latency = 480

        def advance(self, block: Float) -> Burst:
            return Burst(block[:0], block[:0, :1])

        def reset(self) -> None: ...

    with pytest.raises(ValueError, match="asked of a queue that holds"):
        FixedLatency("lazy", Lazy()).process(noise(1_000))
