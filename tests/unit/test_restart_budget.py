"""Budget, memory limit, patience: what a supervisor and a forwarder decide, in virtual time."""

from __future__ import annotations

import random
import signal

import pytest

from dubcast.clock import s_to_ns
from dubcast.config import Settings
from dubcast.contract.streams import EgressFailure
from dubcast.egress.machine import Action, EgressMachine, EgressPolicy
from dubcast.orchestrator.children import supervisor_policies
from dubcast.processes.restart_budget import BudgetPolicy, RestartBudget
from dubcast.processes.supervisor import ChildState, Fate, LifeCycle, SupervisorPolicy

BUDGET = BudgetPolicy(crashes=3, window_s=60, quiet_s=300)
POLICY = SupervisorPolicy(memory_bytes=1000, term_s=5, budget=BUDGET)


def crashes(budget: RestartBudget, *seconds: float) -> bool:
    for second in seconds:
        budget.crashed(s_to_ns(second))
    return budget.spent


def test_three_crashes_within_a_minute_are_one_too_many() -> None:
    assert not crashes(RestartBudget(BUDGET), 0, 59)
    assert crashes(RestartBudget(BUDGET), 0, 30, 60)
    assert not crashes(RestartBudget(BUDGET), 0, 30, 60.1)
    assert not crashes(RestartBudget(BUDGET), *range(0, 3600, 31))


def test_without_a_replacement_there_is_no_budget() -> None:
    assert not crashes(RestartBudget(BudgetPolicy(crashes=0)), *([0] * 100))


def test_after_the_quiet_period_the_worker_is_on_trial() -> None:
    budget = RestartBudget(BUDGET)
    crashes(budget, 0, 1, 2)
    budget.crashed(s_to_ns(200))  # of the passthrough: it changes nothing
    assert not budget.worker_is_due(s_to_ns(301))
    assert budget.worker_is_due(s_to_ns(302))
    budget.begin_trial(s_to_ns(302))
    assert not budget.spent
    assert not budget.worker_is_due(s_to_ns(10_000))
    assert crashes(budget, 350)  # a first crash within the trial


def test_a_trial_that_is_over_gives_the_whole_budget_back() -> None:
    budget = RestartBudget(BUDGET)
    crashes(budget, 0, 1, 2)
    budget.begin_trial(s_to_ns(302))
    assert not crashes(budget, 363, 370)
    assert crashes(budget, 371)


def started(second: float = 0) -> LifeCycle:
    one = LifeCycle(POLICY, random.Random(1))
    one.started(s_to_ns(second))
    one.heard(s_to_ns(second))
    return one


def test_a_child_beyond_its_memory_is_asked_once_then_killed() -> None:
    one = started()
    assert one.signal_due(1000, s_to_ns(1)) is None
    assert one.signal_due(None, s_to_ns(1)) is None
    assert one.signal_due(1001, s_to_ns(2)) is signal.SIGTERM
    assert one.signal_due(1001, s_to_ns(3)) is None
    assert one.signal_due(1001, s_to_ns(6.9)) is None
    assert one.signal_due(1001, s_to_ns(7)) is signal.SIGKILL
    assert one.signal_due(1001, s_to_ns(8)) is None
    one.ended(-9, s_to_ns(7))
    assert one.fate is Fate.MEMORY


def test_one_that_was_told_to_end_is_restarted_whatever_its_code() -> None:
    one = started()
    one.signal_due(2000, s_to_ns(1))
    assert one.ended(2, s_to_ns(2)) is not None
    assert one.state is ChildState.WAITING


def test_the_passthrough_comes_at_once_and_makes_room_later() -> None:
    one = started()
    for second in (1, 2, 3):
        wait = one.ended(-11, s_to_ns(second))
        one.started(s_to_ns(second))
    assert one.budget.spent
    assert wait == 0
    assert one.signal_due(10, s_to_ns(303)) is signal.SIGTERM
    assert one.ended(0, s_to_ns(304)) == 0
    assert one.fate is Fate.QUIET_OVER
    assert not one.budget.spent


def test_a_starved_passthrough_is_a_hang_not_a_crash_of_the_worker() -> None:
    one = started()
    for second in (1, 2, 3):
        one.ended(-11, s_to_ns(second))
        one.started(s_to_ns(second))
    assert one.budget.spent  # from here on it is the passthrough
    for began in (3, 12, 21):
        one.heard(s_to_ns(began + 1))
        for second in (6, 7, 8):
            assert one.signal_due(None, s_to_ns(began + second)) is None
            one.missed(s_to_ns(began + second))
        assert one.signal_due(None, s_to_ns(began + 8)) is signal.SIGKILL
        wait = one.ended(-9, s_to_ns(began + 8))
        assert wait is not None and wait > 0  # the same program again: not at once
        assert one.fate is Fate.HUNG
        one.started(s_to_ns(began + 9))
    # The quiet period still counts from the worker's last crash.
    assert one.signal_due(None, s_to_ns(302.9)) is None
    assert one.signal_due(None, s_to_ns(303)) is signal.SIGTERM


@pytest.mark.parametrize(
    ("key", "value", "role", "read"),
    [
        ("worker_memory_mb", 3, "worker", lambda p: p.memory_bytes == 3 * 2**20),
        ("worker_memory_mb", 0, "worker", lambda p: p.memory_bytes is None),
        ("crash_budget", 7, "worker", lambda p: p.budget.crashes == 7),
        ("crash_window_s", 7, "worker", lambda p: p.budget.window_s == 7),
        ("quiet_s", 7, "worker", lambda p: p.budget.quiet_s == 7),
        ("heartbeat_timeout_s", 7, "egress", lambda p: p.heartbeat_timeout_s == 7),
        ("start_timeout_s", 7, "egress", lambda p: p.start_timeout_s == 7),
    ],
)
def test_settings_reach_the_supervisors(key: str, value: float, role: str, read: object) -> None:
    settings = Settings.model_validate({"orchestrator": {key: value}})
    assert read(supervisor_policies(settings)[role])  # type: ignore[operator]
    assert not read(supervisor_policies(Settings())[role])  # type: ignore[operator]


def test_a_worker_gets_the_time_to_play_out() -> None:
    settings = Settings.model_validate({"worker": {"drain_s": 30}})
    assert supervisor_policies(settings)["worker"].term_s > 30


def test_a_forwarder_whose_input_never_returns_ends_by_itself() -> None:
    machine = EgressMachine(EgressPolicy(patience_s=100), random.Random(1))
    machine.start(0)
    now = 0
    while True:
        machine.exited(now, EgressFailure.INPUT_NOT_READY)
        actions = []
        while not actions:
            now += s_to_ns(0.25)
            actions = machine.tick(now)
        if Action.FINISH in actions:
            break
        assert now < s_to_ns(110)
    assert now >= s_to_ns(100)


def test_a_forwarder_whose_destination_is_away_waits_for_ever() -> None:
    machine = EgressMachine(EgressPolicy(patience_s=100), random.Random(1))
    machine.start(0)
    for second in range(1, 1000):
        machine.exited(s_to_ns(second), EgressFailure.UNREACHABLE)
        assert Action.FINISH not in machine.tick(s_to_ns(second + 0.5))
