"""The names and numbers in an ONNX file: a protocol buffer, read without its library.

Only what a file of weights needs: the nodes of the main graph by name, kind and inputs, and its
tensors, whose values lie in the file itself.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[Any]

# Fields of ModelProto, GraphProto, NodeProto and TensorProto.
_GRAPH = 7
_NODE, _TENSOR = 1, 5
_INPUT, _NODE_NAME, _KIND = 1, 3, 4
_DIMS, _TYPE, _FLOATS, _INTS, _TENSOR_NAME, _RAW = 1, 2, 4, 5, 8, 9
_DTYPES: dict[int, np.dtype[Any]] = {
    1: np.dtype("<f4"),
    2: np.dtype("u1"),
    3: np.dtype("i1"),
    6: np.dtype("<i4"),
    7: np.dtype("<i8"),
    10: np.dtype("<f2"),
}
# Wire types.
_VARINT, _FIXED64, _BYTES, _FIXED32 = 0, 1, 2, 5


@dataclass(frozen=True)
class Node:
    """An operation: its name, its kind (`Conv`) and the names of its inputs."""

    name: str
    kind: str
    inputs: tuple[str, ...]


def read(data: bytes) -> tuple[list[Node], dict[str, Array]]:
    """Nodes and tensors of a model. Raises ValueError if it cannot be read as one."""
    nodes: list[Node] = []
    tensors: dict[str, Array] = {}
    for field, graph in _fields(memoryview(data)):
        if field == _GRAPH:
            for inner, value in _fields(_view(graph)):
                if inner == _NODE:
                    nodes.append(_node(_view(value)))
                elif inner == _TENSOR:
                    name, tensor = _tensor(_view(value))
                    tensors[name] = tensor
    return nodes, tensors


def _fields(data: memoryview) -> Iterator[tuple[int, memoryview | int]]:
    """Number and value of each field: bytes, or an integer."""
    at = 0
    while at < len(data):
        key, at = _varint(data, at)
        kind, size = key & 7, {_FIXED64: 8, _FIXED32: 4}.get(key & 7, 0)
        if kind == _VARINT:
            value, at = _varint(data, at)
            yield key >> 3, value
            continue
        if kind == _BYTES:
            size, at = _varint(data, at)
        if (not size and kind != _BYTES) or at + size > len(data):
            raise ValueError("not a protocol buffer")
        yield key >> 3, data[at : at + size]
        at += size


def _varint(data: memoryview, at: int) -> tuple[int, int]:
    value = shift = 0
    while at < len(data):
        value |= (data[at] & 0x7F) << shift
        at, shift, more = at + 1, shift + 7, data[at] & 0x80
        if not more:
            return value, at
    raise ValueError("cut short")


def _view(value: memoryview | int) -> memoryview:
    if isinstance(value, int):
        raise ValueError("an integer where a message belongs")
    return value


def _text(value: memoryview | int) -> str:
    return bytes(_view(value)).decode()


def _node(data: memoryview) -> Node:
    name = kind = ""
    inputs = []
    for field, value in _fields(data):
        if field == _INPUT:
            inputs.append(_text(value))
        elif field == _NODE_NAME:
            name = _text(value)
        elif field == _KIND:
            kind = _text(value)
    return Node(name, kind, tuple(inputs))


def _tensor(data: memoryview) -> tuple[str, Array]:
    name, dims, dtype = "", [], _DTYPES[1]
    raw: memoryview | None = None
    ints: list[int] = []
    for field, value in _fields(data):
        if field == _TENSOR_NAME:
            name = _text(value)
        elif field == _DIMS:
            dims += _ints(value)
        elif field == _TYPE:
            dtype = _DTYPES.get(int(value), dtype) if isinstance(value, int) else dtype
        elif field in (_RAW, _FLOATS):
            raw = _view(value)
        elif field == _INTS:
            ints += _ints(value)
    if raw is None:
        return name, np.array(ints or [0] * int(np.prod(dims)), dtype).reshape(dims)
    flat = np.frombuffer(raw, dtype)
    return name, flat.reshape(dims) if flat.size == int(np.prod(dims)) else flat


def _ints(value: memoryview | int) -> list[int]:
    """One integer, or several packed into bytes."""
    if isinstance(value, int):
        return [value]
    found, at = [], 0
    while at < len(value):
        one, at = _varint(value, at)
        found.append(one)
    return found
