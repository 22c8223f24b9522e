"""Any order of hooks, publishers, crashes: one worker per path. The orchestrator in virtual time.

`python -m dubcast.testing.hook_orders` plays 10,000 orders; here a few, and the proof that the
check itself finds what it looks for.
"""

from __future__ import annotations

import asyncio

import pytest

from dubcast.orchestrator.orchestrator import Orchestrator
from dubcast.orchestrator.stream import Stream, StreamPolicy
from dubcast.testing import virtual_loop
from dubcast.testing.hook_orders import run_orders, storm


def test_exactly_one_worker_in_any_order() -> None:
    found = run_orders(40, seed=1)
    assert (found.orders, found.violations, found.first_seeds) == (40, 0, [])
    assert found.workers_started > 40  # it is not that nothing ever ran


def test_a_lost_hook_is_healed_by_the_reconciler() -> None:
    found = run_orders(8, seed=500)
    assert 0.1 < found.worst_heal_s <= 3


def test_a_flap_storm_starts_one_worker_per_path() -> None:
    assert storm(flaps=300, seconds=20, paths=6) == 1


def test_the_check_finds_a_stream_that_forgets_its_worker(monkeypatch: pytest.MonkeyPatch) -> None:
    told = Stream.worker

    def forgetful(self: Stream, *news: object, **words: str) -> object:
        actions = told(self, *news, **words)  # type: ignore[arg-type]
        self.stopped(news[-1])  # type: ignore[arg-type]
        return actions

    monkeypatch.setattr(Stream, "worker", forgetful)
    monkeypatch.setattr(Stream, "observed", lambda self, source, now_ns: ())
    assert run_orders(3).violations == 3


def test_the_check_finds_hooks_that_are_believed(monkeypatch: pytest.MonkeyPatch) -> None:
    """An orchestrator that starts a worker because a hook says so ends with two of them."""

    def gullible(self: Orchestrator, event: object) -> bool:
        actor = self._actors.get("one")
        if actor is not None and self._children.group is not None:
            spec = self._launcher.children("one", None)[0]
            self._children.group.create_task(self._placement.start(spec))
        return True

    monkeypatch.setattr(Orchestrator, "hooked", gullible)
    assert run_orders(5).violations > 0


def test_the_check_finds_a_worker_that_waits_for_ever_for_who_asked(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    patient = StreamPolicy.__init__

    def for_ever(self: StreamPolicy, **given: float) -> None:
        patient(self, **given, request_s=9e9)

    monkeypatch.setattr(StreamPolicy, "__init__", for_ever)
    assert run_orders(10).violations > 0


def test_in_virtual_time_nobody_waits() -> None:
    loop = virtual_loop.VirtualLoop()

    async def an_hour() -> int:
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(3600):
                await asyncio.Event().wait()
        return loop.monotonic_ns()

    assert virtual_loop.run(an_hour(), loop) == 3600 * 10**9


def test_a_loop_that_could_wait_for_ever_says_so() -> None:
    async def stuck() -> None:
        await asyncio.Event().wait()

    loop = virtual_loop.VirtualLoop()
    with pytest.raises(RuntimeError, match="nothing is left"):
        loop.run_until_complete(stuck())
    for task in asyncio.all_tasks(loop):
        task.cancel()
    loop.run_until_complete(asyncio.sleep(0))
    loop.close()
