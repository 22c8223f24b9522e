"""The judge of `make bench-sts`: what the figures are, and bars that depend on the machine."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from rich.console import Console

from bench import parts
from bench.parts import Found, Part
from bench.sts import against_base, capacity
from dubcast.config import Settings
from dubcast.errors import MissingPartError
from dubcast.measure.figures import Bar
from dubcast.measure.live_load import Level, Programme
from dubcast.measure.live_streams import Capacity, Target


def _level(streams: int, in_time: int, refusal_ms: float | None = None) -> Level:
    return Level(streams, 10.0, 100, in_time, 0, 0, refusal_ms, None)


def _capacity(streams: int, *levels: Level) -> Capacity:
    return Capacity(Target("http://sts"), streams, levels, Programme((), 0.0))


def test_goodput_under_overload_is_against_the_best() -> None:
    found = _capacity(2, _level(1, 40), _level(2, 80), _level(3, 60))
    assert capacity.figures(found, _level(6, 76, 12.5)) == {
        "streams_2cores": 2,
        "goodput_3x": 0.95,
        "refusal_ms": 12.5,
    }


def test_goodput_that_is_best_under_overload_is_whole() -> None:
    assert capacity.figures(_capacity(1, _level(1, 40)), _level(3, 50))["goodput_3x"] == 1.0


def test_a_service_that_dubs_nothing_has_no_goodput() -> None:
    found = capacity.figures(_capacity(0, _level(1, 0)), _level(3, 0))
    assert (found["goodput_3x"], found["refusal_ms"]) == (0.0, 0.0)


def test_a_commit_that_is_not_here_is_a_clear_error(tmp_path: Path) -> None:
    with pytest.raises(MissingPartError, match="0000000 is not in this clone"):
        against_base.unpacked("0000000", tmp_path)


@pytest.mark.parametrize(("limit", "status"), [(3, 1), (2, 0)])
def test_a_part_may_find_its_bars_on_the_machine(
    limit: int, status: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)

    def measure(_: Settings, __: Path, ___: Console) -> Found:
        return Found({"streams": 2}, bars=(Bar("streams", ">=", limit),))

    assert parts.run("sts", [Part("capacity", (), measure)], "capacity") == status
    told = json.loads((tmp_path / "build/bench/sts-capacity.json").read_text())
    assert told["figures"] == {"streams": 2}
