"""The binary form of a request: the same fields, the sound beside them instead of in base64.

On the wire: the length of the header (uint32, big-endian), the header (the request's JSON, its
`audio` without `data_base64`), the PCM. Pure: bytes in, a request out.
"""

from __future__ import annotations

import json
import struct
from typing import Any

from dubcast.contract.sts import StsRequest

MEDIA_TYPE = "application/vnd.dubcast.fragment"
MAX_HEADER_BYTES = 512 * 1024
_LENGTH = struct.Struct(">I")


class BadForm(ValueError):
    """What came is no header with sound after it."""


def encode(request: StsRequest) -> bytes:
    """A request as it goes over the wire."""
    fields = request.model_dump(mode="json", exclude={"audio": {"data"}})
    header = json.dumps(fields, separators=(",", ":")).encode()
    return b"".join((_LENGTH.pack(len(header)), header, request.audio.data))


def split(body: bytes) -> tuple[memoryview, memoryview]:
    """Header and PCM of a body. Raises BadForm."""
    view = memoryview(body)
    if len(view) < _LENGTH.size:
        raise BadForm("the body ends before its header")
    (length,) = _LENGTH.unpack_from(view)
    end = _LENGTH.size + length
    if length > MAX_HEADER_BYTES or end > len(view):
        raise BadForm(f"a header of {length} bytes in a body of {len(view)}")
    return view[_LENGTH.size : end], view[end:]


def decode(body: bytes) -> StsRequest:
    """The request in a body. Raises BadForm if its header is no JSON, and pydantic's
    ValidationError as the JSON form does."""
    header, pcm = split(body)
    try:
        fields: Any = json.loads(bytes(header))
    except ValueError as error:
        raise BadForm(f"not JSON: {error}") from error
    if isinstance(fields, dict) and isinstance(fields.get("audio"), dict):
        fields["audio"]["data_base64"] = bytes(pcm)
    return StsRequest.model_validate(fields)
