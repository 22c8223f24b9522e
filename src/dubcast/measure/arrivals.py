"""When each tag of a recording arrived: the sidecar `FILE.arrivals` beside a recorded FLV.

Eight bytes of magic, then one 16-byte record a tag, in file order: type, whether it is media,
DTS in ms, arrival in ns of CLOCK_MONOTONIC. So two recordings made on one machine compare.
"""

from __future__ import annotations

import struct
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dubcast import flv
from dubcast.errors import ProbeError

MAGIC = b"DCARRIV2"
_RECORD = struct.Struct("<B?xxIq")
_DTYPE = np.dtype(
    [("kind", "u1"), ("media", "?"), ("pad", "V2"), ("dts_ms", "<u4"), ("arrival_ns", "<i8")]
)


def sidecar(recording: Path) -> Path:
    """Where the arrivals of `recording` lie."""
    return recording.with_name(recording.name + ".arrivals")


def record(tag: flv.Tag, arrival_ns: int) -> bytes:
    """One record; the file is `MAGIC` and then these."""
    return _RECORD.pack(tag.kind, flv.is_media(tag), tag.dts_ms, arrival_ns)


def load(recording: Path) -> NDArray[np.int64] | None:
    """Arrival in ns of each tag of `recording`; None when it has no sidecar.

    Raises `ProbeError` when the sidecar is of another format.
    """
    if not sidecar(recording).exists():
        return None
    return _records(recording)["arrival_ns"].astype(np.int64)


def load_media(recording: Path) -> NDArray[np.int64]:
    """Each frame and picture of `recording` in file order, shape (media, 3): arrival in ns, type,
    DTS in ms. A sequence header is none: it lasts no time, and may come long before the first.

    Raises `ProbeError` when the sidecar is of another format, OSError when there is none.
    """
    rows = _records(recording)
    rows = rows[rows["media"]]
    return np.stack([rows[name].astype(np.int64) for name in ("arrival_ns", "kind", "dts_ms")], 1)


def _records(recording: Path) -> NDArray[Any]:
    path = sidecar(recording)
    data = path.read_bytes()
    if not data.startswith(MAGIC):
        raise ProbeError(f"{path.name} is not an arrivals file")
    whole = (len(data) - len(MAGIC)) // _RECORD.size
    return np.frombuffer(data, dtype=_DTYPE, count=whole, offset=len(MAGIC))
