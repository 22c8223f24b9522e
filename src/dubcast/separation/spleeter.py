"""Spleeter, 2 stems: a mask per bin from two U-nets, over windows with context on both sides.

Hennequin et al., "Spleeter: a fast and efficient music source separation tool", 2020. It takes
singing for speech. The nets know magnitudes of 4096-point frames at 44.1 kHz; at 48 kHz a frame of
4480 samples has the same bins and the same step to half a percent, so nothing is resampled.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import numpy.typing as npt

from dubcast.audio.pcm import CHANNELS, Float
from dubcast.errors import MissingPartError
from dubcast.separation import onnxfile as pb
from dubcast.separation.base import Burst, Fifo
from dubcast.separation.engine import session
from dubcast.separation.stft import Spectra, Stft, hann
from dubcast.separation.tensorbundle import read_tensors

MODEL = "spleeter-2stems"
SIZE, HOP = 4480, 1120
BINS = 1024  # what the nets see: 11 kHz
WINDOW, CONTEXT, STEP = 64, 16, 32  # frames of one run, before what is kept, kept
_TRAINED_SIZE = 4096
_ABOVE = slice(700, BINS)  # whose mean mask goes to all bins above
_OPSET = 17
_LAYERS = 6
_EPSILON = 1e-3  # of the batch normalisation
_SLOPE = 0.2

Weights = dict[str, npt.NDArray[np.float32]]


class SpleeterCore:
    """The accompaniment of one stream. Raises MissingPartError without ONNX Runtime."""

    def __init__(self, folder: Path) -> None:
        self._session = session(converted(folder))
        self._stft = Stft(SIZE, HOP, hann(SIZE), analysed=CHANNELS, made=CHANNELS)
        self.latency = self._stft.behind + (WINDOW - CONTEXT - 1) * HOP
        self.reset()

    def reset(self) -> None:
        self._stft.reset()
        self._frames: Spectra = np.zeros((CHANNELS, CONTEXT, SIZE // 2 + 1), dtype=np.complex64)
        self._mix = Fifo(CHANNELS)

    def advance(self, block: Float) -> Burst:
        self._mix.push(block)
        self._frames = np.concatenate([self._frames, self._stft.analyse(block.T)], axis=1)
        out = [np.zeros((0, CHANNELS), dtype=np.float32)]
        while self._frames.shape[1] >= WINDOW:
            kept = self._frames[:, CONTEXT : CONTEXT + STEP]
            masked = kept * self._masks(self._frames[:, :WINDOW])
            out.append(self._stft.synthesise(masked).T)
            self._frames = self._frames[:, STEP:]
        background = np.concatenate(out)
        return Burst(background, self._mix.pop(len(background)) - background)

    def _masks(self, frames: Spectra) -> Float:
        """The accompaniment's share of the frames that are kept, (channels, STEP, bins)."""
        scale = np.float32(_TRAINED_SIZE / SIZE)
        magnitudes = np.abs(frames[np.newaxis, :, :, :BINS]) * scale
        voice, rest = self._session.run(None, {"magnitudes": magnitudes})
        kept = slice(CONTEXT, CONTEXT + STEP)
        voice, rest = np.square(voice[0, :, kept]), np.square(rest[0, :, kept])
        share = rest / (voice + rest + np.float32(1e-10))
        above = share[:, :, _ABOVE].mean(axis=2, keepdims=True)
        missing = frames.shape[2] - BINS
        masks: Float = np.concatenate([share, np.repeat(above, missing, axis=2)], axis=2)
        return masks


def converted(folder: Path) -> bytes:
    """Both nets as one ONNX model: `magnitudes` (1, 2, WINDOW, BINS) to masks `voice`, `rest`.

    Raises MissingPartError if the checkpoint is not the one we know.
    """
    try:
        weights = read_tensors(folder / "model.index", folder / "model.data")
        shape = (1, CHANNELS, WINDOW, BINS)
        graph: pb.Message = [(pb.INPUT, pb.value_info("magnitudes", shape))]
        for number, output in enumerate(("voice", "rest")):
            graph += _unet(weights, number, output)
            graph.append((pb.OUTPUT, pb.value_info(output, shape)))
    except (ValueError, KeyError, IndexError, OSError) as error:
        raise MissingPartError(
            f"{folder}: not Spleeter's checkpoint ({error}): run `dubcast models pull {MODEL}`"
        ) from error
    return pb.model(graph, _OPSET)


class _Graph:
    """Nodes and weights of one net; every method adds a layer and returns its output's name."""

    def __init__(self, weights: Weights, number: int) -> None:
        self._weights = weights
        self._number = number
        self.fields: pb.Message = []

    def _name(self, kind: str, layer: int, per_net: int) -> str:
        at = self._number * per_net + layer
        return f"{kind}_{at}" if at else kind

    def _initial(self, name: str, array: npt.NDArray[np.float32]) -> str:
        self.fields.append((pb.INITIALIZER, pb.tensor(name, array)))
        return name

    def add(self, op: str, inputs: list[str], output: str, **attributes: object) -> str:
        self.fields.append((pb.NODE, pb.node(op, inputs, output, **attributes)))  # type: ignore[arg-type]
        return output

    def convolution(self, op: str, source: str, layer: int, **attributes: object) -> str:
        """TensorFlow's kernels (height, width, in, out), transposed ones (.., out, in)."""
        kind, per_net = ("conv2d", 7) if op == "Conv" else ("conv2d_transpose", 6)
        name = self._name(kind, layer, per_net)
        kernel = self._weights[f"{name}/kernel"].transpose(3, 2, 0, 1)
        inputs = [
            source,
            self._initial(f"{name}/kernel", kernel),
            self._initial(f"{name}/bias", self._weights[f"{name}/bias"]),
        ]
        return self.add(op, inputs, f"{name}/out", **attributes)

    def normalised(self, source: str, layer: int) -> str:
        name = self._name("batch_normalization", layer, 12)
        parts = ("gamma", "beta", "moving_mean", "moving_variance")
        inputs = [self._initial(f"{name}/{one}", self._weights[f"{name}/{one}"]) for one in parts]
        return self.add("BatchNormalization", [source, *inputs], f"{name}/out", epsilon=_EPSILON)


# TensorFlow's "same" for a 5 x 5 kernel at stride 2: one before, two after.
_HALVE: dict[str, object] = {"strides": (2, 2), "pads": (1, 1, 2, 2)}


def _unet(weights: Weights, number: int, output: str) -> pb.Message:
    graph = _Graph(weights, number)
    source, skips = "magnitudes", []
    for layer in range(_LAYERS):
        source = graph.convolution("Conv", source, layer, **_HALVE)
        skips.append(source)  # taken before normalisation
        if layer < _LAYERS - 1:
            source = graph.normalised(source, layer)
            source = graph.add("LeakyRelu", [source], f"{source}/act", alpha=_SLOPE)
    for layer in range(_LAYERS):
        if layer:
            skip = skips[_LAYERS - 1 - layer]
            source = graph.add("Concat", [skip, source], f"{source}/with_skip", axis=1)
        source = graph.convolution("ConvTranspose", source, layer, **_HALVE)
        source = graph.add("Relu", [source], f"{source}/act")
        source = graph.normalised(source, _LAYERS + layer)
    last = {"dilations": (2, 2), "pads": (3, 3, 3, 3)}
    source = graph.convolution("Conv", source, _LAYERS, **last)
    graph.add("Sigmoid", [source], output)
    return graph.fields
