"""Reads and writes the little of the ONNX file format (protocol buffers) that we need.

A message is a list of (field number, value): an int for a varint, bytes for everything else. It
spares the run-time dependency on the `onnx` package for editing one graph and writing another.
Field numbers: onnx/onnx.proto of ONNX 1.x.
"""

from __future__ import annotations

import struct
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt


class Fixed(bytes):
    """The 4 or 8 bytes of a fixed-width field."""


Message = list[tuple[int, int | bytes]]

FLOAT, INT64 = 1, 7
_VARINT, _BYTES = 0, 2
_FIXED = {1: 8, 5: 4}  # sizes of the fixed-width kinds
# ModelProto and GraphProto
IR_VERSION, GRAPH, OPSET = 1, 7, 8
NODE, INITIALIZER, INPUT, OUTPUT = 1, 5, 11, 12
# NodeProto
NODE_INPUT, NODE_OUTPUT, OP_TYPE, ATTRIBUTE = 1, 2, 4, 5


def decode(data: bytes) -> Message:
    """The fields of a message in their order. Raises ValueError on what is no message."""
    fields: Message = []
    at = 0
    while at < len(data):
        key, at = read_varint(data, at)
        kind = key & 7
        if kind == _VARINT:
            number, at = read_varint(data, at)
            fields.append((key >> 3, number))
            continue
        size, at = (_FIXED[kind], at) if kind in _FIXED else read_varint(data, at)
        if kind not in (*_FIXED, _BYTES) or at + size > len(data):
            raise ValueError("not a protocol buffer, or one that ends early")
        value = data[at : at + size]
        fields.append((key >> 3, Fixed(value) if kind in _FIXED else value))
        at += size
    return fields


def read_varint(data: bytes, at: int) -> tuple[int, int]:
    """A varint and the position after it. Raises ValueError at the end of the data."""
    value = shift = 0
    while at < len(data):
        byte = data[at]
        value |= (byte & 127) << shift
        at, shift = at + 1, shift + 7
        if byte < 128:
            return value, at
    raise ValueError("a protocol buffer that ends early")


def encode(fields: Message) -> bytes:
    """The bytes of a message."""
    parts = []
    for number, value in fields:
        if isinstance(value, int):
            parts += [_varint(number << 3 | _VARINT), _varint(value)]
        elif isinstance(value, Fixed):
            parts += [_varint(number << 3 | (5 if len(value) == 4 else 1)), value]
        else:
            parts += [_varint(number << 3 | _BYTES), _varint(len(value)), value]
    return b"".join(parts)


def _varint(value: int) -> bytes:
    out = bytearray()
    while value > 127:
        out.append(value & 127 | 128)
        value >>= 7
    out.append(value)
    return bytes(out)


def tensor(name: str, array: npt.NDArray[np.float32]) -> bytes:
    """A TensorProto of float32."""
    dims: Message = [(1, size) for size in array.shape]
    data = np.ascontiguousarray(array, dtype="<f4").tobytes()
    return encode([*dims, (2, FLOAT), (8, name.encode()), (9, data)])


def value_info(name: str, shape: Sequence[int | str]) -> bytes:
    """A ValueInfoProto of float32; a string names a size that is free."""
    dims: Message = [
        (1, encode([(1, size) if isinstance(size, int) else (2, size.encode())])) for size in shape
    ]
    kind = encode([(1, FLOAT), (2, encode(dims))])
    return encode([(1, name.encode()), (2, encode([(1, kind)]))])


def node(
    op: str, inputs: Sequence[str], output: str, **attributes: int | float | Sequence[int]
) -> bytes:
    """A NodeProto with one output and attributes of integers, lists of them, or floats."""
    fields: Message = [(NODE_INPUT, name.encode()) for name in inputs]
    fields += [(NODE_OUTPUT, output.encode()), (OP_TYPE, op.encode())]
    for name, value in attributes.items():
        fields.append((ATTRIBUTE, encode([(1, name.encode()), *_attribute(value)])))
    return encode(fields)


def _attribute(value: int | float | Sequence[int]) -> Message:
    if isinstance(value, float):
        return [(2, Fixed(struct.pack("<f", value))), (20, 1)]
    if isinstance(value, int):
        return [(3, value), (20, 2)]
    return [*((8, one) for one in value), (20, 7)]


def model(graph: Message, opset: int) -> bytes:
    """A ModelProto of the default operator set around a graph."""
    named: Message = [(2, b"dubcast"), *graph]
    return encode([(IR_VERSION, 8), (GRAPH, encode(named)), (OPSET, encode([(2, opset)]))])


def streaming(data: bytes, layers: int, hidden: int, unpadded: Sequence[str] = ()) -> bytes:
    """A model whose memory comes in and goes out, so that a stream can be fed in pieces.

    Its GRU layers take their states from new inputs `state_0`, `state_1`, ..., (1, 1, hidden), and
    their last states become its last outputs. Its inputs `unpadded` are taken as they are where
    the graph puts zeros before them: the caller gives what came before instead. Raises ValueError
    if the graph has not so many GRU layers, or does not pad these inputs.
    """
    fields = decode(data)
    return encode(
        [(n, _opened(v, layers, hidden, unpadded) if n == GRAPH else v) for n, v in fields]
    )


def _opened(graph: int | bytes, layers: int, hidden: int, unpadded: Sequence[str]) -> bytes:
    if not isinstance(graph, bytes):
        raise ValueError("a model without a graph")
    out: Message = []
    states: list[bytes] = []
    renamed: dict[bytes, bytes] = {}
    for number, value in decode(graph):
        if number == NODE and isinstance(value, bytes):
            fields: Message = [
                (n, renamed.get(v, v) if n == NODE_INPUT and isinstance(v, bytes) else v)
                for n, v in decode(value)
            ]
            inputs, outputs = names(fields, NODE_INPUT), names(fields, NODE_OUTPUT)
            if (OP_TYPE, b"Pad") in fields and inputs[0].decode() in unpadded:
                renamed[outputs[0]] = inputs[0]
                continue
            if (OP_TYPE, b"GRU") in fields:
                fields = _with_state(fields, f"state_{len(states)}")
                states.append(outputs[1])
            value = encode(fields)
        out.append((number, value))
    if len(states) != layers:
        raise ValueError(f"{layers} recurrent layers expected, {len(states)} found")
    if len(renamed) != len(unpadded):
        raise ValueError(f"of the inputs {', '.join(unpadded)}, {len(renamed)} are padded")
    for layer, output in enumerate(states):
        out.append((INPUT, value_info(f"state_{layer}", (1, 1, hidden))))
        out.append((OUTPUT, value_info(output.decode(), (1, 1, hidden))))
    return encode(out)


def _with_state(fields: Message, name: str) -> Message:
    """A GRU node with its initial state from outside."""
    inputs = [at for at, (number, _) in enumerate(fields) if number == NODE_INPUT]
    if len(inputs) != 6 or len(names(fields, NODE_OUTPUT)) != 2:
        raise ValueError("a recurrent layer without state")
    fields = list(fields)
    fields[inputs[5]] = (NODE_INPUT, name.encode())
    return fields


def names(fields: Message, number: int) -> list[bytes]:
    """The names that a node's fields of a number hold, in their order."""
    return [value for n, value in fields if n == number and isinstance(value, bytes)]
