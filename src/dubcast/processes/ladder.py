"""The one ladder to the end of a process: it is asked, given time, and killed.

A ladder is a tuple of rungs, plain data. `climb` and `climb_async` walk it for those who can wait;
`Climb` says what is due to those who only look now and then, and is pure.
"""

from __future__ import annotations

import asyncio
import contextlib
import signal
import subprocess
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import TypeVar

from dubcast.clock import s_to_ns

T = TypeVar("T")


@dataclass(frozen=True)
class Rung:
    """A signal, and how long its effect is waited for before the next rung."""

    number: signal.Signals | None  # None: none is needed yet, its input has ended
    wait_s: float | None  # None: for as long as it takes


KILL = (Rung(signal.SIGKILL, None),)


def term_then_kill(term_s: float) -> tuple[Rung, ...]:
    """SIGTERM, `term_s` seconds to end in order, SIGKILL."""
    return (Rung(signal.SIGTERM, term_s), *KILL)


class Climb:
    """A ladder that is being climbed. Times in ns, no clock."""

    def __init__(self, rungs: tuple[Rung, ...], now_ns: int) -> None:
        self._rungs = list(rungs)
        self._due_ns = now_ns

    def due(self, now_ns: int) -> signal.Signals | None:
        """The signal that is to be sent now; each one once, and None in between."""
        while self._rungs and now_ns >= self._due_ns:
            rung = self._rungs.pop(0)
            if rung.wait_s is None:
                self._rungs.clear()
            else:
                self._due_ns = now_ns + s_to_ns(rung.wait_s)
            if rung.number is not None:
                return rung.number
        return None


def climb(
    rungs: tuple[Rung, ...],
    send: Callable[[signal.Signals], None],
    ended: Callable[[float | None], bool],
) -> bool:
    """Climb until `ended`, which waits so many seconds, says so; whether it did."""
    for rung in rungs:
        if rung.number is not None:
            send(rung.number)
        if ended(rung.wait_s):
            return True
    return False


async def climb_async(
    rungs: tuple[Rung, ...],
    send: Callable[[signal.Signals], None],
    ended: Callable[[], Awaitable[T]],
) -> T:
    """Climb until what `ended` returns is done; its result."""
    ending = asyncio.ensure_future(ended())
    try:
        for rung in rungs:
            if rung.number is not None:
                send(rung.number)
            await asyncio.wait({ending}, timeout=rung.wait_s)
            if ending.done():
                break
        return await ending
    finally:
        ending.cancel()


def end_popen(process: subprocess.Popen[bytes], term_s: float) -> int:
    """End a child by the ladder; its exit code. Harmless if it has ended."""

    def ended(wait_s: float | None) -> bool:
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(wait_s)
        return process.returncode is not None

    if process.poll() is None:
        climb(term_then_kill(term_s), process.send_signal, ended)
    return process.wait()


async def end_subprocess(process: asyncio.subprocess.Process, term_s: float) -> int:
    """The same for a child of asyncio's."""

    def send(number: signal.Signals) -> None:
        with contextlib.suppress(ProcessLookupError):
            process.send_signal(number)

    if process.returncode is not None:
        return process.returncode
    return await climb_async(term_then_kill(term_s), send, process.wait)
