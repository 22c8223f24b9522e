"""What a file is, by its first bytes: its name need not say so."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path


class Container(StrEnum):
    """Those whose timestamps are had in a way of their own."""

    FLV = "flv"
    MATROSKA = "matroska"  # WebM too
    OTHER = "other"


_MAGIC = {b"FLV\x01": Container.FLV, b"\x1a\x45\xdf\xa3": Container.MATROSKA}


def container_of(path: Path) -> Container:
    """The container of a file; OTHER too for one that cannot be read."""
    try:
        with path.open("rb") as file:
            return _MAGIC.get(file.read(4), Container.OTHER)
    except OSError:
        return Container.OTHER
