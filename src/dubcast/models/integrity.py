"""Whether a file is what the manifest pins."""

from __future__ import annotations

import hashlib
from pathlib import Path

from dubcast.models.manifest import Pin

_CHUNK = 1 << 20


def fault(path: Path, pin: Pin, name: str | None = None) -> str | None:
    """What is wrong with a file (called `name` in the message), or None."""
    name = name or path.name
    size = size_of(path)
    if size is None:
        return f"{name} is missing"
    if size != pin.size:
        return f"{name} has {size} bytes, expected {pin.size}"
    got = _sha256(path)
    return None if got == pin.sha256 else f"{name} has SHA-256 {got}, expected {pin.sha256}"


def size_of(path: Path) -> int | None:
    """Bytes of a file, None if it is not there."""
    try:
        return path.stat().st_size
    except OSError:
        return None


def _sha256(path: Path) -> str:
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while block := file.read(_CHUNK):
            digest.update(block)
    return digest.hexdigest()
