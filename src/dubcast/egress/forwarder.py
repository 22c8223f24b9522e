"""The forwarder: runs the machine's decisions on real connections.

It is a process of its own for each destination, so that a third party never touches the worker, or
another destination. The destination's URL is in its memory, not in its arguments.
"""

from __future__ import annotations

import asyncio
import contextlib
import random

from prometheus_client import CollectorRegistry, Counter, Gauge

from dubcast import log
from dubcast.clock import Clock, SystemClock, ns_to_s
from dubcast.contract.streams import EgressFailure, EgressState, EgressStatus
from dubcast.egress import words
from dubcast.egress.machine import Action, EgressMachine, EgressPolicy
from dubcast.egress.outgoing import Target
from dubcast.egress.relay import Ending, Look, Relay
from dubcast.rtmp.address import Address

EXIT_STOPPED = 0
EXIT_BAD_CONFIG = 10
EXIT_INTERNAL = 50
# Of one try (`--once`), by why it ended.
EXIT_CODES = {
    EgressFailure.INPUT_NOT_READY: 20,
    EgressFailure.REFUSED: 30,
    EgressFailure.CERTIFICATE: 30,
    EgressFailure.UNREACHABLE: 40,
    EgressFailure.LOST: 40,
    EgressFailure.STALLED: 40,
    EgressFailure.INTERNAL: EXIT_INTERNAL,
}
_TICK_S = 0.25
_logger = log.get("egress")


class EgressMetrics:
    """What one forwarder reports. Whether its destination is up tells the orchestrator, which does
    even where a forwarder cannot."""

    def __init__(self, stream_id: str, destination: str) -> None:
        self.registry = CollectorRegistry()
        self._labels = {"stream": stream_id, "destination": destination}
        self.lag = self._gauge(
            "dubcast_egress_lag_seconds", "How long what a destination takes now has waited for it"
        )
        self.reconnects = self._counter(
            "dubcast_egress_reconnects_total", "Destinations connected again"
        )
        self.skips = self._counter(
            "dubcast_egress_skips_total", "Times that something was left out for a slow destination"
        )

    def _gauge(self, name: str, about: str) -> Gauge:
        return Gauge(name, about, list(self._labels), registry=self.registry).labels(**self._labels)

    def _counter(self, name: str, about: str) -> Counter:
        made = Counter(name, about, list(self._labels), registry=self.registry)
        return made.labels(**self._labels)


class Forwarder:
    """One destination of one stream, for as long as `run` runs.

    `secrets`: texts whose parts are never told.
    """

    def __init__(
        self,
        stream_id: str,
        name: str,
        source: Address,
        target: Target,
        *,
        secrets: tuple[str, ...] = (),
        policy: EgressPolicy | None = None,
        clock: Clock | None = None,
    ) -> None:
        self.stream_id = stream_id
        self.name = name
        self._source, self._target, self._secrets = source, target, secrets
        self._clock = clock or SystemClock()
        self.machine = EgressMachine(policy or EgressPolicy(), random.Random())
        self.metrics = EgressMetrics(stream_id, name)
        self._relay: Relay | None = None
        self._look = Look()
        self._last_error = ""
        self._skips = 0  # of the tries before this one
        self._finished = asyncio.Event()
        self._wake = asyncio.Event()
        self._tasks: asyncio.TaskGroup | None = None

    async def run(self, *, once: bool = False) -> int:
        """Forward until `stop`; returns the exit code. `once`: one try, and the code says how."""
        async with asyncio.TaskGroup() as tasks:
            self._tasks = tasks
            self._carry_out(self.machine.start(self._clock.monotonic_ns()))
            while not self._finished.is_set():
                await self._pause()
                if once and self.machine.last_failure is not None:
                    break
                self._beat()
            if self._relay is not None:
                self._relay.cut()
        self._tasks = None
        failure = self.machine.last_failure
        return EXIT_CODES[failure] if once and failure is not None else EXIT_STOPPED

    def stop(self) -> None:
        """Ask `run` to end; it does within a few seconds. From the event loop's thread."""
        self._carry_out(self.machine.stop(self._clock.monotonic_ns()))
        self._wake.set()

    def status(self) -> EgressStatus:
        """How it stands, without any URL. From any thread."""
        machine, look = self.machine, self._look
        now = self._clock.monotonic_ns()
        slow = machine.state is EgressState.SLOW
        return EgressStatus(
            stream_id=self.stream_id,
            destination=self.name,
            state=machine.state,
            reason=machine.reason,
            since_s=round(ns_to_s(now - machine.since_ns), 3) if machine.since_ns else 0.0,
            connects=machine.connects,
            tries=machine.tries,
            bytes=look.taken,
            last_error=self._last_error,
            detail=words.slow(*look.rates, look.lag_s) if slow else "",
            lag_s=round(look.lag_s, 3),
            skips=self._skips + look.skips,
        )

    async def _pause(self) -> None:
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(_TICK_S):
                await self._wake.wait()
        self._wake.clear()

    def _beat(self) -> None:
        """Tell the machine how the try stands, do what it says, and report what changed."""
        now, machine = self._clock.monotonic_ns(), self.machine
        was, state, connects = self._look, machine.state, machine.connects
        self._look = look = self._relay.look() if self._relay is not None else Look()
        machine.progressed(now, look.taken)
        machine.under_way(now, look.waiting)
        self._carry_out(machine.tick(now))
        machine.paced(now, look.slow)
        self.metrics.lag.set(look.lag_s)
        if machine.connects > max(connects, 1):
            self.metrics.reconnects.inc()
        if look.skips > was.skips:
            self.metrics.skips.inc(look.skips - was.skips)
        if machine.state is not state:
            self._tell_live(look)

    def _tell_live(self, look: Look) -> None:
        if self.machine.state is EgressState.LIVE:
            self._last_error = ""
            _logger.info("egress.live", destination=self.name)
        elif self.machine.state is EgressState.SLOW:
            pace = words.slow(*look.rates, look.lag_s)
            _logger.warning("egress.slow", destination=self.name, pace=pace)

    def _carry_out(self, actions: list[Action]) -> None:
        for action in actions:
            if action is Action.BEGIN:
                self._begin()
            elif action is Action.FINISH:
                self._finished.set()
            elif self._relay is not None:
                (self._relay.stop if action is Action.END else self._relay.cut)()

    def _begin(self) -> None:
        assert self._tasks is not None
        _logger.info("egress.try", destination=self.name, attempt=self.machine.tries)
        self._relay = Relay(self._source, self._target, self._clock)
        self._tasks.create_task(self._try(self._relay), name="try")

    async def _try(self, relay: Relay) -> None:
        """One try to its end."""
        try:
            ending = await relay.run()
        except Exception as error:  # whatever it is, the destination is tried again
            _logger.exception("egress.failed")
            ending = Ending(EgressFailure.INTERNAL, type(error).__name__)
        self._skips += relay.look().skips
        self._relay, self._look = None, Look()
        self._carry_out(self.machine.exited(self._clock.monotonic_ns(), ending.failure))
        self._ended(ending)
        self._wake.set()

    def _ended(self, ending: Ending) -> None:
        machine = self.machine
        if machine.state is EgressState.STOPPED:
            return
        told = words.without_secret(ending.words, *self._secrets)
        if machine.state is EgressState.REFUSED and machine.reason is EgressFailure.REFUSED:
            told += f": {words.ASK}"
        self._last_error = told
        _logger.info(
            "egress.ended",
            destination=self.name,
            state=machine.state.value,
            reason=machine.reason,
            error=told,
        )
