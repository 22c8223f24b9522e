"""The exception tree of dubcast. Foreign errors are mapped to it where they enter.

    DubcastError
    ├── ConfigError            a setting is unknown or has a bad value (exit code 2)
    ├── MissingPartError       a program, library, model or element is not installed (exit code 2)
    ├── NotReachableError      what was asked for is not there (exit code 3)
    ├── FetchError             a file cannot be fetched, or is not what it should be
    │   └── ModelStoreError    a model file: the same, or it cannot be joined or converted
    ├── MediaError             the media path: input, output, media server
    │   ├── InputError         the source cannot be read or carries what we refuse
    │   └── MediaServerError   the media server does not start or answer
    ├── PolicyError            the speech service lacks a stream's language or voice (exit code 2)
    ├── StsError               the speech service refused or failed (carries code, retryable, stage)
    └── ProbeError             a recording cannot be measured

`retryable` says whether the same call may succeed later; retrying itself happens in one
place only (the STS client, the supervisors), never inside a provider.
"""

from __future__ import annotations


class DubcastError(Exception):
    """Base of every error that dubcast raises on purpose. The message says the way out."""

    retryable = False
    exit_code = 1


class ConfigError(DubcastError):
    """A setting is unknown or has a bad value. The message names it, its value and the choices."""

    exit_code = 2


class MissingPartError(DubcastError):
    """A program, library, model or GStreamer element is missing. The message says how to get it."""

    exit_code = 2


class NotReachableError(DubcastError):
    """A service that is needed does not answer, or does not start."""

    retryable = True
    exit_code = 3


class FetchError(DubcastError):
    """A file cannot be fetched, or is not what it should be."""


class ModelStoreError(FetchError):
    """A model file cannot be fetched, joined or verified."""


class MediaError(DubcastError):
    """Something on the media path failed."""

    retryable = True
    exit_code = 3


class InputError(MediaError):
    """The source cannot be read, or carries what dubcast refuses (`retryable` is False then)."""

    def __init__(self, message: str, *, reason: str = "input", retryable: bool = True) -> None:
        super().__init__(message)
        self.reason = reason
        self.retryable = retryable
        self.exit_code = 3 if retryable else 2


class MediaServerError(MediaError):
    """The media server does not start, does not answer, or refused a call."""


class PolicyError(DubcastError):
    """The speech service lacks the language or voice of a stream; the message lists what it has."""

    reason = "policy_refused"
    exit_code = 2


class StsError(DubcastError):
    """The speech service refused or failed one fragment.

    `code` is one of the contract's error codes (`INVALID_INPUT`, `UNAUTHORIZED`, `OVERLOADED`,
    `TIMEOUT`, `MODEL_ERROR`, `UNAVAILABLE`), or one of the client's own: `INVALID_REPLY` (what came
    is no dub of this fragment), `OTHER_REPLY` (it does not go on where the one before broke off),
    `BREAKER_OPEN` (no endpoint is to be called now). `stage` names the pipeline stage, or is None.
    """

    def __init__(
        self,
        code: str,
        message: str,
        *,
        retryable: bool,
        stage: str | None = None,
        retry_after_s: float | None = None,
    ) -> None:
        super().__init__(message)
        self.code = code
        self.exit_code = 3 if code == "UNAVAILABLE" else 1
        self.retryable = retryable
        self.stage = stage
        self.retry_after_s = retry_after_s


class ProbeError(DubcastError):
    """A recording cannot be measured: the message says what it lacks."""
