"""Recognition searches widely where nobody is late by it."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator

import pytest

from dubcast.sts.beam import width
from dubcast.sts.engine import Engine
from dubcast.sts.service import Service
from sts_fakes import Script, fake_engine, request

FAR = 10**18


@pytest.fixture
def script() -> Script:
    return Script()


@pytest.fixture
def engine(script: Script) -> Iterator[Engine]:
    engine = fake_engine(script)
    engine.asr_beam = 5
    engine.start()
    assert engine.wait(5) == "ready"
    yield engine
    engine.stop()


@pytest.mark.parametrize(
    ("left_s", "audio_s", "is_busy", "beam"),
    [
        (7.0, 6.0, False, 5),
        (2.8, 6.0, False, 5),
        (2.7, 6.0, False, 1),  # the deadline is near
        (7.0, 6.0, True, 1),  # others wait
        (0.0, 0.1, False, 1),
    ],
)
def test_the_search_is_wide_where_there_is_time(
    left_s: float, audio_s: float, is_busy: bool, beam: int
) -> None:
    assert width(5, left_s, audio_s, is_busy=is_busy) == beam


def test_one_that_is_never_to_be_wide_is_not() -> None:
    assert width(1, 60.0, 1.0, is_busy=False) == 1


@pytest.mark.parametrize(("timeout_ms", "beam"), [(8000, 5), (500, 1)])
def test_recognition_is_asked_for_it(
    engine: Engine, script: Script, timeout_ms: int, beam: int
) -> None:
    asyncio.run(Service(engine, 4).process(request(timeout_ms=timeout_ms)))
    assert [task.beam for batch in script.calls["asr"] for task in batch] == [beam]


def test_a_service_for_which_something_waits_is_busy(engine: Engine, script: Script) -> None:
    free = threading.Event()
    script.hooks["mt"] = lambda _: free.wait(5)
    assert not engine.is_busy
    first = engine.mt.submit("x", "a", FAR)  # type: ignore[arg-type]
    script.wait_for("mt")
    second = engine.mt.submit("y", "b", FAR)  # type: ignore[arg-type]
    assert engine.is_busy
    free.set()
    assert [first.result(5).value, second.result(5).value]
    assert not engine.is_busy
