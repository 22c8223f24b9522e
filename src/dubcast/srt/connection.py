"""The edge of a stream that is sent by SRT: one call, on asyncio's loop.

libsrt has threads of its own; what it knows is looked at now and then, as it tells nobody.
"""

from __future__ import annotations

import asyncio
import socket
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from typing import Any, NamedTuple

from dubcast.clock import NS_PER_MS, Clock, SystemClock, s_to_ns
from dubcast.config import SrtAddress
from dubcast.errors import MissingPartError
from dubcast.flv import Tag
from dubcast.mpegts import TsMuxer
from dubcast.srt.library import CONNECT_MS, TIMED_OUT, SrtSocket, State
from dubcast.wire import (
    ClosedError,
    NotCarriedError,
    Phase,
    RejectedError,
    UnreachableError,
    WireError,
)

_LOOK_S = 0.02
# While libsrt takes all at once: a look wakes the process, which costs more than the look.
_CALM_LOOK_S = 0.25
_FIRST_MS = (
    2_000  # for an address that is not the last one: by UDP nobody says that it is not there
)
# What may be with libsrt and not taken: the rest waits with the caller, who knows what may be left
# out. At a round trip of 0.2 s it is 40 Mbit/s.
_MOST_WAITING = 1024 * 1024
_LINGER_S = 2.0
# A receiver holds packets for the latency before it hands them on; so much is no lag.
_BESIDES_LATENCY_NS = s_to_ns(0.5)


class _Sent(NamedTuple):
    """Something was handed over: when, and how many packets and bytes before it."""

    at_ns: int
    packets: int
    sent: int


class SrtConnection:
    """One connection: `open` it once, then `send` and `flush`, and look at `ended`.

    `on_room` is called when more may be sent again.
    """

    # Two pictures of 25 a second: a receiver holds what comes for its latency, which is longer.
    gathers_s = 0.06

    def __init__(
        self,
        address: SrtAddress,
        *,
        on_room: Callable[[], None] = lambda: None,
        clock: Clock | None = None,
    ) -> None:
        self.address = address
        self.ended: asyncio.Future[WireError] = asyncio.get_running_loop().create_future()
        self.phase = Phase.HANDSHAKE
        self.full = False  # more is not to be sent now
        self.sent = 0  # bytes of MPEG-TS
        self._on_room = on_room
        self._clock = clock or SystemClock()
        self._muxer = TsMuxer()
        self._socket: SrtSocket | None = None
        self._waiting = bytearray()  # what libsrt has not taken
        self._packets = 0  # of libsrt, sent so far
        self._history: deque[_Sent] = deque()  # from the first on that may be unread
        self._widest = 0  # packets that the peer's buffer has had room for
        self._looking: asyncio.Task[None] | None = None

    @property
    def acknowledged(self) -> int | None:
        """Of RTMP; by SRT `unsent` knows it all."""
        return None

    async def open(self) -> None:
        """Call, and return when the peer takes the stream.

        Raises UnreachableError, RejectedError or ClosedError; then, and when it is cancelled, the
        connection is closed.
        """
        try:
            await self._call()
        except MissingPartError as error:
            raise UnreachableError(str(error)) from error
        except BaseException:  # cancelled too: no socket is left behind, and it goes on up
            self.abort()
            raise
        self.phase = Phase.RUNNING
        self._looking = asyncio.create_task(self._look(), name="srt")

    async def _call(self) -> None:
        """Call each address of the host in turn, until one answers."""
        last: WireError = UnreachableError("its name has no address")
        places = await self._addresses()
        for number, (family, host) in enumerate(places, 1):
            self._drop()
            is_last = number == len(places)
            self._socket = SrtSocket(self.address, CONNECT_MS if is_last else _FIRST_MS)
            self._socket.connect(family, host, self.address.port)
            while self._socket.state is State.CONNECTING:  # noqa: ASYNC110  # nobody tells
                await asyncio.sleep(_LOOK_S)
            if self._socket.state is State.CONNECTED:
                return
            code, words = self._socket.rejection()
            if not code:
                raise ClosedError("it closed the connection", Phase.RUNNING)
            if code != TIMED_OUT:
                raise RejectedError(f"SRT {code}", words)
            last = UnreachableError("it does not answer")
        raise last

    async def _addresses(self) -> list[tuple[int, str]]:
        loop = asyncio.get_running_loop()
        try:
            found = await loop.getaddrinfo(
                self.address.host, self.address.port, type=socket.SOCK_DGRAM
            )
        except OSError as error:
            raise UnreachableError(error.strerror or str(error)) from error
        return [(family, str(place[0])) for family, _, _, _, place in found]

    async def ended_or(self, other: asyncio.Future[Any]) -> None:
        """Wait until the connection has ended, or `other` is done."""
        both: set[asyncio.Future[Any]] = {self.ended, other}
        await asyncio.wait(both, return_when=asyncio.FIRST_COMPLETED)

    def send(self, tag: Tag) -> None:
        """Send a tag of the stream, with `flush`; one that SRT has no place for ends the
        connection."""
        try:
            packets = self._muxer.take(tag)
        except NotCarriedError as error:
            self._end(error)
            return
        if packets and not self.ended.done():
            self.sent += len(packets)
            self._waiting += packets
            self.full = self.full or len(self._waiting) > _MOST_WAITING

    def flush(self) -> None:
        """Hand over what was sent: all of it together fills the fewest packets of SRT."""
        if self._socket is not None and self._waiting:
            self.full = self._hand_over() > _MOST_WAITING or self.full

    def unsent(self) -> int:
        """Bytes that the peer has not taken: not acknowledged, or acknowledged and left unread."""
        if self._socket is None:
            return 0
        told = self._socket.statistics()
        waiting = len(self._waiting) + self._socket.unacknowledged()
        return max(waiting, self._unread(told.flow_window, told.latency_ms))

    async def leave(self) -> None:
        """Close; what was sent before still goes, if it goes soon."""
        try:
            with suppress(TimeoutError):
                async with asyncio.timeout(_LINGER_S):
                    while self._is_up() and self._hand_over():  # noqa: ASYNC110  # nobody tells
                        await asyncio.sleep(_LOOK_S)
        finally:
            self.abort()

    def abort(self) -> None:
        """Close now; twice is harmless."""
        if self._looking is not None:
            self._looking.cancel()
        self.phase = Phase.OVER
        self._drop()

    # -- how it stands ----------------------------------------------------------------------

    def _drop(self) -> None:
        if self._socket is not None:
            self._socket.close()
            self._socket = None

    def _is_up(self) -> bool:
        return self._socket is not None and self._socket.state is State.CONNECTED

    def _unread(self, window: int, latency_ms: int) -> int:
        """Bytes since what the peer has read last, if it holds them for longer than it should.

        `window`: packets for which its buffer has room.
        """
        self._widest = max(self._widest, window)
        read = self._packets - (self._widest - window)
        while len(self._history) > 1 and self._history[1].packets <= read:
            self._history.popleft()
        if not self._history:
            return 0
        oldest = self._history[0]
        held_ns = self._clock.monotonic_ns() - oldest.at_ns
        is_late = held_ns > _BESIDES_LATENCY_NS + latency_ms * NS_PER_MS
        return self.sent - oldest.sent if read < self._packets and is_late else 0

    async def _look(self) -> None:
        """See whether the connection is there, and has room again."""
        while self._is_up():
            self._hand_over()
            unsent = self.unsent()
            if self.full and unsent < _MOST_WAITING // 2:
                self.full = False
                self._on_room()
            self.full = self.full or unsent > _MOST_WAITING
            await asyncio.sleep(_LOOK_S if self._waiting or self.full else _CALM_LOOK_S)
        self._end(ClosedError("it closed the connection", Phase.RUNNING))

    def _hand_over(self) -> int:
        """Give libsrt what it takes; returns how many bytes are on their way or wait for it."""
        assert self._socket is not None
        before = _Sent(*(self._clock.monotonic_ns(), self._packets, self.sent - len(self._waiting)))
        if self._waiting and (taken := self._socket.send(self._waiting, self.address.payload)):
            del self._waiting[:taken]
            self._packets += -(-taken // self.address.payload)
            self._history.append(before)
        return len(self._waiting) + self._socket.unacknowledged()

    def _end(self, error: WireError) -> None:
        if not self.ended.done():
            self.ended.set_result(error)
        self.abort()
