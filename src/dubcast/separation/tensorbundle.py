"""Reads TensorFlow's checkpoint format (TensorBundle): an index and one file of raw tensors.

The index is a sorted string table as in LevelDB (table_format.md): a footer of 48 bytes points to
the index block, that to the data blocks, whose keys share prefixes. Values are BundleEntryProto
(tensor_bundle.proto): 1 type, 2 shape, 4 offset, 5 size.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import numpy.typing as npt

from dubcast.separation.onnxfile import decode, read_varint

_FOOTER = 48
_FLOAT = 1


def read_tensors(index: Path, data: Path) -> dict[str, npt.NDArray[np.float32]]:
    """All float32 tensors by name. Raises ValueError if the files are not what they should be."""
    table = index.read_bytes()
    raw = np.memmap(data, dtype=np.uint8, mode="r")
    tensors = {}
    for key, value in _entries(table):
        entry = {number: content for number, content in decode(value) if number != 2}
        if key and entry.get(1) == _FLOAT:
            at, size = int(entry.get(4, 0)), int(entry[5])
            tensor = np.frombuffer(raw[at : at + size].tobytes(), dtype="<f4")
            tensors[key.decode()] = tensor.reshape(_shape(value))
    return tensors


def _shape(entry: bytes) -> tuple[int, ...]:
    shapes = [value for number, value in decode(entry) if number == 2 and isinstance(value, bytes)]
    dims = [value for number, value in decode(shapes[0]) if number == 2] if shapes else []
    return tuple(int(dict(decode(dim))[1]) for dim in dims if isinstance(dim, bytes))


def _entries(table: bytes) -> Iterator[tuple[bytes, bytes]]:
    footer = table[-_FOOTER:]
    at = 0
    handle = []
    for _ in range(4):  # of the meta index and the index: offset and size each
        number, at = read_varint(footer, at)
        handle.append(number)
    for _, where in _block(table, handle[2], handle[3]):
        offset, at = read_varint(where, 0)
        size, _ = read_varint(where, at)
        yield from _block(table, offset, size)


def _block(table: bytes, offset: int, size: int) -> Iterator[tuple[bytes, bytes]]:
    if table[offset + size] != 0:
        raise ValueError("a compressed checkpoint index")
    block = table[offset : offset + size]
    restarts = struct.unpack("<I", block[-4:])[0]
    end = len(block) - 4 - 4 * restarts
    at, key = 0, b""
    while at < end:
        shared, at = read_varint(block, at)
        fresh, at = read_varint(block, at)
        length, at = read_varint(block, at)
        key = key[:shared] + block[at : at + fresh]
        at += fresh
        yield key, block[at : at + length]
        at += length
