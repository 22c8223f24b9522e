"""A connection that carries a stream, by RTMP or SRT: how far it is, what goes wrong. Pure."""

from __future__ import annotations

from enum import StrEnum

from dubcast.errors import MediaError


class Phase(StrEnum):
    """How far a connection has come. SRT has the first and the last two."""

    HANDSHAKE = "handshake"  # the first words are sent
    CONNECTING = "connecting"  # the application is asked for
    CREATING = "creating"  # a message stream is asked for
    ASKING = "asking"  # the stream is asked for by its name: the key has been said
    RUNNING = "running"  # media flows
    OVER = "over"  # the server has ended it


class WireError(MediaError):
    """Base of the errors of a connection. The message holds the peer's words, perhaps its keys."""


class MalformedError(WireError):
    """The peer sent what is not its protocol, or more than a connection may hold."""


class UnreachableError(WireError):
    """There is no connection: name, address, port or network."""


class CertificateError(WireError):
    """The peer's certificate is not to be trusted; nothing was sent but the TLS handshake."""


class RejectedError(WireError):
    """The peer said no in its own words.

    `code` is the protocol's, `NetStream.Publish.BadName` say; `redirect` the URL that it names
    instead.
    """

    def __init__(self, code: str, words: str, redirect: str = "") -> None:
        super().__init__(f"{code}: {words}" if words else code)
        self.code = code
        self.words = words
        self.redirect = redirect


class ClosedError(WireError):
    """The peer closed the connection, or did not answer in time. `phase`: how far it had come."""

    def __init__(self, message: str, phase: Phase) -> None:
        super().__init__(message)
        self.phase = phase


class NotCarriedError(WireError):
    """The stream holds what the protocol has no place for."""
