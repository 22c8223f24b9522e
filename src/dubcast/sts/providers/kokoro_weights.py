"""Kokoro's weights by their published names, as float arrays.

Two files carry them: `kokoro-v1_0.pth` as its author publishes it, and `model.onnx`, the int8
export that dubcast's manifest pins (its integers are brought back to what they stand for).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from dubcast.errors import MissingPartError

if TYPE_CHECKING:
    from onnx import NodeProto

Array = npt.NDArray[Any]
Weights = dict[str, npt.NDArray[np.float32]]
_PTH = "kokoro-v1_0.pth"
_ONNX = "model.onnx"
_PARTS = ("bert", "bert_encoder", "predictor", "text_encoder", "decoder")
# ONNX orders the gates of a recurrent layer as input, output, forget, cell; torch as i, f, g, o.
_GATES = (0, 2, 3, 1)


def load(folder: Path) -> Weights:
    """The weights in a folder. Raises MissingPartError if it has neither file."""
    if (folder / _PTH).is_file():
        return _from_checkpoint(folder / _PTH)
    if (folder / _ONNX).is_file():
        return from_onnx((folder / _ONNX).read_bytes())
    raise MissingPartError(f"{folder} has neither {_PTH} nor {_ONNX}")


def _from_checkpoint(path: Path) -> Weights:
    import torch

    found: Weights = {}
    for part, weights in torch.load(path, map_location="cpu", weights_only=True).items():
        named = {name.removeprefix("module."): one.float().numpy() for name, one in weights.items()}
        found |= {f"{part}.{name}": one for name, one in without_norms(named).items()}
    return found


def without_norms(weights: Weights) -> Weights:
    """Weights that are published as direction and length (`weight_v`, `weight_g`) as one."""
    found = {}
    for name, value in weights.items():
        if name.endswith("weight_v"):
            length = weights[f"{name[:-1]}g"]
            size = np.sqrt((value.astype(np.float64) ** 2).sum(axis=(1, 2), keepdims=True))
            found[name[:-2]] = (value * (length / size)).astype(np.float32)
        elif not name.endswith("weight_g"):
            found[name] = value
    return found


def from_onnx(data: bytes) -> Weights:
    """The weights in the int8 export.

    Raises ValueError if it is another file, MissingPartError if it takes `onnx` to read it.
    """
    nodes, tensors = _read(data)
    found = {
        name.partition(".")[2]: value
        for name, value in tensors.items()
        if value.dtype == np.float32
        and name.startswith(("encoder.", "decoder."))
        and not name.endswith("_scale")
    }
    for node in nodes:
        if node.op_type in _READERS:
            found |= _READERS[node.op_type](node, tensors)
    kept = {name: value for name, value in found.items() if name.partition(".")[0] in _PARTS}
    if not kept:
        raise ValueError("the file has none of Kokoro's weights")
    return kept


def _read(data: bytes) -> tuple[list[NodeProto], dict[str, Array]]:
    """Nodes and tensors of a model."""
    try:
        from google.protobuf.message import DecodeError
        from onnx import load_model_from_string, numpy_helper
    except ImportError as error:
        raise MissingPartError(f"{error.name} is missing: pip install 'dubcast[gpu]'") from error
    try:
        graph = load_model_from_string(data).graph
    except DecodeError as error:
        raise ValueError(f"no ONNX file: {error}") from error
    return list(graph.node), {one.name: numpy_helper.to_array(one) for one in graph.initializer}


def _module(path: str) -> str:
    """The module of a node: `/encoder/cnn.0/cnn.0.1/Conv_quant` is of `cnn.0.1`."""
    parts: list[str] = []
    for part in path.split("/")[2:-1]:
        if parts and part.startswith(f"{parts[-1]}."):
            parts.pop()
        parts.append(part)
    name = ".".join(parts)
    # The export calls these without the module that they are in.
    return f"predictor.{name}" if re.match(r"(F0|N)(\.|_proj)|shared", name) else name


def _value(tensors: Mapping[str, Array], name: str, zero: str, scale: str = "") -> Array:
    """A tensor as float: integers less their zero, times their scale."""
    if not name.endswith("_quantized"):
        return tensors[name]
    scale = scale or name.replace("_quantized", "_scale")
    scales = np.asarray(tensors[scale], np.float32)
    shape = (-1, *[1] * (tensors[name].ndim - 1)) if "LSTM" in name else scales.shape
    centred = tensors[name].astype(np.int32) - tensors[zero].astype(np.int32).reshape(
        shape if tensors[zero].size > 1 else ()
    )
    return np.asarray(centred * scales.reshape(shape), np.float32)


def _convolution(node: NodeProto, tensors: Mapping[str, Array]) -> Weights:
    weight, zero = node.input[1], node.input[-1]
    if weight not in tensors:
        return {}
    return {f"{_module(node.name)}.weight": _value(tensors, weight, zero)}


def _product(node: NodeProto, tensors: Mapping[str, Array]) -> Weights:
    module = _module(node.name)
    # A number at the end: one of the layers that share their weights, used again.
    if node.input[1] not in tensors or re.search(r"_\d+$", module):
        return {}
    return {f"{module}.weight": _value(tensors, node.input[1], node.input[-1]).T.copy()}


def _embedding(node: NodeProto, tensors: Mapping[str, Array]) -> Weights:
    name = node.input[0]
    if not name.endswith(".weight_quantized"):
        return {}
    # All of these are symmetric: their zero is 0.
    scale = tensors[name.replace("_quantized", "_scale")]
    published = name.partition(".")[2].removesuffix("_quantized")
    return {published: np.asarray(tensors[name].astype(np.float32) * scale, np.float32)}


def _recurrent(node: NodeProto, tensors: Mapping[str, Array]) -> Weights:
    module = _module(node.name)
    inner = _value(tensors, node.input[1], node.input[9])
    outer = _value(tensors, node.input[2], node.input[11])
    biases = tensors[node.input[3]]
    found = {}
    for i, way in enumerate(("", "_reverse")):
        found[f"{module}.weight_ih_l0{way}"] = _gates(inner[i].T)
        found[f"{module}.weight_hh_l0{way}"] = _gates(outer[i].T)
        for kind, half in zip(("ih", "hh"), np.split(biases[i], 2), strict=True):
            found[f"{module}.bias_{kind}_l0{way}"] = _gates(half)
    return found


def _gates(rows: Array) -> npt.NDArray[np.float32]:
    parts = np.split(np.asarray(rows, np.float32), 4)
    return np.concatenate([parts[i] for i in _GATES])


_READERS: dict[str, Callable[[NodeProto, Mapping[str, Array]], Weights]] = {
    "Conv": _convolution,
    "ConvInteger": _convolution,
    "ConvTranspose": _convolution,
    "MatMul": _product,
    "MatMulInteger": _product,
    "Gather": _embedding,
    "DynamicQuantizeLSTM": _recurrent,
}
