"""A destination tried without going live: connected to, told the key, sent no media."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass

from dubcast.contract.streams import EgressFailure
from dubcast.egress import words
from dubcast.egress.relay import Target, refusal
from dubcast.rtmp.address import Address
from dubcast.rtmp.client import Phase, Purpose
from dubcast.rtmp.connection import Connection, open_following
from dubcast.rtmp.errors import RtmpError

# Who closes, mostly does it at once; who does not answer is not waited for longer.
_WATCH_S = 2.0
_ANSWER_S = 10.0
_STEPS = {
    Phase.HANDSHAKE: "it does not answer",
    Phase.CONNECTING: "it does not answer to the application's name",
    Phase.CREATING: "it does not answer to the application's name",
    Phase.ASKING: f"it does not answer to the key: {words.ASK}",
}


@dataclass(frozen=True)
class Verdict:
    """What was found: `lines` for people, without the key."""

    accepted: bool
    lines: tuple[str, ...]


async def tried(target: Target, secret: str) -> Verdict:
    """Connect, ask to publish, and leave. `secret`: the URL, whose parts are not told."""
    trial = _Trial()
    try:
        async with asyncio.timeout(_ANSWER_S):
            await open_following(target.address, trial.make, target.trust)
        return await trial.watched()
    except TimeoutError:
        return trial.failed(_STEPS[trial.last.phase])
    except RtmpError as error:
        ending = refusal(error)
        told = words.without_secret(ending.words, secret)
        asks = ending.failure in (EgressFailure.LOST, EgressFailure.REFUSED)
        return trial.failed(f"{told}: {words.ASK}" if asks else told)
    finally:
        await trial.last.leave()


class _Trial:
    """One trial, over as many connections as the server has us make."""

    def __init__(self) -> None:
        self._lines: list[str] = []
        self.last: Connection

    def make(self, address: Address) -> Connection:
        again = "redirected to " if self._lines else ""
        self._lines.append(f"{again}{address.scheme}://{address.host}:{address.port}")
        self.last = Connection(address, Purpose.PUBLISH)
        return self.last

    async def watched(self) -> Verdict:
        """Of a destination that took the key: whether it stays."""
        await asyncio.wait({self.last.ended}, timeout=_WATCH_S)
        if self.last.ended.done():
            raise self.last.ended.result()
        self._lines.append("accepted: it takes the key; no media was sent, so nothing went live")
        self._lines.append("a platform that looks at the key only when media comes says yes too")
        return Verdict(True, tuple(self._lines))

    def failed(self, why: str) -> Verdict:
        return Verdict(False, (*self._lines, f"not accepted: {why}"))
