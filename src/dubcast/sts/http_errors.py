"""Errors on the wire: HTTP status, headers and body of a `StsError`."""

from __future__ import annotations

import math
from typing import cast

from starlette.responses import Response

from dubcast.contract.errors import ErrorCode, usual_status
from dubcast.contract.sts import ErrorDetail, StsErrorBody
from dubcast.errors import StsError

INTERNAL = "internal error; the service's log has it"
"""What is told of a fault of ours."""


class Refusal(StsError):
    """A `StsError` with an HTTP status of its own, where the code alone does not give it."""

    def __init__(self, status: int, code: str, message: str, *, retryable: bool = False) -> None:
        super().__init__(code, message, retryable=retryable)
        self.status = status


def status_of(error: StsError) -> int:
    """The HTTP status of an error."""
    return error.status if isinstance(error, Refusal) else usual_status(error.code)


def detail(error: StsError) -> ErrorDetail:
    """What the caller is told of an error."""
    return ErrorDetail(
        code=cast(ErrorCode, error.code),
        message=str(error),
        retryable=error.retryable,
        stage=error.stage,
    )


def error_reply(error: StsError, fragment_id: str | None = None) -> Response:
    """The reply to a request that failed."""
    body = StsErrorBody(fragment_id=fragment_id, error=detail(error))
    headers = {}
    if error.retry_after_s is not None:
        headers["Retry-After"] = str(math.ceil(error.retry_after_s))
    status = status_of(error)
    if status == 401:
        headers["WWW-Authenticate"] = "Bearer"
    return Response(body.model_dump_json(), status, headers, media_type="application/json")
