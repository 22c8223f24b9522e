"""The engine: each model in one named thread with a bounded inbox."""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from dataclasses import dataclass
from typing import Any, Generic, Literal, TypeVar

from dubcast import log
from dubcast.backoff import Backoff, BackoffPolicy
from dubcast.clock import Clock, SystemClock, ns_to_s
from dubcast.errors import NotReachableError, StsError
from dubcast.metrics import StsMetrics
from dubcast.sts import clauses
from dubcast.sts.batcher import Inbox, Waiting
from dubcast.sts.capacity import Cost
from dubcast.sts.providers.interface import (
    AsrProvider,
    FitProvider,
    HearProvider,
    MtProvider,
    Provider,
    TtsProvider,
)
from dubcast.sts.speed import Speed

In = TypeVar("In")
Out = TypeVar("Out")
State = Literal["loading", "ready", "failed", "stopped"]

# Between two looks at what is elsewhere and not there yet.
_LOOKS = BackoffPolicy(first_s=1.0, cap_s=10.0)


@dataclass(frozen=True)
class Done(Generic[Out]):
    """A stage's result, with the seconds that it ran."""

    value: Out
    ran_s: float


@dataclass(frozen=True)
class _Job(Generic[In, Out]):
    task: In
    future: Future[Done[Out]]


class StageThread(Generic[In, Out]):
    """Owns one provider: loads it, feeds it batches, closes it.

    `submit` may be called from any thread; everything else of the provider happens in this one, or
    in these: a provider that allows it is run by as many `workers`.
    """

    def __init__(
        self,
        name: str,
        provider: Provider[In, Out],
        inbox_limit: int,
        metrics: StsMetrics,
        clock: Clock,
        workers: int = 1,
    ) -> None:
        self.name = name
        self.provider = provider
        able = provider.capabilities
        self.workers = max(workers, able.at_once) if able.thread_safe else 1
        self._speed = Speed()
        self.state: State = "loading"
        self.failure: BaseException | None = None
        self.waits_for = ""  # what is not there that it cannot be without
        self._clock = clock
        self._inbox: Inbox[_Job[In, Out]] = Inbox(inbox_limit)
        self._lock = threading.Condition()
        self._seconds = metrics.stage_seconds.labels(name)
        self._batch_size = metrics.batch_size.labels(name)
        self._depth = metrics.queue_depth.labels(name)
        # Daemons: a model call that hangs must not keep the process from ending.
        self._threads = [
            threading.Thread(target=self._work, name=f"sts-{name}", daemon=True),
            *(
                threading.Thread(target=self._help, name=f"sts-{name}-{i}", daemon=True)
                for i in range(2, self.workers + 1)
            ),
        ]
        self._on_change: Callable[[], None] = lambda: None
        self._log = log.get("engine")

    def start(self, on_change: Callable[[], None]) -> None:
        """Load the model in the background; `on_change` is called in this thread after that."""
        self._on_change = on_change
        self._threads[0].start()

    def submit(
        self,
        task: In,
        stream_id: str,
        deadline_ns: int,
        *,
        due_ns: int | None = None,
        fragment: int = 0,
    ) -> Future[Done[Out]]:
        """Queue a task. The future raises StsError (TIMEOUT if it waited past its deadline).

        `due_ns`, `fragment`: as for `Inbox.put`. Raises StsError OVERLOADED if the inbox is full.
        Cancelling the future is safe: a task that still waits is not computed.
        """
        job = _Job[In, Out](task, Future())
        with self._lock:
            if self.state in ("failed", "stopped"):
                raise StsError("MODEL_ERROR", f"stage {self.name} is {self.state}", retryable=True)
            if not self._inbox.put(job, stream_id, deadline_ns, due_ns=due_ns, fragment=fragment):
                message = f"the inbox of stage {self.name} is full"
                raise StsError("OVERLOADED", message, retryable=True, retry_after_s=1.0)
            self._depth.set(len(self._inbox))
            self._lock.notify()
        return job.future

    @property
    def waiting(self) -> int:
        """How many tasks wait."""
        with self._lock:
            return len(self._inbox)

    def cost(self) -> Cost:
        """What an item costs here, by the runs so far."""
        with self._lock:
            most = self.provider.capabilities.batch_max
            return Cost(self._speed.item_s(most) / self.workers, self._speed.run_s())

    def stop(self, timeout_s: float) -> None:
        """Answer what waits with an error, then end the threads. Stopping twice is harmless."""
        until = time.monotonic() + timeout_s
        with self._lock:
            self.state = "stopped"
            rest = self._inbox.drain()
            self._lock.notify_all()
        for waiting in rest:
            _fail(waiting, StsError("OVERLOADED", "the service is stopping", retryable=True))
        for thread in self._threads:
            if thread.is_alive():
                thread.join(max(0.0, until - time.monotonic()))

    def _work(self) -> None:
        """The first thread: it loads the model, and closes it when nobody runs it any more, or if
        it could not be loaded."""
        if self._load():
            helpers = self._threads[1:]
            for helper in helpers:
                helper.start()
            self._help()
            for helper in helpers:
                helper.join()
        self.provider.close()

    def _help(self) -> None:
        while self._step():
            pass

    def _load(self) -> bool:
        started = time.monotonic()
        try:
            self._load_when_it_is_there()
        # Thread border: whatever the model's library raises, the engine reports it.
        except Exception as error:  # noqa: BLE001
            self.failure = error
            self.state = "failed"
            self._log.error(
                "model_failed", stage=self.name, error=f"{type(error).__name__}: {error}"
            )
        else:
            with self._lock:
                self.state = "ready" if self.state == "loading" else self.state
            self._log.info(
                "model_ready",
                stage=self.name,
                model=self.provider.capabilities.model,
                seconds=round(time.monotonic() - started, 2),
            )
        self._on_change()
        return self.state == "ready"

    def _load_when_it_is_there(self) -> None:
        """Load the provider; what is elsewhere is waited for. Raises what the provider raises."""
        looks = Backoff(_LOOKS, random.Random())
        while self.state == "loading":
            try:
                self.provider.load()
            except NotReachableError as error:
                self._wait_for(str(error), ns_to_s(looks.failed(0.0)))
            else:
                self.waits_for = ""
                return

    def _wait_for(self, reason: str, pause_s: float) -> None:
        if reason != self.waits_for:
            self._log.warning("waits_for", stage=self.name, reason=reason)
        self.waits_for = reason
        with self._lock:
            self._lock.wait_for(lambda: self.state != "loading", pause_s)

    def _step(self) -> bool:
        """Wait for work, then compute one batch; False when stopped."""
        with self._lock:
            self._lock.wait_for(lambda: self._inbox.is_ready or self.state == "stopped")
            if self.state == "stopped":
                return False
            now_ns = self._clock.monotonic_ns()
            taken = self._inbox.take(now_ns, self.provider.capabilities.batch_max)
            self._depth.set(len(self._inbox))
        for waiting in taken.expired:
            _fail(waiting, StsError("TIMEOUT", "waited past its deadline", retryable=True))
        # False: nobody waits for it any more.
        batch = [one for one in taken.batch if one.item.future.set_running_or_notify_cancel()]
        if batch:
            self._compute(batch)
        with self._lock:
            self._inbox.release(taken.batch)
            self._lock.notify_all()
        return True

    def _compute(self, batch: list[Waiting[_Job[In, Out]]]) -> None:
        started_ns = self._clock.monotonic_ns()
        try:
            left_s = ns_to_s(max(one.deadline_ns for one in batch) - started_ns)
            results = self._run([one.item.task for one in batch], left_s)
        except StsError as error:
            self._retry_singly_or_fail(batch, error)
            return
        # Provider border: any fault of a model's library becomes MODEL_ERROR of this batch.
        except Exception as error:  # noqa: BLE001
            self._log.error(
                "model_error", stage=self.name, error=f"{type(error).__name__}: {error}"
            )
            message = f"stage {self.name} failed: {type(error).__name__}"
            fault = StsError("MODEL_ERROR", message, retryable=True)
            fault.__cause__ = error
            self._retry_singly_or_fail(batch, fault)
            return
        ran_s = ns_to_s(self._clock.monotonic_ns() - started_ns)
        with self._lock:
            self._speed.learn(len(batch), ran_s)
        self._seconds.observe(ran_s)
        self._batch_size.observe(len(batch))
        for one, value in zip(batch, results, strict=True):
            one.item.future.set_result(Done(value, ran_s))

    def _run(self, tasks: Sequence[In], left_s: float) -> list[Out]:
        results = self.provider.run_within(tasks, left_s)
        if len(results) != len(tasks):
            raise RuntimeError(f"{len(results)} results for {len(tasks)} tasks")
        return results

    def _retry_singly_or_fail(self, batch: list[Waiting[_Job[In, Out]]], error: StsError) -> None:
        """One bad item must not fail its neighbours: a batch that failed is computed singly."""
        if len(batch) == 1:
            error.stage = self.name
            batch[0].item.future.set_exception(error)
            return
        for one in batch:
            self._compute([one])


def _fail(waiting: Waiting[_Job[In, Out]], error: StsError) -> None:
    if waiting.item.future.set_running_or_notify_cancel():
        waiting.item.future.set_exception(error)


@dataclass(frozen=True)
class Providers:
    """The five stages' providers."""

    hear: HearProvider
    asr: AsrProvider
    mt: MtProvider
    tts: TtsProvider
    fit: FitProvider


class Engine:
    """The stages of the service, each in its thread. Loads in the background.

    `light_threads`: how many threads hear, translate and fit, where their providers allow that.
    `asr_beam`: how widely recognition searches where there is time.
    """

    def __init__(
        self,
        providers: Providers,
        *,
        inbox_limit: int,
        light_threads: int = 1,
        asr_beam: int = 1,
        metrics: StsMetrics | None = None,
        clock: Clock | None = None,
    ) -> None:
        self.providers = providers
        self.asr_beam = asr_beam
        self.metrics = metrics or StsMetrics()
        self.clock = clock or SystemClock()

        def stage(
            name: str, provider: Provider[In, Out], *, most: int = 1, workers: int = 1
        ) -> StageThread[In, Out]:
            limit = inbox_limit * most
            return StageThread(name, provider, limit, self.metrics, self.clock, workers)

        self.hear = stage("resample", providers.hear, workers=light_threads)
        self.asr = stage("asr", providers.asr)
        self.mt = stage("mt", providers.mt, most=clauses.MOST, workers=light_threads)
        self.tts = stage("tts", providers.tts, most=clauses.MOST)
        self.fit = stage("fit", providers.fit, workers=light_threads)
        self._changed = threading.Event()

    @property
    def stages(self) -> tuple[StageThread[Any, Any], ...]:
        """In the order in which a fragment goes through them."""
        return (self.hear, self.asr, self.mt, self.tts, self.fit)

    @property
    def is_busy(self) -> bool:
        """True if something waits for a stage."""
        return any(stage.waiting for stage in self.stages)

    def costs(self) -> dict[str, Cost]:
        """What an item costs each stage at the moment, by its name."""
        return {stage.name: stage.cost() for stage in self.stages}

    @property
    def state(self) -> State:
        """`ready` when every model is loaded, `failed` if one cannot be."""
        states = {stage.state for stage in self.stages}
        order: tuple[State, ...] = ("failed", "stopped", "loading")
        return next((state for state in order if state in states), "ready")

    @property
    def waits_for(self) -> str:
        """What the first stage waits for that cannot be without it; empty: for nothing."""
        return next((stage.waits_for for stage in self.stages if stage.waits_for), "")

    @property
    def failed(self) -> StageThread[Any, Any] | None:
        """The first stage that failed."""
        return next((stage for stage in self.stages if stage.failure), None)

    @property
    def failure(self) -> BaseException | None:
        """Why the first stage that failed did."""
        return self.failed.failure if self.failed else None

    def start(self, on_change: Callable[[], None] | None = None) -> None:
        """Load all models, each in its own thread. Returns at once."""

        def changed() -> None:
            if self.state != "loading":
                self._changed.set()
            if on_change is not None:
                on_change()

        for stage in self.stages:
            stage.start(changed)

    def wait(self, timeout_s: float) -> State:
        """Wait until the models are loaded or failed; the state then."""
        self._changed.wait(timeout_s)
        return self.state

    def stop(self, timeout_s: float = 2.0) -> None:
        """Stop all stages; `timeout_s` for all together. Stopping twice is harmless."""
        until = time.monotonic() + timeout_s
        for stage in self.stages:
            stage.stop(max(0.0, until - time.monotonic()))
