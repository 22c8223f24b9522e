"""The connection to a destination, whatever it is spoken."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Literal, Protocol

from dubcast.config import SrtAddress
from dubcast.flv import Tag
from dubcast.rtmp.address import Address
from dubcast.rtmp.client import Purpose
from dubcast.rtmp.connection import Connection, Trust, open_following
from dubcast.wire import Phase, WireError


@dataclass(frozen=True)
class Target:
    """A destination: where it is, whom to believe there, and what to do when it is slow."""

    address: Address | SrtAddress
    trust: Trust = field(default_factory=Trust)
    when_slow: Literal["wait", "skip"] = "skip"
    max_lag_s: float = 8.0


class Outgoing(Protocol):
    """What a relay needs of a connection that it sends a stream by."""

    ended: asyncio.Future[WireError]
    full: bool  # more is not to be sent now
    sent: int  # bytes so far
    gathers_s: float  # of the stream, sent at once

    @property
    def address(self) -> Address | SrtAddress: ...

    @property
    def phase(self) -> Phase: ...

    @property
    def acknowledged(self) -> int | None:
        """Bytes that the peer itself says it took; None if it never said."""

    def send(self, tag: Tag) -> None:
        """Send a tag, at the latest with the next `flush`."""

    def flush(self) -> None:
        """Put on its way what was sent."""

    def unsent(self) -> int:
        """Bytes that the peer has not taken."""

    async def ended_or(self, other: asyncio.Future[Any]) -> None: ...

    async def leave(self) -> None: ...

    def abort(self) -> None: ...


async def opened(
    target: Target,
    made: Callable[[Outgoing], None],
    *,
    on_room: Callable[[], None] = lambda: None,
) -> Outgoing:
    """An open connection to a destination; `made` is told of each one that is tried.

    Raises a WireError.
    """
    if isinstance(target.address, SrtAddress):
        return await _by_srt(target.address, made, on_room)

    def make(address: Address) -> Connection:
        one = Connection(address, Purpose.PUBLISH, on_room=on_room)
        made(one)
        return one

    return await open_following(target.address, make, target.trust)


async def _by_srt(
    address: SrtAddress, made: Callable[[Outgoing], None], on_room: Callable[[], None]
) -> Outgoing:
    from dubcast.srt.connection import SrtConnection

    one = SrtConnection(address, on_room=on_room)
    made(one)
    await one.open()
    return one
