"""Values that show themselves only when they are asked to.

A key, or a URL that carries one, has a type of its own: whatever prints it (repr, str, format,
JSON, a log line, an error with its traceback) prints asterisks. `get_secret_value()` lays it
open, for a header or the environment of a child process.
"""

from __future__ import annotations

from typing import Any, NoReturn, Self
from urllib.parse import urlsplit

from pydantic import SecretStr

MASK = "********"


class Secret(SecretStr):
    """A key, password or token."""

    def _display(self) -> str:
        return MASK

    def __format__(self, spec: str) -> str:
        return format(str(self), spec)

    def __copy__(self) -> Self:
        return self

    def __deepcopy__(self, _memo: Any) -> Self:
        return self

    def __reduce__(self) -> NoReturn:
        raise TypeError("a secret is not pickled: hand over what get_secret_value() returns")


def without_key(text: str, key: Secret | None) -> str:
    """A library's or a service's words without the key, if they repeat it."""
    return text.replace(key.get_secret_value(), MASK) if key is not None else text


class SecretUrl(Secret):
    """A URL that carries a key somewhere; only its scheme, host and port are shown."""

    def _display(self) -> str:
        try:
            parts = urlsplit(self.get_secret_value())
            port = f":{parts.port}" if parts.port is not None else ""
        except ValueError:  # an address in brackets that is none, a port that is no number
            return MASK
        if not parts.scheme or not parts.hostname:
            return MASK
        host = f"[{parts.hostname}]" if ":" in parts.hostname else parts.hostname
        return f"{parts.scheme}://{host}{port}/***"
