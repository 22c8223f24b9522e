"""Retries are paid for by calls."""

from __future__ import annotations

import inspect

from dubcast.worker.retries import PROCESS_BUDGET, RetryBudget
from dubcast.worker.sts_client import StsClient


def retries(calls: int, share: float) -> int:
    """How many retries so many calls pay for, each taken as soon as it can be."""
    budget, made = RetryBudget(), 0
    for _ in range(calls):
        budget.called(share)
        if budget.allows(share):
            budget.retried()
            made += 1
    return made


def test_the_first_fault_may_be_retried_and_then_a_share_of_the_calls() -> None:
    assert retries(1, 0.1) == 1
    assert retries(10, 0.1) == 2
    assert retries(1000, 0.1) == 101
    assert retries(1000, 1.0) == 1000


def test_without_a_share_nothing_is_retried() -> None:
    assert retries(1000, 0.0) == 0


def test_a_long_good_time_does_not_save_up_for_a_storm() -> None:
    budget = RetryBudget()
    for _ in range(10_000):
        budget.called(0.1)
    storm = 0
    while budget.allows(0.1):
        budget.retried()
        storm += 1
    assert storm == 10


def test_all_clients_of_a_process_share_one() -> None:
    assert inspect.signature(StsClient).parameters["budget"].default is PROCESS_BUDGET
