"""The edge of the RTMP client: a TCP or TLS connection on asyncio's loop."""

from __future__ import annotations

import asyncio
import contextlib
import fcntl
import os
import socket
import ssl
import struct
import sys
import termios
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from dubcast.errors import ConfigError
from dubcast.flv import Tag
from dubcast.rtmp import auth
from dubcast.rtmp.address import Address, redirected
from dubcast.rtmp.batches import Batches
from dubcast.rtmp.client import HANDSHAKE_SIZE, Client, Ended, Event, Purpose, Rejected
from dubcast.wire import (
    CertificateError,
    ClosedError,
    MalformedError,
    Phase,
    RejectedError,
    UnreachableError,
    WireError,
)

_READ_SIZE = 64 * 1024
# What may wait in this process and, unsent, in the kernel: the rest waits with the caller, who
# knows what may be left out.
_MOST_WAITING = 128 * 1024
_MOST_HOPS = 4
_LINGER_S = 2.0  # for what was sent before a connection is closed
_CLOSED = (ConnectionResetError, BrokenPipeError, ConnectionAbortedError, ssl.SSLError)


@dataclass(frozen=True)
class Trust:
    """Whose certificates are believed. `ca_file`: of its authorities alone; None: the system's."""

    verify: bool = True
    ca_file: Path | None = None

    def context(self) -> ssl.SSLContext:
        """Raises CertificateError when the file cannot be read."""
        try:
            made = ssl.create_default_context(cafile=self.ca_file)
        except (OSError, ssl.SSLError) as error:
            words = getattr(error, "strerror", None) or str(error)
            raise CertificateError(f"ca_file {self.ca_file}: {words}") from error
        if not self.verify:
            made.check_hostname = False
            made.verify_mode = ssl.CERT_NONE
        return made


def _nothing(_tags: list[Tag]) -> None:
    """Of a publisher, that is sent no media."""


class Connection(asyncio.BufferedProtocol):
    """One connection: `open` it once, then `send`, and look at `ended`.

    `on_tags` is given what is played, all that is read at a time; `on_room` is called when more may
    be sent again.
    """

    gathers_s = 0.0  # of a published stream each picture goes by itself

    def __init__(
        self,
        address: Address,
        purpose: Purpose,
        *,
        on_tags: Callable[[list[Tag]], None] = _nothing,
        on_room: Callable[[], None] = lambda: None,
    ) -> None:
        self.address = address
        self.ended: asyncio.Future[WireError] = asyncio.get_running_loop().create_future()
        self.full = False  # more is not to be sent now
        self.sent = 0  # bytes handed to the transport
        self.batches = Batches()
        self._client = Client(address, purpose, os.urandom(HANDSHAKE_SIZE))
        self._publishes = purpose is Purpose.PUBLISH
        self._leaving = False
        self._on_tags, self._on_room = on_tags, on_room
        self._started = asyncio.get_running_loop().create_future()
        self._lost = asyncio.get_running_loop().create_future()
        self._space = memoryview(bytearray(_READ_SIZE))
        self._transport: asyncio.Transport | None = None

    @property
    def phase(self) -> Phase:
        return self._client.phase

    @property
    def acknowledged(self) -> int | None:
        """Bytes that the peer says it took; None if it never said."""
        return self._client.acknowledged

    async def open(self, trust: Trust | None = None) -> None:
        """Connect, and return when the server takes the stream, or sends it.

        Raises UnreachableError, CertificateError, RejectedError, ClosedError or MalformedError;
        then, and when it is cancelled, the connection is closed.
        """
        try:
            await self._connect((trust or Trust()).context() if self.address.secure else None)
            await self.ended_or(self._started)
            if not self._started.done():
                raise self.ended.result()
        except BaseException:  # cancelled too: no socket is left behind, and it goes on up
            self.abort()
            raise

    async def _connect(self, context: ssl.SSLContext | None) -> None:
        address = self.address
        try:
            await asyncio.get_running_loop().create_connection(
                lambda: self,
                *(address.host, address.port),
                ssl=context,
                server_hostname=address.host if context else None,
                happy_eyeballs_delay=0.25,
            )
        except ssl.SSLCertVerificationError as error:
            raise CertificateError(f"its certificate: {error.verify_message}") from error
        except ssl.SSLError as error:
            raise UnreachableError(f"TLS: {error.reason or error}") from error
        except OSError as error:
            raise UnreachableError(_words(error)) from error

    async def ended_or(self, other: asyncio.Future[Any]) -> None:
        """Wait until the connection has ended, or `other` is done."""
        both: set[asyncio.Future[Any]] = {self.ended, other}
        await asyncio.wait(both, return_when=asyncio.FIRST_COMPLETED)

    def send(self, tag: Tag) -> None:
        """Send a tag of a published stream."""
        self._write(self._client.media(tag))

    def flush(self) -> None:
        """Nothing: what is sent is on its way."""

    def unsent(self) -> int:
        """Bytes that the peer's kernel has not taken yet; of TLS nearly so."""
        if self._transport is None:
            return 0
        return self._transport.get_write_buffer_size() + _outgoing(self._transport)

    async def leave(self) -> None:
        """Take leave and close; what was sent before still goes, if it goes soon.

        A publisher leaves the closing to its peer and reads until then: of a connection that is
        closed while the peer still says something, the system throws away what is on its way.
        """
        if self._transport is None:
            return
        if not self._leaving and not self._transport.is_closing():
            self._write(self._client.end())
            self._leaving = True
            if self._publishes and self._transport.can_write_eof():
                self._transport.write_eof()
            else:
                self._transport.close()  # of TLS it reads on by itself
        try:
            await asyncio.wait({self._lost}, timeout=_LINGER_S)
        finally:
            self.abort()

    def abort(self) -> None:
        """Close now; twice is harmless."""
        if self._transport is not None:
            self._transport.abort()

    def _write(self, data: bytes) -> None:
        if self._transport is None or self._transport.is_closing() or self._leaving:
            return
        if data:
            self.sent += len(data)
            self._transport.write(data)

    # -- called by the loop -----------------------------------------------------------------

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        transport.set_write_buffer_limits(high=_MOST_WAITING, low=_MOST_WAITING // 4)
        self.batches.attach(transport.get_extra_info("socket"))
        _keep_unsent_short(transport.get_extra_info("socket"))
        self._write(self._client.take_output())

    def get_buffer(self, sizehint: int) -> memoryview:
        return self._space

    def buffer_updated(self, nbytes: int) -> None:
        if self.ended.done() or self._leaving:
            return
        self.batches.came()
        try:
            events = self._client.receive(self._space[:nbytes])
        except MalformedError as error:
            self._end(error)
            return
        self._write(self._client.take_output())
        for event in events:
            self._heard(event)
        if tags := [event for event in events if isinstance(event, Tag)]:
            self._on_tags(tags)

    def connection_lost(self, exc: Exception | None) -> None:
        if exc is None or isinstance(exc, _CLOSED):
            error: WireError = ClosedError("it closed the connection", self.phase)
        else:
            error = UnreachableError(_words(exc))
        self._lost.set_result(None)
        self._end(error)

    def pause_writing(self) -> None:
        self.full = True

    def resume_writing(self) -> None:
        self.full = False
        self._on_room()

    def _heard(self, event: Event) -> None:
        if isinstance(event, Rejected):
            self._end(RejectedError(event.code, event.words, event.redirect))
        elif isinstance(event, Ended):
            self._end(ClosedError("it ended the stream", self.phase))
        elif not self._started.done():
            self._started.set_result(None)

    def _end(self, error: WireError) -> None:
        if not self.ended.done():
            self.ended.set_result(error)
        self.abort()


async def open_following(
    address: Address, make: Callable[[Address], Connection], trust: Trust | None = None
) -> Connection:
    """An open connection to `address`, or to where its server sends us, with what it asks for.

    `make` makes the connection to each address in turn. Raises what `Connection.open` does.
    """
    for _ in range(_MOST_HOPS):
        connection = make(address)
        try:
            await connection.open(trust)
        except RejectedError as error:
            further = _further(address, error)
            if further is None:
                raise
            address = further
            continue
        return connection
    raise UnreachableError("it is redirected again and again")


def _further(address: Address, error: RejectedError) -> Address | None:
    """Where to go on after a refusal; None when it is one."""
    if not error.redirect:
        return auth.answer(address, error.words, os.urandom(4).hex())
    try:
        return redirected(address, error.redirect)
    except ConfigError as bad:
        raise UnreachableError(f"it redirects, but {bad}") from error


def _words(error: Exception) -> str:
    """The system's own words, where there are some: asyncio puts addresses in their place."""
    number = getattr(error, "errno", None) or 0
    return os.strerror(number) if number > 0 else getattr(error, "strerror", None) or str(error)


def _keep_unsent_short(own: Any) -> None:
    """Of a published stream the kernel holds what is on its way, and little more."""
    with contextlib.suppress(OSError, AttributeError):
        own.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
        own.setsockopt(socket.IPPROTO_TCP, socket.TCP_NOTSENT_LOWAT, _MOST_WAITING)


def _outgoing(transport: asyncio.Transport) -> int:
    """Bytes in the kernel that the peer has not acknowledged (Linux; elsewhere 0)."""
    own = transport.get_extra_info("socket")
    if not sys.platform.startswith("linux") or own is None or own.fileno() < 0:
        return 0
    try:
        (count,) = struct.unpack("i", fcntl.ioctl(own.fileno(), termios.TIOCOUTQ, bytes(4)))
    except OSError:
        return 0
    return int(count)
