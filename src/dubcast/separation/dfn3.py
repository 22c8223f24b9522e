"""DeepFilterNet3: the speech in a mono stream, in frames of 10 ms at 48 kHz.

Schröter et al., "DeepFilterNet: Perceptually Motivated Real-Time Speech Enhancement", 2023. The
published networks run on ONNX Runtime with their state outside, several frames in a call: a
third of the CPU of the project's own C library, which takes frame by frame. Features and bands are
those of that library (libDF); its output is met within -130 dB.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from dubcast.audio.pcm import RATE, Float
from dubcast.separation.onnx_session import session
from dubcast.separation.stft import Spectra, Stft

MODEL = "dfn3"
FRAME = 480
FRAMES = 6  # in one call: one at a time costs twice the CPU, 20 at a time little less
_SIZE = 2 * FRAME
_LOOK_AHEAD = 2  # frames
_BANDS, _NARROWEST = 32, 2  # bands on the ERB scale, and the fewest bins of one
_DEEP = 96  # bins that are filtered over time, the others get a gain
_TAPS = 5
# The networks by file, and their inputs that reach into the past by so many frames.
NETS: dict[str, dict[str, int]] = {
    "enc": {"feat_erb": 2, "feat_spec": 2},
    "erb_dec": {},
    "df_dec": {"c0": _TAPS - 1},
}
_KEEP = np.float32(0.99)  # of the running norms in a frame: exp(-0.01 s / 1 s), as trained
_SILENT = np.float32(1e-7)  # mean square below which a frame says nothing about the norms
# The model works on the level too: on a quiet programme (-41 dBFS) it loses 5 dB of its estimate,
# from -31 dBFS up nothing. Its samples are floats, so a boost cannot clip them.
_BOOST = np.float32(4.0)

Mask = npt.NDArray[np.bool_]


class DeepFilter:
    """Estimates the speech of one stream. `folder` holds the converted networks.

    Raises MissingPartError without ONNX Runtime.
    """

    behind = (FRAMES + _LOOK_AHEAD) * FRAME + _SIZE - 1

    def __init__(self, folder: Path) -> None:
        self._nets = {name: Net(folder / f"{name}.onnx", past) for name, past in NETS.items()}
        self._widths = erb_widths()
        self._edges = np.concatenate([[0], np.cumsum(self._widths)[:-1]])
        self._stft = Stft(_SIZE, FRAME, _vorbis(), analysed=1, made=1)
        self.reset()

    def reset(self) -> None:
        for net in self._nets.values():
            net.reset()
        self._stft.reset()
        self._mean_db = np.linspace(-60, -90, _BANDS, dtype=np.float32)
        self._unit = np.linspace(0.001, 0.0001, _DEEP, dtype=np.float32)
        self._waiting: Spectra = np.zeros((0, _SIZE // 2 + 1), dtype=np.complex64)
        self._past: Spectra = np.zeros((_TAPS - 1, _SIZE // 2 + 1), dtype=np.complex64)
        self._skip = _LOOK_AHEAD * FRAME

    def estimate(self, mid: Float) -> Float:
        spectra = self._stft.analyse((mid * _BOOST)[np.newaxis])[0]
        self._waiting = np.concatenate([self._waiting, spectra])
        frames = len(self._waiting) // FRAMES * FRAMES
        now, self._waiting = self._waiting[:frames], self._waiting[frames:]
        made = [self._filter(now[at : at + FRAMES]) for at in range(0, frames, FRAMES)]
        if not made:
            return np.zeros(0, dtype=np.float32)
        speech: Float = self._stft.synthesise(np.concatenate(made)[np.newaxis])[0]
        drop = min(self._skip, len(speech))
        self._skip -= drop
        return speech[drop:] / _BOOST

    def _filter(self, spectra: Spectra) -> Spectra:
        """The speech in the frames that came `_LOOK_AHEAD` before these, (FRAMES, bins)."""
        known = np.concatenate([self._past, spectra])
        self._past = known[-(_TAPS - 1) :]
        power = np.square(spectra.real) + np.square(spectra.imag)
        heard = 4 * power.sum(axis=1) / _SIZE**2 > _SILENT  # half by the window, half of the bins
        encoded = self._nets["enc"].run(
            feat_erb=self._bands(power, heard)[np.newaxis, np.newaxis],
            feat_spec=self._low_bins(spectra, heard)[np.newaxis],
        )
        skips = {name: encoded[name] for name in ("emb", "e3", "e2", "e1", "e0")}
        gains = self._nets["erb_dec"].run(**skips)["m"].reshape(-1, _BANDS)
        deep = self._nets["df_dec"].run(emb=encoded["emb"], c0=encoded["c0"])["coefs"]
        speech = known[_TAPS - 1 - _LOOK_AHEAD : -_LOOK_AHEAD].copy()
        speech[:, _DEEP:] *= np.repeat(gains, self._widths, axis=1)[:, _DEEP:]
        speech[:, :_DEEP] = _over_time(known[:, :_DEEP], deep.reshape(-1, _DEEP, _TAPS, 2))
        return speech

    def _bands(self, power: Float, heard: Mask) -> Float:
        """Level of each band against its running mean, (frames, _BANDS)."""
        mean = np.add.reduceat(power, self._edges, axis=1) / (self._widths * _SIZE**2)
        levels = 10 * np.log10(mean + 1e-10).astype(np.float32)
        means = _running(levels, self._mean_db, heard)
        self._mean_db = means[-1]
        normal: Float = (levels - means) / np.float32(40)
        return normal

    def _low_bins(self, spectra: Spectra, heard: Mask) -> Float:
        """The lowest bins against the running mean of their sizes, (2, frames, _DEEP)."""
        low = spectra[:, :_DEEP] / np.float32(_SIZE)
        sizes = _running(np.abs(low), self._unit, heard)
        self._unit = sizes[-1]
        normal = low / np.sqrt(sizes)
        return np.stack([normal.real, normal.imag])


class Net:
    """One of the networks, with what it remembers of the stream."""

    def __init__(self, model: Path, past: dict[str, int]) -> None:
        self._session = session(model)
        self._names = [output.name for output in self._session.get_outputs()]
        inputs = {one.name: tuple(one.shape) for one in self._session.get_inputs()}
        self._state_shapes = {
            name: shape for name, shape in inputs.items() if name.startswith("state_")
        }
        self._frames = past
        self.reset()

    def reset(self) -> None:
        """Forget the stream."""
        self._states = {
            name: np.zeros(shape, dtype=np.float32) for name, shape in self._state_shapes.items()
        }
        self._past: dict[str, Float] = {}

    def run(self, **inputs: Float) -> dict[str, Any]:
        """Its outputs by name, for the next frames of its inputs."""
        for name, frames in self._frames.items():
            fresh = inputs[name]
            shape = (*fresh.shape[:2], frames, fresh.shape[3])
            past = self._past.get(name, np.zeros(shape, dtype=np.float32))
            inputs[name] = np.concatenate([past, fresh], axis=2)
            self._past[name] = inputs[name][:, :, -frames:]
        made = self._session.run(None, {**inputs, **self._states})
        self._states = dict(zip(self._states, made[-len(self._states) :], strict=True))
        return dict(zip(self._names, made, strict=True))


def erb_widths() -> npt.NDArray[np.int64]:
    """How many bins each band has: equal steps on the ERB scale, but `_NARROWEST` bins at least.

    What a narrow band takes too much is taken from the next.
    """
    scale, width = 9.265, RATE / _SIZE
    top = scale * np.log1p(RATE / 2 / (24.7 * scale))
    steps = np.arange(1, _BANDS + 1) * top / _BANDS
    ends = np.round(24.7 * scale * np.expm1(steps / scale) / width).astype(np.int64)
    widths, before, over = [], 0, 0
    for end in ends.tolist():
        bins = end - before - over
        over = max(_NARROWEST - bins, 0)
        widths.append(bins + over)
        before = end
    widths[-1] += _SIZE // 2 + 1 - sum(widths)
    return np.array(widths)


def _over_time(spectra: Spectra, coefficients: Float) -> Spectra:
    """Each bin filtered over time: (frames + _TAPS - 1, bins) by (frames, bins, _TAPS, 2)."""
    taps = coefficients[..., 0] + 1j * coefficients[..., 1]
    views = np.lib.stride_tricks.sliding_window_view(spectra, _TAPS, axis=0)
    filtered: Spectra = (views * taps).sum(axis=2)
    return filtered


def _running(values: Float, state: Float, heard: Mask) -> Float:
    """The running mean over each column after every row; rows that are not heard leave it."""
    means = np.empty_like(values)
    for row, value in enumerate(values):
        if heard[row]:
            state = value * (1 - _KEEP) + state * _KEEP
        means[row] = state
    return means


def _vorbis() -> Float:
    """The window of the Vorbis codec; its square adds up to 1 at half overlap."""
    sine = np.sin(np.pi / _SIZE * (np.arange(_SIZE) + 0.5))
    window: Float = np.sin(np.pi / 2 * sine**2).astype(np.float32)
    return window
