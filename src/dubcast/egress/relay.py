"""One try: the stream read from the media server, and sent to one destination as it is.

Whole tags pass, in their order, at their own times up to one constant; nothing is analysed and
nothing decoded. All runs on one event loop.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass

from dubcast.clock import Clock
from dubcast.contract.streams import EgressFailure
from dubcast.egress.flow import Flow
from dubcast.egress.joiner import Joiner
from dubcast.egress.outgoing import Outgoing, Target, opened
from dubcast.egress.tag_queue import TagQueue
from dubcast.flv import Tag
from dubcast.rtmp.address import Address
from dubcast.rtmp.client import Purpose
from dubcast.rtmp.connection import Connection, open_following
from dubcast.wire import (
    CertificateError,
    ClosedError,
    MalformedError,
    NotCarriedError,
    Phase,
    RejectedError,
    WireError,
)

# Of the stream, read at once: more than the sound between two pictures, less than a picture; at
# most what is read without waiting.
_BATCH_BYTES, _MOST_BATCH_BYTES = 1024, 60 * 1024
# Phases in which the destination knows the key.
_TOLD_KEY = (Phase.ASKING, Phase.RUNNING, Phase.OVER)


@dataclass(frozen=True)
class Ending:
    """Why a try ended, and in which words; those may hold keys."""

    failure: EgressFailure
    words: str


@dataclass(frozen=True)
class Look:
    """How a try stands. Counts in bytes of media, rates in Mbit/s."""

    taken: int = 0
    waiting: int = 0  # not yet taken
    lag_s: float = 0.0
    slow: bool = False
    rates: tuple[float, float] = (0.0, 0.0)  # taken, arrived
    skips: int = 0


def batch_bytes(arrives: float, gathers_s: float) -> int:
    """How much of a stream is read at once. `arrives`: Mbit/s; `gathers_s`: of the destination."""
    wanted = round(arrives * 1e6 / 8 * gathers_s)
    return min(max(wanted, _BATCH_BYTES), _MOST_BATCH_BYTES)


class Relay:
    """One try, from `run` to its end. `stop` and `cut` end it early, in order or at once."""

    def __init__(self, source: Address, target: Target, clock: Clock) -> None:
        self._source_address, self._target, self._clock = source, target, clock
        self._joiner, self._queue, self._flow = Joiner(), TagQueue(), Flow()
        self._source: Connection | None = None
        self._destination: Outgoing | None = None
        self._ready = False  # the destination takes media
        self._begun_bytes = 0  # sent to the destination before its first media
        self._first_tag = asyncio.Event()
        self._work: asyncio.Task[Ending] | None = None

    async def run(self) -> Ending:
        """Relay until either end goes away, or `stop`."""
        self._work = asyncio.create_task(self._carry(), name="relay")
        try:
            await asyncio.wait({self._work})
            return self._silent() if self._work.cancelled() else self._work.result()
        finally:
            self._work.cancel()
            both = [one for one in (self._source, self._destination) if one is not None]
            await asyncio.gather(*(one.leave() for one in both))

    def stop(self) -> None:
        """End in order: what was sent still goes."""
        if self._work is not None:
            self._work.cancel()

    def cut(self) -> None:
        """End at once."""
        self.stop()
        for one in (self._source, self._destination):
            if one is not None:
                one.abort()

    def look(self) -> Look:
        """Take stock, and leave out what is too late for a slow destination. Now and then."""
        if self._source is not None:
            self._source.batches.hurry()
            gathers_s = self._destination.gathers_s if self._destination is not None else 0.0
            self._source.batches.at_least(batch_bytes(self._flow.rates[1], gathers_s))
        destination = self._destination
        if destination is None or not self._ready:
            return Look()
        now_ns, unsent = self._clock.monotonic_ns(), destination.unsent()
        lag_s = self._flow.look(
            *(now_ns, destination.sent - unsent, destination.acknowledged, self._queue.oldest_ns)
        )
        if self._target.when_slow == "skip" and lag_s > self._target.max_lag_s:
            self._queue.skip()
        return Look(
            taken=max(0, self._flow.taken - self._begun_bytes),
            waiting=destination.sent - self._flow.taken + self._queue.bytes,
            lag_s=lag_s,
            slow=self._flow.slow,
            rates=self._flow.rates,
            skips=self._queue.skipped,
        )

    # -- the way of a try -------------------------------------------------------------------

    async def _carry(self) -> Ending:
        try:
            source = await open_following(self._source_address, self._make_source)
            source.batches.at_least(_BATCH_BYTES)
            await self._first_of(source)
        except WireError as error:
            return _no_input(str(error))
        try:
            destination = await self._open_destination(source)
        except WireError as error:
            return refusal(error)
        if destination is None:
            return _no_input(str(source.ended.result()))
        self._begin(destination)
        await source.ended_or(destination.ended)
        if destination.ended.done():
            return refusal(destination.ended.result())
        return _no_input(str(source.ended.result()))

    def _make_source(self, address: Address) -> Connection:
        self._source = Connection(address, Purpose.PLAY, on_tags=self._read)
        return self._source

    def _made_destination(self, destination: Outgoing) -> None:
        self._destination = destination

    async def _first_of(self, source: Connection) -> None:
        """Wait for the first tag: a destination is not to be kept waiting for an empty stream."""
        first = asyncio.ensure_future(self._first_tag.wait())
        try:
            await source.ended_or(first)
        finally:
            first.cancel()
        if source.ended.done():
            raise source.ended.result()

    async def _open_destination(self, source: Connection) -> Outgoing | None:
        """Connect to the destination; None if the source ends before."""
        opening = asyncio.ensure_future(
            opened(self._target, self._made_destination, on_room=self._send)
        )
        try:
            await source.ended_or(opening)
            return await opening if opening.done() else None
        finally:
            opening.cancel()

    def _begin(self, destination: Outgoing) -> None:
        self._begun_bytes = destination.sent
        self._ready = True
        for tag in self._joiner.open():
            self._push(tag)
        self._send()

    def _read(self, tags: list[Tag]) -> None:
        self._first_tag.set()
        for tag in tags:
            for one in self._joiner.take(tag):
                self._push(one)
        if self._ready:
            self._send()

    def _push(self, tag: Tag) -> None:
        self._flow.arrived += len(tag.body)
        self._queue.push(tag, self._clock.monotonic_ns())

    def _send(self) -> None:
        destination = self._destination
        if destination is None or not self._ready:
            return
        while self._queue and not destination.full:
            one = self._queue.pop()
            destination.send(one.tag)
            self._flow.sent(destination.sent, one.at_ns)
        destination.flush()

    # -- why it ended -----------------------------------------------------------------------

    def _silent(self) -> Ending:
        """Of a try that was ended from here: who has not answered."""
        if self._destination is None:
            return _no_input("no media came from the media server")
        phase = self._destination.phase
        if phase is Phase.ASKING:
            return Ending(EgressFailure.LOST, "it does not answer to the key")
        if not self._ready:
            return Ending(EgressFailure.UNREACHABLE, "it does not answer")
        if not self._joiner.sent:
            return _no_input("no key frame came from the media server")
        return Ending(EgressFailure.LOST, "it took nothing for too long")


def refusal(error: WireError) -> Ending:
    """Why a destination is none, by what went wrong with its connection."""
    words = str(error)
    if isinstance(error, NotCarriedError):
        return _no_input(words)
    if isinstance(error, CertificateError):
        return Ending(EgressFailure.CERTIFICATE, words)
    if isinstance(error, RejectedError):
        return Ending(EgressFailure.REFUSED, words)
    if isinstance(error, ClosedError) and error.phase in _TOLD_KEY:
        return Ending(EgressFailure.LOST, words)
    if isinstance(error, MalformedError):
        words = f"it does not speak RTMP: {words}"
    return Ending(EgressFailure.UNREACHABLE, words)


def _no_input(words: str) -> Ending:
    return Ending(EgressFailure.INPUT_NOT_READY, f"the dubbed stream: {words}")
