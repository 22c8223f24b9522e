"""Reads TensorFlow's checkpoint format (TensorBundle): an index and one file of raw tensors.

The index is a sorted string table as in LevelDB (table_format.md): a footer of 48 bytes points to
the index block, that to the data blocks, whose keys share prefixes. Values are messages
BundleEntryProto (tensor_bundle.proto), of which the fields that matter are declared here. The
reader is our own because TensorFlow is large, and no small package for it is maintained.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from google.protobuf import descriptor_pb2, descriptor_pool, message_factory, text_format
from google.protobuf.message import DecodeError

_FOOTER = 48
_FLOAT = 1  # tensorflow.DT_FLOAT
_PROTO = """
name: "checkpoint.proto" syntax: "proto3"
message_type {
  name: "Dim"
  field { name: "size" number: 1 type: TYPE_INT64 label: LABEL_OPTIONAL }
}
message_type {
  name: "TensorShapeProto"
  field { name: "dim" number: 2 type: TYPE_MESSAGE type_name: ".Dim" label: LABEL_REPEATED }
}
message_type {
  name: "BundleEntryProto"
  field { name: "dtype" number: 1 type: TYPE_INT32 label: LABEL_OPTIONAL }
  field { name: "shape" number: 2 type: TYPE_MESSAGE type_name: ".TensorShapeProto" }
  field { name: "offset" number: 4 type: TYPE_INT64 label: LABEL_OPTIONAL }
  field { name: "size" number: 5 type: TYPE_INT64 label: LABEL_OPTIONAL }
}
"""


def read_tensors(index: Path, data: Path) -> dict[str, npt.NDArray[np.float32]]:
    """All float32 tensors by name. Raises ValueError if the files are not what they should be."""
    table = index.read_bytes()
    raw = np.memmap(data, dtype=np.uint8, mode="r")
    tensors = {}
    try:
        for key, value in _entries(table):
            entry = _ENTRY.FromString(value)
            if key and entry.dtype == _FLOAT:
                tensor = raw[entry.offset : entry.offset + entry.size].view("<f4")
                tensors[key.decode()] = tensor.reshape([dim.size for dim in entry.shape.dim])
    except (DecodeError, IndexError, struct.error) as error:
        raise ValueError(f"{index.name} is no checkpoint's index: {error}") from error
    return tensors


def _entry_type() -> Any:
    file = text_format.Parse(_PROTO, descriptor_pb2.FileDescriptorProto())
    pool = descriptor_pool.DescriptorPool()
    pool.AddSerializedFile(file.SerializeToString())
    return message_factory.GetMessageClass(pool.FindMessageTypeByName("BundleEntryProto"))


_ENTRY = _entry_type()


def _entries(table: bytes) -> Iterator[tuple[bytes, bytes]]:
    footer = table[-_FOOTER:]
    at = 0
    handle = []
    for _ in range(4):  # of the meta index and the index: offset and size each
        number, at = _read_varint(footer, at)
        handle.append(number)
    for _, where in _block(table, handle[2], handle[3]):
        offset, at = _read_varint(where, 0)
        size, _ = _read_varint(where, at)
        yield from _block(table, offset, size)


def _block(table: bytes, offset: int, size: int) -> Iterator[tuple[bytes, bytes]]:
    if table[offset + size] != 0:
        raise ValueError("a compressed checkpoint index")
    block = table[offset : offset + size]
    restarts = struct.unpack("<I", block[-4:])[0]
    end = len(block) - 4 - 4 * restarts
    at, key = 0, b""
    while at < end:
        shared, at = _read_varint(block, at)
        fresh, at = _read_varint(block, at)
        length, at = _read_varint(block, at)
        key = key[:shared] + block[at : at + fresh]
        at += fresh
        yield key, block[at : at + length]
        at += length


def _read_varint(data: bytes, at: int) -> tuple[int, int]:
    """A varint and the position after it. Raises IndexError at the end of the data."""
    value = shift = 0
    while True:
        byte = data[at]
        value |= (byte & 127) << shift
        at, shift = at + 1, shift + 7
        if byte < 128:
            return value, at
