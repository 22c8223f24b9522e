"""AMF 0, the values of commands and script data. Pure.

Null, numbers, booleans, text, mappings and lists; what has no counterpart in Python (references,
XML) is refused. Format: Adobe's "Action Message Format -- AMF 0".
"""

from __future__ import annotations

import struct
from collections.abc import Mapping, Sequence
from typing import TypeAlias

from dubcast.wire import MalformedError

Value: TypeAlias = "bool | float | int | str | Mapping[str, Value] | Sequence[Value] | None"

_NUMBER, _BOOLEAN, _STRING, _OBJECT, _NULL, _UNDEFINED = 0, 1, 2, 3, 5, 6
_ECMA_ARRAY, _OBJECT_END, _STRICT_ARRAY, _DATE, _LONG_STRING = 8, 9, 10, 11, 12
_END = b"\x00\x00\x09"
_DEEPEST = 16


def encode(*values: Value) -> bytes:
    """The values, one after the other. Text of more than 65,535 bytes becomes a long string."""
    return b"".join(_encoded(value) for value in values)


def _encoded(value: Value) -> bytes:
    if value is None:
        return bytes([_NULL])
    if isinstance(value, bool):
        return bytes([_BOOLEAN, value])
    if isinstance(value, int | float):
        return bytes([_NUMBER]) + struct.pack(">d", value)
    if isinstance(value, str):
        data = value.encode()
        if len(data) > 0xFFFF:
            return bytes([_LONG_STRING]) + len(data).to_bytes(4) + data
        return bytes([_STRING]) + _name(value)
    if isinstance(value, Mapping):
        pairs = b"".join(_name(key) + _encoded(item) for key, item in value.items())
        return bytes([_OBJECT]) + pairs + _END
    return bytes([_STRICT_ARRAY]) + len(value).to_bytes(4) + encode(*value)


def _name(text: str) -> bytes:
    data = text.encode()
    return len(data).to_bytes(2) + data


def decode(data: bytes) -> list[Value]:
    """All values of `data`. Raises MalformedError at one that is cut or of no known kind."""
    reader = _Reader(data)
    values = []
    while reader.left:
        values.append(reader.value(0))
    return values


class _Reader:
    def __init__(self, data: bytes) -> None:
        self._data = data
        self._at = 0

    @property
    def left(self) -> int:
        return len(self._data) - self._at

    def _take(self, count: int) -> bytes:
        if count > self.left:
            raise MalformedError("AMF 0 value is cut")
        self._at += count
        return self._data[self._at - count : self._at]

    def _number(self, size: int) -> int:
        return int.from_bytes(self._take(size))

    def _text(self, size: int) -> str:
        return self._take(self._number(size)).decode(errors="replace")

    def value(self, depth: int) -> Value:
        if depth > _DEEPEST:
            raise MalformedError("AMF 0 value is nested too deep")
        kind = self._number(1)
        if kind in (_OBJECT, _ECMA_ARRAY):
            self._take(4 if kind == _ECMA_ARRAY else 0)
            return self._mapping(depth + 1)
        if kind == _STRICT_ARRAY:
            # Each value takes a byte at least: a count beyond what is there cannot be right.
            count = min(self._number(4), self.left + 1)
            return [self.value(depth + 1) for _ in range(count)]
        return self._plain(kind)

    def _plain(self, kind: int) -> Value:
        if kind in (_NUMBER, _DATE):
            (number,) = struct.unpack(">d", self._take(8))
            self._take(2 if kind == _DATE else 0)  # its time zone, which is not to be used
            return float(number)
        if kind == _BOOLEAN:
            return self._number(1) != 0
        if kind in (_STRING, _LONG_STRING):
            return self._text(2 if kind == _STRING else 4)
        if kind in (_NULL, _UNDEFINED):
            return None
        raise MalformedError(f"AMF 0 value of kind {kind}")

    def _mapping(self, depth: int) -> dict[str, Value]:
        found: dict[str, Value] = {}
        while True:
            name = self._text(2)
            if not name and self._data[self._at : self._at + 1] == bytes([_OBJECT_END]):
                self._at += 1
                return found
            found[name] = self.value(depth)
