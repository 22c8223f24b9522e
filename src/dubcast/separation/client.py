"""The worker's edge of separation: keeps the process running, feeds it, hands on what it gives.

Nothing that happens in the process reaches the worker: a crash, a hang, an abort or garbage ends
that process and no other, is reported, and is followed by another try or a simpler separator.
"""

from __future__ import annotations

import random
import signal
import sys
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path

from dubcast.audio.pcm import RATE, Float, Int16, samples_to_s
from dubcast.clock import Clock, SystemClock, ns_to_s
from dubcast.log import get
from dubcast.processes.ladder import Rung, climb
from dubcast.separation.child import SeparationChild
from dubcast.separation.choice import AUTO_ORDER, degradation
from dubcast.separation.recovery import Recovery, RecoveryPolicy
from dubcast.separation.source_queue import SourceQueue
from dubcast.separation.wire import Audio, Background, Notice, Parser, WireError

_log = get("separation")

OnBackground = Callable[[int, Int16, Float], None]


class SeparationState(StrEnum):
    """Where separation stands."""

    STARTING = "starting"  # the process loads its model
    RUNNING = "running"
    WAITING = "waiting"  # it failed; the next try comes
    OFF = "off"  # nothing is left to try
    CLOSED = "closed"


@dataclass(frozen=True)
class ClientSettings:
    """How separation is run. `separator`: `auto` or a name of the registry; times in seconds."""

    separator: str = "auto"
    models_dir: Path | None = None
    nice: int = 10
    queue_s: float = 4.0  # audio that may wait for the process before the oldest is dropped
    start_s: float = 60.0
    hang_s: float = 10.0
    close_s: float = 3.0
    recovery: RecoveryPolicy = field(default_factory=RecoveryPolicy)


class SeparationClient:
    """Separation of one stream. `on_background` is called from the client's own thread."""

    def __init__(
        self,
        on_background: OnBackground,
        settings: ClientSettings | None = None,
        command: Sequence[str] = (sys.executable, "-m", "dubcast.separation.process"),
        clock: Clock | None = None,
    ) -> None:
        self._on_background = on_background
        self._settings = settings or ClientSettings()
        self._command = tuple(command)
        self._clock = clock or SystemClock()
        chosen = self._settings.separator
        self._auto = chosen == "auto"
        order = AUTO_ORDER if self._auto else degradation(chosen)
        # Not for secrets: it spreads the restarts of many streams.
        self._recovery = Recovery(order, self._settings.recovery, random.Random())
        self._queue = SourceQueue(round(self._settings.queue_s * RATE))
        self._quit = threading.Event()
        self._child: SeparationChild | None = None
        self._thread = threading.Thread(target=self._run, name="separation", daemon=True)
        self.state = SeparationState.STARTING
        self.reason = ""
        self.name = ""  # the separator in use
        self.latency = 0
        self.cpu = 0.0  # CPU seconds per second, measured at the start
        self.restarts = 0

    @property
    def dropped(self) -> int:
        """Frames that were dropped because the process did not keep up, or did not run."""
        return self._queue.dropped

    @property
    def waiting_s(self) -> float:
        """Seconds of audio that wait to be taken by the process."""
        return samples_to_s(self._queue.frames)

    def start(self) -> None:
        """Start the process; returns at once."""
        self._thread.start()

    def feed(self, start: int, block: Int16) -> None:
        """Hand over source audio (frames, 2) from timeline position `start`. Never blocks."""
        if self.state not in (SeparationState.OFF, SeparationState.CLOSED):
            self._queue.put(Audio(start, block))

    def close(self) -> None:
        """End of input, then SIGTERM, then SIGKILL, within `close_s`; harmless when repeated.

        What the process still had comes through `on_background` before this returns.
        """
        self._quit.set()
        self._queue.end()
        if self._thread.ident is None:
            self.state = SeparationState.CLOSED
            return
        third_s = self._settings.close_s / 3
        asked = Rung(None, third_s)  # by the end of its input
        rungs = (asked, Rung(signal.SIGTERM, third_s), Rung(signal.SIGKILL, third_s))
        climb(rungs, self._cut, self._has_ended)
        self.state = SeparationState.CLOSED

    def _cut(self, number: signal.Signals) -> None:
        child = self._child
        if child is not None:
            _log.warning("separation_cut", pid=child.process.pid, signal=number.name)
            child.process.send_signal(number)

    def _has_ended(self, wait_s: float | None) -> bool:
        self._thread.join(wait_s)
        return not self._thread.is_alive()

    def _run(self) -> None:
        """Thread: one process after the other, until closed or nothing is left."""
        while not self._quit.is_set():
            began = self._clock.monotonic_ns()
            failure = self._session()
            if failure is None or self._quit.is_set():
                return
            now = self._clock.monotonic_ns()
            healthy_s = ns_to_s(now - began)
            wait = self._recovery.failed(now, self.name, healthy_s, failure.final)
            self.reason = failure.reason
            _log.warning("separation_failed", reason=failure.reason, separator=self.name)
            if wait is None:
                self.state = SeparationState.OFF
                self._queue.clear()
                _log.error("separation_off", reason=failure.reason)
                return
            self._auto = self._auto and not failure.final and self.name in self._recovery.order
            self.state = SeparationState.WAITING
            self.restarts += 1
            self._quit.wait(ns_to_s(wait))

    def _session(self) -> _Failure | None:
        """Run one process to its end; None if that is what was asked for."""
        self.state = SeparationState.STARTING
        if not self._auto:
            self.name = self._recovery.order[0]
        try:
            child = SeparationChild(self._arguments(), self._queue)
        except OSError as error:
            return _Failure(f"the process cannot be started: {error}")
        self._child = child
        try:
            return self._follow(child)
        finally:
            child.end()
            self._child = None

    def _arguments(self) -> list[str]:
        order = self._recovery.order
        arguments = [*self._command, "--order", ",".join(order), "--nice", str(self._settings.nice)]
        arguments += ["--auto"] if self._auto else []
        if self._settings.models_dir is not None:
            arguments += ["--models", str(self._settings.models_dir)]
        return arguments

    def _follow(self, child: SeparationChild) -> _Failure | None:
        """Take what the process gives until it ends, fails, hangs or talks nonsense."""
        parser = Parser()
        moved = self._clock.monotonic_ns()
        while True:
            data = child.read()
            now = self._clock.monotonic_ns()
            if data == b"":
                return self._ended(child)
            try:
                for message in parser.feed(data or b""):
                    moved = now
                    failure = self._take(message, child)
                    if failure is not None:
                        return failure
            except WireError as error:
                return _Failure(f"garbage from the process: {error}")
            if not child.owes(self.latency) and self.state is SeparationState.RUNNING:
                moved = now
            late = self._late(ns_to_s(now - moved))
            if late is not None:
                return late

    def _late(self, silent_s: float) -> _Failure | None:
        if self.state is SeparationState.STARTING:
            limit, what = self._settings.start_s, "the process did not become ready"
        else:
            limit, what = self._settings.hang_s, "the process hangs"
        return _Failure(f"{what} for {silent_s:.1f} s") if silent_s > limit else None

    def _take(self, message: object, child: SeparationChild) -> _Failure | None:
        if isinstance(message, Background):
            if not child.sent_these(message.start, len(message.block)):
                return _Failure(f"garbage from the process: position {message.start} was not fed")
            self._deliver(message)
            return None
        if not isinstance(message, Notice) or message.event == "failed":
            reason = message.reason if isinstance(message, Notice) else "an unexpected frame"
            return _Failure(reason, final=True)
        self.name, self.latency = message.name, message.latency
        if message.event == "ready":
            self.cpu = message.cpu
            self.state = SeparationState.RUNNING
        self.reason = message.reason
        cpu = round(self.cpu, 3)
        _log.info(f"separation_{message.event}", separator=self.name, cpu=cpu, why=self.reason)
        return None

    def _deliver(self, message: Background) -> None:
        try:
            self._on_background(message.start, message.block, message.speech_share)
        except Exception:  # noqa: BLE001  the worker's code: its fault is not the process's
            _log.exception("on_background_failed", start=message.start)

    def _ended(self, child: SeparationChild) -> _Failure | None:
        code = child.process.wait()
        if code == 0 and self._quit.is_set():
            return None
        how = signal.Signals(-code).name if code < 0 else f"exit code {code}"
        return _Failure(f"the process ended: {how}")


@dataclass(frozen=True)
class _Failure:
    reason: str
    final: bool = False
