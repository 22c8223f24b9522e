"""When each tag of a recording arrived: the sidecar `FILE.arrivals` beside a recorded FLV.

Eight bytes of magic, then one 16-byte record a tag, in file order: type, DTS in ms, arrival in
ns of CLOCK_MONOTONIC. So two recordings made on one machine compare.
"""

from __future__ import annotations

import struct
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from dubcast.errors import ProbeError

MAGIC = b"DCARRIV1"
_RECORD = struct.Struct("<BxxxIq")
_DTYPE = np.dtype([("kind", "u1"), ("pad", "V3"), ("dts_ms", "<u4"), ("arrival_ns", "<i8")])


def sidecar(recording: Path) -> Path:
    """Where the arrivals of `recording` lie."""
    return recording.with_name(recording.name + ".arrivals")


def record(kind: int, dts_ms: int, arrival_ns: int) -> bytes:
    """One record; the file is `MAGIC` and then these."""
    return _RECORD.pack(kind, dts_ms, arrival_ns)


def load(recording: Path) -> NDArray[np.int64] | None:
    """Arrival in ns of each tag of `recording`; None when it has no sidecar.

    Raises `ProbeError` when the sidecar is of another format.
    """
    if not sidecar(recording).exists():
        return None
    return load_rows(recording)[:, 0]


def load_rows(recording: Path) -> NDArray[np.int64]:
    """Each tag of `recording` in file order, shape (tags, 3): arrival in ns, type, DTS in ms.

    Raises `ProbeError` when the sidecar is of another format, OSError when there is none.
    """
    path = sidecar(recording)
    data = path.read_bytes()
    if not data.startswith(MAGIC):
        raise ProbeError(f"{path.name} is not an arrivals file")
    whole = (len(data) - len(MAGIC)) // _RECORD.size
    rows = np.frombuffer(data, dtype=_DTYPE, count=whole, offset=len(MAGIC))
    return np.stack([rows[name].astype(np.int64) for name in ("arrival_ns", "kind", "dts_ms")], 1)
