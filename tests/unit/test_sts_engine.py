"""The engine's threads: batching, deadlines, faults, stopping."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from dataclasses import replace
from typing import Any, ClassVar

import pytest
from structlog.testing import capture_logs

from dubcast.backoff import BackoffPolicy
from dubcast.clock import NS_PER_S
from dubcast.errors import MissingPartError, NotReachableError, StsError
from dubcast.metrics import StsMetrics
from dubcast.sts.engine import Engine, StageThread
from dubcast.sts.providers.interface import AsrTask
from dubcast.testing.clock import VirtualClock
from sts_fakes import FakeMt, Script, fake_engine, running

FAR = 10**18


@pytest.fixture
def script() -> Script:
    return Script()


@pytest.fixture
def engine(script: Script) -> Iterator[Engine]:
    with running(script) as engine:
        yield engine


def _block(script: Script, stage: str) -> threading.Event:
    """Hold a stage's first call until the event is set."""
    free = threading.Event()
    first = threading.Lock()

    def hook(_: Any) -> None:
        if first.acquire(blocking=False):
            free.wait(5)

    script.hooks[stage] = hook
    return free


def test_each_model_has_one_named_thread(engine: Engine, script: Script) -> None:
    for _ in range(3):
        engine.asr.submit(AsrTask, "a", FAR).result(5)
        engine.mt.submit("x", "a", FAR).result(5)
    assert script.threads == {"asr": {"sts-asr"}, "mt": {"sts-mt"}}


def test_what_waits_while_the_model_is_busy_goes_in_one_batch(
    engine: Engine, script: Script
) -> None:
    free = _block(script, "asr")
    first = engine.asr.submit("first", "a", FAR)
    script.wait_for("asr")
    rest = [engine.asr.submit(name, name, FAR - i) for i, name in enumerate("bcdef")]
    free.set()
    for future in [first, *rest]:
        future.result(5)
    # batch_max is 4; the latest deadline (the first submitted) waits for the next batch.
    assert script.calls["asr"] == [["first"], ["f", "e", "d", "c"], ["b"]]


def test_an_expired_task_is_not_computed(script: Script) -> None:
    clock = VirtualClock()
    base = fake_engine(script)
    engine = Engine(base.providers, inbox_limit=4, clock=clock)
    engine.start()
    assert engine.wait(5) == "ready"
    free = _block(script, "tts")
    first = engine.tts.submit("first", "a", FAR)
    script.wait_for("tts")
    late = engine.tts.submit("late", "b", 1_000)
    clock.advance(1)
    free.set()
    first.result(5)
    with pytest.raises(StsError) as error:
        late.result(5)
    assert error.value.code == "TIMEOUT"
    assert script.calls["tts"] == [["first"]]
    engine.stop()


def test_a_cancelled_task_is_not_computed(engine: Engine, script: Script) -> None:
    free = _block(script, "mt")
    first = engine.mt.submit("first", "a", FAR)
    script.wait_for("mt")
    assert engine.mt.submit("gone", "b", FAR).cancel()
    last = engine.mt.submit("last", "c", FAR)
    free.set()
    first.result(5)
    last.result(5)
    assert script.calls["mt"] == [["first"], ["last"]]


def test_a_full_inbox_refuses(script: Script) -> None:
    engine = fake_engine(script, inbox_limit=1)
    engine.start()
    assert engine.wait(5) == "ready"
    free = _block(script, "fit")
    engine.fit.submit("first", "a", FAR)
    script.wait_for("fit")
    waiting = engine.fit.submit("waits", "b", FAR)
    with pytest.raises(StsError) as error:
        engine.fit.submit("too many", "c", FAR)
    assert error.value.code == "OVERLOADED"
    assert error.value.retry_after_s
    waiting.cancel()
    script.hooks.clear()
    free.set()
    engine.stop()


def test_one_bad_task_does_not_fail_its_neighbours(engine: Engine, script: Script) -> None:
    free = _block(script, "asr")
    first = engine.asr.submit("first", "a", FAR)
    script.wait_for("asr")
    futures = {name: engine.asr.submit(name, name, FAR) for name in ("x", "bad", "y")}

    def hook(batch: Any) -> None:
        if "bad" in batch:
            raise RuntimeError("poison")

    script.hooks["asr"] = hook
    free.set()
    first.result(5)
    assert futures["x"].result(5).value.text == "hello"
    assert futures["y"].result(5).value.text == "hello"
    with pytest.raises(StsError) as error:
        futures["bad"].result(5)
    assert (error.value.code, error.value.stage) == ("MODEL_ERROR", "asr")
    assert "poison" not in str(error.value)


def test_an_input_error_of_a_provider_stays_one(engine: Engine, script: Script) -> None:
    def hook(_: Any) -> None:
        raise StsError("INVALID_INPUT", "no", retryable=False)

    script.hooks["mt"] = hook
    with pytest.raises(StsError) as error:
        engine.mt.submit("x", "a", FAR).result(5)
    assert (error.value.code, error.value.stage) == ("INVALID_INPUT", "mt")
    script.hooks.clear()
    assert engine.mt.submit("x", "a", FAR).result(5).value == "olá"


def test_too_few_results_are_a_model_error(engine: Engine, monkeypatch: Any) -> None:
    monkeypatch.setattr(engine.providers.mt, "run", lambda _: [])
    with pytest.raises(StsError) as error:
        engine.mt.submit("x", "a", FAR).result(5)
    assert error.value.code == "MODEL_ERROR"


def test_a_model_that_cannot_load_fails_the_engine(script: Script) -> None:
    def hook(_: Any) -> None:
        raise MissingPartError("no model")

    script.hooks["load asr"] = hook
    engine = fake_engine(script)
    engine.start()
    assert engine.wait(5) == "failed"
    assert str(engine.failure) == "no model"
    with pytest.raises(StsError):
        engine.asr.submit("x", "a", FAR)
    engine.stop()


def test_loading_until_every_model_is_there(script: Script) -> None:
    free = threading.Event()
    script.hooks["load asr"] = lambda _: free.wait(5)
    engine = fake_engine(script)
    engine.start()
    assert engine.state == "loading"
    free.set()
    assert engine.wait(5) == "ready"
    engine.stop()


def test_stop_answers_what_waits_and_may_be_called_twice(script: Script) -> None:
    engine = fake_engine(script)
    engine.start()
    assert engine.wait(5) == "ready"
    free = _block(script, "asr")
    engine.asr.submit("first", "a", FAR)
    script.wait_for("asr")
    waiting = engine.asr.submit("waits", "b", FAR)
    # What waits is answered before the model's own call has come back.
    waiting.add_done_callback(lambda _: free.set())
    engine.stop()
    engine.stop()
    with pytest.raises(StsError) as error:
        waiting.result(0)
    assert error.value.code == "OVERLOADED"
    assert engine.state == "stopped"
    assert not [t for t in threading.enumerate() if t.name.startswith("sts-")]


def test_figures_per_stage(script: Script) -> None:
    metrics = StsMetrics()
    engine = Engine(fake_engine(script).providers, inbox_limit=4, metrics=metrics)
    engine.start()
    assert engine.wait(5) == "ready"
    engine.asr.submit("x", "a", FAR).result(5)
    engine.stop()
    sample = metrics.registry.get_sample_value
    assert sample("dubcast_sts_batch_size_count", {"stage": "asr"}) == 1
    assert sample("dubcast_sts_stage_seconds_count", {"stage": "asr"}) == 1
    assert sample("dubcast_sts_queue_depth", {"stage": "asr"}) == 0


@pytest.fixture
def pool(script: Script, monkeypatch: pytest.MonkeyPatch) -> Iterator[Engine]:
    """An engine whose translation may be run by three threads."""
    safe = replace(FakeMt.capabilities, thread_safe=True, batch_max=1)
    monkeypatch.setattr(FakeMt, "capabilities", safe)
    engine = Engine(fake_engine(script).providers, inbox_limit=16, light_threads=3)
    engine.start()
    assert engine.wait(5) == "ready"
    yield engine
    engine.stop()


def test_a_provider_that_allows_it_is_run_by_several_threads(pool: Engine, script: Script) -> None:
    together = threading.Barrier(3)
    script.hooks["mt"] = lambda _: together.wait(20)
    for future in [pool.mt.submit(name, name, FAR) for name in "abc"]:
        future.result(20)
    assert script.threads["mt"] == {"sts-mt", "sts-mt-2", "sts-mt-3"}
    assert (pool.mt.workers, pool.fit.workers, pool.tts.workers) == (3, 1, 1)


def test_several_threads_keep_a_streams_order(pool: Engine, script: Script) -> None:
    free = _block(script, "mt")
    first = pool.mt.submit("a1", "a", FAR)
    script.wait_for("mt")
    rest = [pool.mt.submit(name, "a", FAR - i) for i, name in enumerate(("a2", "a3"))]
    # Another stream goes on meanwhile, and nothing of this one begins.
    pool.mt.submit("b", "b", FAR).result(20)
    assert script.calls["mt"] == [["a1"], ["b"]]
    free.set()
    for future in [first, *rest]:
        future.result(20)
    assert script.calls["mt"] == [["a1"], ["b"], ["a2"], ["a3"]]


def test_a_model_is_closed_when_no_thread_runs_it_any_more(
    pool: Engine, script: Script, monkeypatch: pytest.MonkeyPatch
) -> None:
    running: list[str] = []
    monkeypatch.setattr(FakeMt, "close", lambda _: running.append("closed"))
    begun, free = threading.Barrier(3), threading.Event()

    def hook(_: Any) -> None:
        begun.wait(20)
        free.wait(20)
        running.append("ran")

    script.hooks["mt"] = hook
    futures = [pool.mt.submit(name, name, FAR) for name in "ab"]
    begun.wait(20)
    pool.mt.stop(0.0)
    free.set()
    for future in futures:
        future.result(20)
    pool.mt.stop(20)
    assert running == ["ran", "ran", "closed"]


def test_what_an_item_costs_is_what_a_thread_takes_shared_by_all(script: Script) -> None:
    clock = VirtualClock()
    script.hooks["asr"] = lambda batch: clock.advance(0.2 + 0.1 * len(batch))
    engine = Engine(fake_engine(script).providers, inbox_limit=16, clock=clock)
    engine.start()
    assert engine.wait(5) == "ready"
    engine.asr.submit("x", "a", FAR).result(20)
    engine.stop()
    cost = engine.costs()["asr"]
    assert cost.run_s == pytest.approx(0.3)
    assert cost.item_s == pytest.approx(0.3)
    assert engine.costs()["tts"].run_s == 0


def test_what_is_elsewhere_is_waited_for(script: Script, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("dubcast.sts.engine._LOOKS", BackoffPolicy(first_s=0.0))
    told: list[str] = []
    engine = fake_engine(script)

    def absent(_: Any) -> None:
        told.append(engine.waits_for)
        if len(told) < 3:
            raise NotReachableError("nobody there")

    script.hooks["load asr"] = absent
    with capture_logs() as lines:
        engine.start()
        assert engine.wait(5) == "ready"
    engine.stop()
    assert told == ["", "nobody there", "nobody there"]
    assert engine.waits_for == ""
    waits = [one for one in lines if one["event"] == "waits_for"]
    assert [(one["stage"], one["reason"]) for one in waits] == [("asr", "nobody there")]


def test_a_service_that_waits_can_be_stopped(script: Script) -> None:
    asked = threading.Event()

    def absent(_: Any) -> None:
        asked.set()
        raise NotReachableError("nobody there")

    script.hooks["load asr"] = absent
    engine = fake_engine(script)
    engine.start()
    assert asked.wait(5)
    engine.stop()
    assert not any(thread.is_alive() for thread in engine.asr._threads)
    assert engine.state == "stopped"


def test_a_provider_whose_work_is_done_elsewhere_is_called_at_once_and_told_its_time() -> None:
    clock, together = VirtualClock(), threading.Barrier(3)

    class Remote(FakeMt):
        capabilities = replace(FakeMt.capabilities, thread_safe=True, at_once=3)
        left: ClassVar[list[float]] = []

        def run_within(self, batch: Any, left_s: float) -> list[str]:
            self.left.append(left_s)
            together.wait(5)
            return self.run(batch)

    stage = StageThread("mt", Remote(Script()), 9, StsMetrics(), clock, workers=2)
    stage.start(lambda: None)
    now_ns = clock.monotonic_ns()
    waiting: list[Any] = [stage.submit("x", name, now_ns + 4 * NS_PER_S) for name in "abc"]
    assert [one.result(5).value for one in waiting] == ["olá"] * 3
    stage.stop(2)
    assert Remote.left == [4.0, 4.0, 4.0]
