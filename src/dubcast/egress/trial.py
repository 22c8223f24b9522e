"""A destination tried without going live: connected to, told the key, sent no media."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass

from dubcast.contract.streams import EgressFailure
from dubcast.egress import words
from dubcast.egress.outgoing import Outgoing, Target, opened
from dubcast.egress.relay import refusal
from dubcast.wire import Phase, WireError

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
            await opened(target, trial.made)
        return await trial.watched()
    except TimeoutError:
        return trial.failed(_STEPS[trial.last.phase])
    except WireError as error:
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
        self.last: Outgoing

    def made(self, one: Outgoing) -> None:
        """A connection is being opened."""
        again = "redirected to " if self._lines else ""
        self._lines.append(f"{again}{one.address.scheme}://{one.address.host}:{one.address.port}")
        self.last = one

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
