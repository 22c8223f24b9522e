"""The speech service's error codes and their HTTP statuses: the one table, for both sides.

The status is the contract's word; a body that says otherwise does not change whose fault it is.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

ErrorCode = Literal[
    "INVALID_INPUT", "UNAUTHORIZED", "OVERLOADED", "TIMEOUT", "MODEL_ERROR", "UNAVAILABLE"
]


@dataclass(frozen=True)
class StatusMeaning:
    """What an HTTP status of the service says. `retryable`: the same call may succeed later."""

    code: ErrorCode
    text: str
    retryable: bool = False
    foreign: bool = False  # of a proxy in between; the service itself never answers it


STATUSES: dict[int, StatusMeaning] = {
    400: StatusMeaning("INVALID_INPUT", "the body is not JSON, or did not come in time"),
    401: StatusMeaning("UNAUTHORIZED", "no key"),
    403: StatusMeaning("UNAUTHORIZED", "the key is wrong"),
    413: StatusMeaning("INVALID_INPUT", "the body is larger than 16 MiB"),
    415: StatusMeaning("INVALID_INPUT", "the content type is no fragment's"),
    422: StatusMeaning("INVALID_INPUT", "a field is wrong, or the language or voice is unknown"),
    429: StatusMeaning("OVERLOADED", "too many calls", retryable=True, foreign=True),
    500: StatusMeaning("MODEL_ERROR", "a model failed", retryable=True),
    502: StatusMeaning("MODEL_ERROR", "no good reply", retryable=True, foreign=True),
    503: StatusMeaning("OVERLOADED", "come back after Retry-After seconds", retryable=True),
    504: StatusMeaning("TIMEOUT", "not done within timeout_ms", retryable=True),
}
# The status of a code, where nothing more is known than the code.
_USUAL: dict[str, int] = {
    "INVALID_INPUT": 422,
    "UNAUTHORIZED": 401,
    "OVERLOADED": 503,
    "TIMEOUT": 504,
    "MODEL_ERROR": 500,
}
_UNKNOWN = StatusMeaning("MODEL_ERROR", "not in the contract")


def meaning_of(status: int) -> StatusMeaning:
    """What a reply with this status says; one that is not listed is the service's fault."""
    return STATUSES.get(status, _UNKNOWN)


def usual_status(code: str) -> int:
    """The HTTP status for an error code. Raises KeyError for one that the service does not send."""
    return _USUAL[code]
