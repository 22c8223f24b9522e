"""What can go wrong with an RTMP connection, by who says so."""

from __future__ import annotations

from dubcast.errors import MediaError


class RtmpError(MediaError):
    """Base of the errors of a connection. The message holds the peer's words, perhaps its keys."""


class MalformedError(RtmpError):
    """The peer sent what is not RTMP, or more than a connection may hold."""


class UnreachableError(RtmpError):
    """There is no connection: name, address, port or network."""


class CertificateError(RtmpError):
    """The peer's certificate is not to be trusted; nothing was sent but the TLS handshake."""


class RejectedError(RtmpError):
    """The peer said no in its own words.

    `code` is RTMP's, `NetStream.Publish.BadName` say; `redirect` the URL that it names instead.
    """

    def __init__(self, code: str, words: str, redirect: str = "") -> None:
        super().__init__(f"{code}: {words}" if words else code)
        self.code = code
        self.words = words
        self.redirect = redirect


class ClosedError(RtmpError):
    """The peer closed the connection, or did not answer in time. `phase`: how far it had come."""

    def __init__(self, message: str, phase: str) -> None:
        super().__init__(message)
        self.phase = phase
