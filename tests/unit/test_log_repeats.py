"""A line that repeats is written once, then at most once a minute with its count."""

from __future__ import annotations

import json

import pytest
import structlog

from dubcast import log
from dubcast.config import LogSettings
from dubcast.log_repeats import Repeats


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


def away(number: int) -> dict[str, str]:
    return {"event": "input ended", "reason": f"rtmp2src{number}: refused (0x7f{number:x})"}


def test_a_source_that_stays_away_is_told_once_a_minute() -> None:
    clock = Clock()
    repeats = Repeats(clock)
    told = []
    for number in range(600):  # three a second
        clock.now = number / 3
        left_out = repeats.left_out(away(number))
        if left_out is not None:
            told.append((round(clock.now), left_out))
    assert told == [(0, 0), (60, 179), (120, 179), (180, 179)]


def test_lines_that_differ_are_all_told() -> None:
    repeats = Repeats(Clock())
    lines = [{"event": "egress.try", "attempt": n, "destination": f"tv{n}"} for n in range(5)]
    assert [repeats.left_out(line) for line in lines] == [0] * 5


def test_lines_that_take_turns_are_each_told_once() -> None:
    repeats = Repeats(Clock())
    lines = [{"event": "a"}, {"event": "b"}] * 3
    assert [repeats.left_out(line) for line in lines] == [0, 0, None, None, None, None]


def test_what_is_remembered_has_a_limit() -> None:
    repeats = Repeats(Clock())
    for number in range(2000):
        repeats.left_out({"event": str(number)})
    assert len(repeats._seen) == 256


def test_each_step_of_a_state_is_told(capsys: pytest.CaptureFixture[str]) -> None:
    try:
        log.setup(LogSettings(format="json"), "worker")
        for _ in range(3):
            log.get("x").info("state", state="live", before="waiting")
            log.get("x").info("state", state="waiting", before="live")
            log.get("x").info("input ended", reason="refused")
    finally:
        structlog.reset_defaults()
        log._BASE.clear()
    events = [json.loads(line)["event"] for line in capsys.readouterr().err.splitlines()]
    assert events.count("state") == 6
    assert events.count("input ended") == 1
