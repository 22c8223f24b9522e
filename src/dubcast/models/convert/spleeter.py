"""Spleeter, 2 stems: both of its U-nets as one ONNX graph, out of TensorFlow's checkpoint."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from onnx import ModelProto, NodeProto, TensorProto, helper, numpy_helper

from dubcast.models.convert.checkpoint import read_tensors

_SHAPE = (1, 2, 64, 1024)  # one, channels, frames, bins
_OUTPUTS = ("voice", "rest")  # in the order of the checkpoint's nets
_OPSET, _IR_VERSION = 17, 8
_LAYERS = 6
_EPSILON = 1e-3  # of the batch normalisation
_SLOPE = 0.2

Weights = dict[str, npt.NDArray[np.float32]]


def convert(folder: Path) -> dict[str, ModelProto]:
    """`nets.onnx`: `magnitudes` (1, 2, 64, 1024) to masks `voice` and `rest` of that shape.

    Raises ValueError if the checkpoint is not the one we know.
    """
    weights = read_tensors(folder / "model.index", folder / "model.data")
    try:
        nets = [_unet(weights, number, output) for number, output in enumerate(_OUTPUTS)]
    except KeyError as error:
        raise ValueError(f"not Spleeter's checkpoint: it has no {error}") from error
    graph = helper.make_graph(
        [node for net in nets for node in net.nodes],
        "spleeter-2stems",
        [helper.make_tensor_value_info("magnitudes", TensorProto.FLOAT, _SHAPE)],
        [helper.make_tensor_value_info(name, TensorProto.FLOAT, _SHAPE) for name in _OUTPUTS],
        [tensor for net in nets for tensor in net.weights],
    )
    opset = [helper.make_opsetid("", _OPSET)]
    return {"nets.onnx": helper.make_model(graph, opset_imports=opset, ir_version=_IR_VERSION)}


class _Net:
    """Nodes and weights of one net; every method adds a layer and returns its output's name."""

    def __init__(self, weights: Weights, number: int) -> None:
        self._known = weights
        self._number = number
        self.nodes: list[NodeProto] = []
        self.weights: list[TensorProto] = []

    def _name(self, kind: str, layer: int, per_net: int) -> str:
        at = self._number * per_net + layer
        return f"{kind}_{at}" if at else kind

    def _weight(self, name: str, axes: tuple[int, ...] | None = None) -> str:
        array = np.ascontiguousarray(self._known[name].transpose(axes))
        self.weights.append(numpy_helper.from_array(array, name))
        return name

    def add(self, op: str, inputs: list[str], output: str, **attributes: Any) -> str:
        self.nodes.append(helper.make_node(op, inputs, [output], **attributes))
        return output

    def convolution(self, op: str, source: str, layer: int, **attributes: Any) -> str:
        """TensorFlow's kernels (height, width, in, out), transposed ones (.., out, in)."""
        kind, per_net = ("conv2d", 7) if op == "Conv" else ("conv2d_transpose", 6)
        name = self._name(kind, layer, per_net)
        inputs = [
            source,
            self._weight(f"{name}/kernel", (3, 2, 0, 1)),
            self._weight(f"{name}/bias"),
        ]
        return self.add(op, inputs, f"{name}/out", **attributes)

    def normalised(self, source: str, layer: int) -> str:
        name = self._name("batch_normalization", layer, 12)
        parts = ("gamma", "beta", "moving_mean", "moving_variance")
        inputs = [source, *(self._weight(f"{name}/{part}") for part in parts)]
        return self.add("BatchNormalization", inputs, f"{name}/out", epsilon=_EPSILON)


# TensorFlow's "same" for a 5 x 5 kernel at stride 2: one before, two after.
_HALVE: dict[str, Any] = {"strides": (2, 2), "pads": (1, 1, 2, 2)}


def _unet(weights: Weights, number: int, output: str) -> _Net:
    net = _Net(weights, number)
    source, skips = "magnitudes", []
    for layer in range(_LAYERS):
        source = net.convolution("Conv", source, layer, **_HALVE)
        skips.append(source)  # taken before normalisation
        if layer < _LAYERS - 1:
            source = net.normalised(source, layer)
            source = net.add("LeakyRelu", [source], f"{source}/act", alpha=_SLOPE)
    for layer in range(_LAYERS):
        if layer:
            skip = skips[_LAYERS - 1 - layer]
            source = net.add("Concat", [skip, source], f"{source}/with_skip", axis=1)
        source = net.convolution("ConvTranspose", source, layer, **_HALVE)
        source = net.add("Relu", [source], f"{source}/act")
        source = net.normalised(source, _LAYERS + layer)
    last = {"dilations": (2, 2), "pads": (3, 3, 3, 3)}
    source = net.convolution("Conv", source, _LAYERS, **last)
    net.add("Sigmoid", [source], output)
    return net
