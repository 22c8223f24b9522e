"""The separation process: `python -m dubcast.separation.process`. Frames in, frames out.

A process of its own, since foreign models may abort it, and must then end nothing else. Standard
input carries the source, standard output the background (see `wire`); end of input flushes the
tail. What libraries print goes to standard error.
"""

from __future__ import annotations

import argparse
import os
import signal
import sys
import threading
from collections import deque
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from dubcast.audio.pcm import samples_to_s
from dubcast.clock import Clock, SystemClock, process_cpu_ns
from dubcast.config import ModelsSettings
from dubcast.errors import DubcastError
from dubcast.models.store import ModelStore
from dubcast.separation.aligned_stream import AlignedStream
from dubcast.separation.choice import Ladder, benchmark, choose
from dubcast.separation.registry import create
from dubcast.separation.separator import Separator
from dubcast.separation.wire import Audio, Background, Message, Notice, Parser, encode

_READ = 1 << 16
_HELD_S = 10.0  # audio that may wait here; then the pipe fills, and the worker drops
_LAST_S = 10.0  # for the tail after the end of input, before the process ends the hard way

Create = Callable[[str], Separator]


@dataclass(frozen=True)
class Plan:
    """What to run: separators to go through, best first; `auto` begins with what is affordable."""

    order: tuple[str, ...]
    auto: bool = False


class Inbox:
    """Source audio between the thread that reads the pipe and the one that separates."""

    def __init__(self) -> None:
        self._blocks: deque[Audio] = deque()
        self._held_frames = 0
        self._ended = False
        self._changed = threading.Condition()

    @property
    def waiting_s(self) -> float:
        """Seconds of audio that wait."""
        return samples_to_s(self._held_frames)

    def put(self, audio: Audio) -> None:
        """Add a block; waits while too much is held."""
        with self._changed:
            self._changed.wait_for(lambda: self.waiting_s < _HELD_S)
            self._blocks.append(audio)
            self._held_frames += len(audio.block)
            self._changed.notify_all()

    def end(self) -> None:
        """No more will come."""
        with self._changed:
            self._ended = True
            self._changed.notify_all()

    def take(self) -> Audio | None:
        """The next block, waiting for it; None at the end."""
        with self._changed:
            self._changed.wait_for(lambda: self._blocks or self._ended)
            if not self._blocks:
                return None
            audio = self._blocks.popleft()
            self._held_frames -= len(audio.block)
            self._changed.notify_all()
            return audio


def run(plan: Plan, make: Create, inbox: Inbox, send: Callable[[Message], None]) -> None:
    """Separate until the input ends. Raises DubcastError if the separator cannot be made."""
    separator, cpu, order = _begin(plan, make)
    send(Notice("ready", separator.name, separator.latency, cpu))
    separation = _Separation(separator, Ladder(order), make, send)
    while (audio := inbox.take()) is not None:
        separation.separate(audio, inbox.waiting_s)
    separation.finish()


def _begin(plan: Plan, make: Create) -> tuple[Separator, float, tuple[str, ...]]:
    """The first separator, its CPU seconds per second, and it with those that may follow."""
    made: dict[str, Separator] = {}

    def measure(name: str) -> float | None:
        try:
            made[name] = make(name)
        except DubcastError as error:
            if not plan.auto or name == plan.order[-1]:
                raise
            print(f"separation: {name} is not available: {error}", file=sys.stderr)
            return None
        return benchmark(made[name], process_cpu_ns)

    if plan.auto:
        name, cpu = choose(measure, plan.order)
    else:
        name = plan.order[0]
        cpu = measure(name) or 0.0
    return made[name], cpu, plan.order[plan.order.index(name) :]


class _Separation:
    """Sends the backgrounds of one stream, and changes the separator when it is late."""

    def __init__(
        self,
        separator: Separator,
        ladder: Ladder,
        make: Create,
        send: Callable[[Message], None],
        clock: Clock | None = None,
    ) -> None:
        self._stream = AlignedStream(separator)
        self._ladder = ladder
        self._make = make
        self._send = send
        self._clock = clock or SystemClock()

    def separate(self, audio: Audio, waiting_s: float) -> None:
        self._deliver(self._stream.feed(audio.start, audio.block))
        name = self._ladder.observe(self._clock.monotonic_ns(), waiting_s)
        if name is not None:
            self._change(name, waiting_s)

    def finish(self) -> None:
        self._deliver(self._stream.finish())

    def _deliver(self, results: Iterable[Background]) -> None:
        for result in results:
            self._send(result)

    def _change(self, name: str, waiting_s: float) -> None:
        late = waiting_s >= self._ladder.policy.late_s
        reason = f"{waiting_s:.1f} s of audio waited" if late else "the machine is calm again"
        try:
            separator = self._make(name)
        except DubcastError as error:
            print(f"separation: {name} is not available: {error}", file=sys.stderr)
            self._ladder.drop()
            return
        self._deliver(self._stream.change(separator))
        self._send(Notice("changed", separator.name, separator.latency, reason=reason))


def read(source: int, inbox: Inbox) -> None:
    """Thread: the pipe's audio into the inbox, until its end; then see that the process ends."""
    parser = Parser()
    try:
        while data := os.read(source, _READ):
            for message in parser.feed(data):
                if isinstance(message, Audio):
                    inbox.put(message)
    finally:
        inbox.end()
    # A model that hangs must not outlive the worker, which may be gone.
    threading.Event().wait(_LAST_S)
    os._exit(3)


def main(arguments: Sequence[str] | None = None, make: Create | None = None) -> int:
    """Run the process; returns its exit code: 0 at the end of input, 2 if it cannot start."""
    given = _parsed(arguments)
    out = _take_stdout()
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the worker ends us, also at Ctrl-C
    os.nice(given.nice)
    store = ModelStore(ModelsSettings(dir=given.models))
    inbox = Inbox()
    threading.Thread(target=read, args=(0, inbox), name="input", daemon=True).start()

    def send(message: Message) -> None:
        out.write(encode(message))
        out.flush()

    try:
        plan = Plan(tuple(given.order.split(",")), given.auto)
        run(plan, make or (lambda name: create(name, store)), inbox, send)
    except BrokenPipeError:
        return 0  # the worker went away
    except DubcastError as error:
        send(Notice("failed", reason=str(error)))
        return 2
    return 0


def _parsed(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="separation process of a dubcast worker")
    parser.add_argument("--order", required=True, help="separators, best first, with commas")
    parser.add_argument("--auto", action="store_true", help="begin with one that is affordable")
    parser.add_argument("--models", type=Path, default=None, help="folder of the models")
    parser.add_argument("--nice", type=int, default=0, help="added to the niceness")
    return parser.parse_args(arguments)


def _take_stdout() -> BinaryIO:
    """Standard output for frames alone: whatever else prints there goes to standard error."""
    sys.stdout.flush()
    out = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)
    return out


if __name__ == "__main__":
    # Not by `sys.exit`: the clean-up of foreign libraries takes long, and may crash.
    os._exit(main())
