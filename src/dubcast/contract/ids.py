"""Stream identity and the media-server paths that follow from it."""

from __future__ import annotations

import re
from typing import Annotated

from pydantic import StringConstraints

STREAM_ID_PATTERN = r"^[a-z0-9][a-z0-9_-]{0,63}$"
_STREAM_ID = re.compile(STREAM_ID_PATTERN)
_INGEST = re.compile(r"^live/([a-z0-9][a-z0-9_-]{0,63})/in$")

_OUTPUT = re.compile(r"^live/[a-z0-9][a-z0-9_-]{0,63}/out(-[A-Za-z0-9-]{1,16})?$")

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


def is_output_path(path: str) -> bool:
    """True for `live/<id>/out`, and for `live/<id>/out-<tag>`."""
    return _OUTPUT.fullmatch(path) is not None


def ingest_path_fault(path: str) -> str | None:
    """Which rule of `live/<id>/in` a path breaks, for whoever tried to publish there; else None."""
    if stream_id_of_ingest(path) is not None:
        return None
    wanted = "publish to live/<id>/in"
    if not path.isascii():
        return f"{wanted}: an id is of a-z, 0-9, - and _, without accents or other letters"
    if "//" in path or path.startswith("/") or path.endswith("/"):
        return f"{wanted}: there is a slash too many"
    parts = path.split("/")
    if is_output_path(path):
        return f"{wanted}: {parts[2]} is where the dubbed stream comes out"
    if parts[0] != "live":
        return f"{wanted}: the first part is live"
    if len(parts) != 3 or parts[2] != "in":
        return f"{wanted}: the id and /in are missing or there is more than that"
    return f"{wanted}: {_id_fault(parts[1])}"


def _id_fault(stream_id: str) -> str:
    if stream_id != stream_id.lower():
        return "an id has no capital letters"
    if len(stream_id) > 64:
        return "an id has at most 64 characters"
    if stream_id[:1] in {"-", "_"}:
        return "an id begins with a letter or a digit"
    return "an id is of a-z, 0-9, - and _"
