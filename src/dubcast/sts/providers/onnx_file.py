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
GRAPH = 7
NODE, TENSOR = 1, 5
INPUT, OUTPUT, NODE_NAME, KIND, ATTRIBUTE = 1, 2, 3, 4, 5
DIMS, TYPE, _FLOATS, _INTS, TENSOR_NAME, RAW = 1, 2, 4, 5, 8, 9
DTYPES: dict[int, np.dtype[Any]] = {
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
    for field, graph in fields(memoryview(data)):
        if field == GRAPH:
            for inner, value in fields(view(graph)):
                if inner == NODE:
                    nodes.append(_node(view(value)))
                elif inner == TENSOR:
                    name, values = tensor(view(value))
                    tensors[name] = values
    return nodes, tensors


def fields(data: memoryview) -> Iterator[tuple[int, memoryview | int]]:
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


def view(value: memoryview | int) -> memoryview:
    """The bytes of a field that has such. Raises ValueError."""
    if isinstance(value, int):
        raise ValueError("an integer where a message belongs")
    return value


def text(value: memoryview | int) -> str:
    """The name in a field. Raises ValueError."""
    return bytes(view(value)).decode()


def _node(data: memoryview) -> Node:
    name = kind = ""
    inputs = []
    for field, value in fields(data):
        if field == INPUT:
            inputs.append(text(value))
        elif field == NODE_NAME:
            name = text(value)
        elif field == KIND:
            kind = text(value)
    return Node(name, kind, tuple(inputs))


def tensor(data: memoryview) -> tuple[str, Array]:
    """Name and values of a tensor."""
    name, dims, dtype = "", [], DTYPES[1]
    raw: memoryview | None = None
    listed: list[int] = []
    for field, value in fields(data):
        if field == TENSOR_NAME:
            name = text(value)
        elif field == DIMS:
            dims += ints(value)
        elif field == TYPE:
            dtype = DTYPES.get(int(value), dtype) if isinstance(value, int) else dtype
        elif field in (RAW, _FLOATS):
            raw = view(value)
        elif field == _INTS:
            listed += ints(value)
    if raw is None:
        return name, np.array(listed or [0] * int(np.prod(dims)), dtype).reshape(dims)
    flat = np.frombuffer(raw, dtype)
    return name, flat.reshape(dims) if flat.size == int(np.prod(dims)) else flat


def ints(value: memoryview | int) -> list[int]:
    """One integer, or several packed into bytes."""
    if isinstance(value, int):
        return [value]
    found, at = [], 0
    while at < len(value):
        one, at = _varint(value, at)
        found.append(one)
    return found
