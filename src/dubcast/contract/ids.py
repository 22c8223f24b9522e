"""Stream identity and the media-server paths that follow from it."""

from __future__ import annotations

import re
from typing import Annotated

from pydantic import StringConstraints

STREAM_ID_PATTERN = r"^[a-z0-9][a-z0-9_-]{0,63}$"
_STREAM_ID = re.compile(STREAM_ID_PATTERN)
_INGEST = re.compile(r"^live/([a-z0-9][a-z0-9_-]{0,63})/in$")

StreamId = Annotated[str, StringConstraints(pattern=STREAM_ID_PATTERN)]


def is_stream_id(text: str) -> bool:
    """True if `text` may name a stream."""
    # fullmatch: `$` alone would let a trailing newline pass.
    return _STREAM_ID.fullmatch(text) is not None


def ingest_path(stream_id: str) -> str:
    """Where a publisher sends: `live/<id>/in`."""
    return f"live/{stream_id}/in"


def output_path(stream_id: str) -> str:
    """Where the dubbed stream is published: `live/<id>/out`."""
    return f"live/{stream_id}/out"


def stream_id_of_ingest(path: str) -> str | None:
    """The stream id of an ingest path, or None if `path` is not one."""
    match = _INGEST.fullmatch(path)
    return match.group(1) if match else None
