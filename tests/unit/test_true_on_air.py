"""`live` is said only while it is true: a whole worker in virtual time, a speech service that goes
wrong, and what the control plane makes of the worker's news.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from dubcast.audio.pcm import RATE, Int16
from dubcast.contract.sts import LeftAlone
from dubcast.errors import PolicyError, StsError
from dubcast.metrics import WorkerMetrics
from dubcast.orchestrator.stream import Event
from dubcast.orchestrator.worker_event import worker_event
from dubcast.processes.supervisor import ChildState, Supervisor, SupervisorPolicy
from dubcast.testing import virtual_loop
from dubcast.testing.virtual_loop import VirtualLoop
from dubcast.worker import worker as worker_module
from dubcast.worker.edges import Edges
from dubcast.worker.endpoint import Endpoint
from dubcast.worker.output_thread import OutputThread
from dubcast.worker.worker import Worker
from worker_fakes import (
    CHUNK,
    LevelVad,
    Read,
    ScriptedDestination,
    ScriptedSource,
    at_once,
    drive,
    dub_reply,
    pcm,
    spec,
)

DELAY_S = 6
EVERY_S = 4  # a sentence of 2 s every 4 s
WRONG_S, RIGHT_S = 12, 28  # the service goes wrong, and is back
END_S = 54
TALK = [(float(at), at + 2.0) for at in range(2, END_S + 6, EVERY_S)]
# A sentence is cut after a short pause, sent, and refused: all within the next one.
ONE_FRAGMENT_S = EVERY_S + 1.0


class InLoop(OutputThread):
    """The output thread's rounds, made in the virtual loop."""

    def start(self) -> None:
        self.task = asyncio.create_task(drive(self))

    def close(self) -> None:
        self.task.cancel()


PAGES = {
    "/api/v1/languages": b'{"pairs": [{"source": "en", "target": "pt-BR"}]}',
    "/api/v1/voices": b'{"voices": [{"name": "pf_dora", "language": "pt-BR", "gender": "female"}]}',
}
Fault = Callable[[], StsError]


def refusing(code: str, *, retryable: bool = False, wait_s: float | None = None) -> Fault:
    return lambda: StsError(code, "scripted", retryable=retryable, retry_after_s=wait_s)


class Show:
    """A worker on air for a good minute; the service fails with `fault` from `from_s` to `until_s`.

    `told`: event, reason and detail for the stream, by the half second.
    """

    def __init__(
        self,
        monkeypatch: pytest.MonkeyPatch,
        fault: Fault,
        *,
        from_s: float = WRONG_S,
        until_s: float = RIGHT_S,
        talk: list[tuple[float, float]] = TALK,
        policy: dict[str, Any] | None = None,
    ) -> None:
        monkeypatch.setattr(worker_module, "OutputThread", InLoop)
        monkeypatch.setattr(Endpoint, "post", self.post)
        monkeypatch.setattr(Endpoint, "ping", self.ping)
        monkeypatch.setattr(Endpoint, "get", self.get)
        self.loop = VirtualLoop()
        self.fault, self.from_s, self.until_s = fault, from_s, until_s
        self.told: list[tuple[float, Event, str, str]] = []
        source = ScriptedSource(self.loop, Read(media_s=END_S + 10, talk=talk))
        self.there = ScriptedDestination(self.loop)
        edges = Edges(source, self.there, LevelVad, self.loop, at_once)
        asked = spec(policy={"delay_s": DELAY_S, **(policy or {})})
        self.worker = Worker(asked, WorkerMetrics("demo"), edges)
        self.supervisor = Supervisor(
            Any,
            self.loop,
            SupervisorPolicy(),
            lambda _: None,  # type: ignore[arg-type]
        )
        self.supervisor.life.state = ChildState.RUNNING

    def down(self) -> bool:
        return self.from_s <= self.loop.time() < self.until_s

    async def post(self, *_: Any, **__: Any) -> Any:
        await asyncio.sleep(0.5)
        if self.down():
            raise self.fault()
        return dub_reply(np.full(RATE, 0.2, np.float32), transcript="a", translated_text="b",
                         tempo=1.0, speech_start_ms=None, speech_end_ms=None)  # fmt: skip

    async def get(self, path: str) -> bytes:
        if self.down():
            raise self.fault()
        return PAGES[path]

    async def ping(self) -> bool:
        return not self.down()

    def run(self) -> Show:
        async def look() -> None:
            while True:
                await asyncio.sleep(0.5)
                self.supervisor.status = self.worker.status().model_dump(mode="json")
                news = worker_event(self.supervisor, output_ready=True)
                self.told.append((self.loop.time(), news.event, news.reason, news.detail))

        async def main() -> None:
            looking = asyncio.create_task(look())
            self.loop.call_later(END_S, self.worker.stop)
            await self.worker.run()
            looking.cancel()

        virtual_loop.run(main(), self.loop)
        return self

    def states(self, from_s: float, until_s: float) -> set[tuple[Event, str, str]]:
        return {(event, *rest) for at, event, *rest in self.told if from_s <= at < until_s}


LIVE = (Event.WORKER_LIVE, "on_air", "")


@pytest.mark.parametrize(
    ("fault", "detail", "back_s"),
    [
        (refusing("UNAVAILABLE", retryable=True), "sts_unreachable", 20),
        (refusing("MODEL_ERROR", retryable=True), "sts_failing", 20),
        (refusing("INVALID_INPUT"), "language_refused", 20),
        (refusing("OVERLOADED", retryable=True, wait_s=4), "overloaded", 20),
        (refusing("UNAUTHORIZED"), "sts_refused_key", None),
    ],
)
def test_it_is_degraded_within_a_fragment_and_live_when_dubs_are_back(
    monkeypatch: pytest.MonkeyPatch, fault: Fault, detail: str, back_s: float | None
) -> None:
    one = Show(monkeypatch, fault).run()
    not_dubbing = (Event.WORKER_DEGRADED, "not_dubbing", detail)
    assert one.states(DELAY_S + 1, WRONG_S) == {LIVE}
    assert one.states(WRONG_S + ONE_FRAGMENT_S, RIGHT_S) == {not_dubbing}
    # Nothing that was said before the service came back is dubbed.
    assert one.states(RIGHT_S, RIGHT_S + DELAY_S - EVERY_S) == {not_dubbing}
    if back_s is not None:
        assert one.states(RIGHT_S + back_s, END_S - 1) == {LIVE}
        dubbed = one.worker.status().fragments
        assert dubbed["dubbed"] > dubbed["failed"] / 2


def test_a_policy_that_cannot_be_served_is_refused_before_anything_is_on_air(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    asked = {"target_language": "klingon"}
    one = Show(monkeypatch, refusing("UNAVAILABLE"), from_s=999, policy=asked)
    with pytest.raises(PolicyError, match="en to pt-BR") as raised:
        one.run()
    assert raised.value.exit_code == 2
    assert one.there.outputs == [] or one.there.outputs[0].audio == []
    one.supervisor.last_status = one.worker.status().model_dump(mode="json")
    one.supervisor.life.state = ChildState.FAILED
    news = worker_event(one.supervisor, output_ready=False)
    assert (news.event, news.reason) == (Event.WORKER_FAILED, "policy_refused")
    assert "'klingon'" in news.message
    assert "en to pt-BR" in news.message


def test_a_service_that_is_away_at_the_start_refuses_nothing(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    asked = {"target_language": "klingon"}
    one = Show(monkeypatch, refusing("UNAVAILABLE"), from_s=0, until_s=999, policy=asked).run()
    assert one.states(20, END_S - 1) == {(Event.WORKER_DEGRADED, "not_dubbing", "sts_unreachable")}


def test_where_nobody_speaks_a_dead_service_is_no_fault(monkeypatch: pytest.MonkeyPatch) -> None:
    one = Show(monkeypatch, refusing("UNAVAILABLE"), from_s=0, until_s=999, talk=[]).run()
    assert one.states(DELAY_S + 1, END_S - 1) == {LIVE}


def test_silence_after_a_dead_service_does_not_hide_it(monkeypatch: pytest.MonkeyPatch) -> None:
    quiet = [span for span in TALK if span[0] < RIGHT_S - 8]
    one = Show(monkeypatch, refusing("UNAVAILABLE"), until_s=999, talk=quiet).run()
    assert one.states(WRONG_S + DELAY_S, END_S - 1) == {
        (Event.WORKER_DEGRADED, "not_dubbing", "sts_unreachable")
    }


class Native(Show):
    """The service leaves what is said meanwhile alone: it needs no dub."""

    async def post(self, *_: Any, **__: Any) -> Any:
        if not self.down():
            return await super().post()
        reply = dub_reply(None, left_alone=LeftAlone.TARGET_LANGUAGE, detected_language="pt-BR")
        return reply


def test_what_is_left_alone_plays_as_it_came_and_is_no_fault(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    silence = {"fallback": "silence"}
    one = Native(monkeypatch, refusing("UNAVAILABLE"), policy=silence).run()
    assert one.states(DELAY_S + 1, END_S - 1) == {LIVE}
    status = one.worker.status()
    assert set(status.fragments) == {"dubbed", "left_alone"}
    assert (
        status.fragments["left_alone"]
        == status.left_alone["target_language"]
        == (RIGHT_S - WRONG_S) / EVERY_S
    )
    assert status.sts[0].state == "closed"
    (output,) = one.there.outputs
    out = np.concatenate([block.samples for block in output.audio])
    # From the silence before the first of these words to that before the first dubbed again.
    first, last = round((WRONG_S + 1.8) * RATE), round((RIGHT_S - 2.2) * RATE)
    assert np.array_equal(out[first:last], as_it_came(first, last))


def as_it_came(first: int, last: int) -> Int16:
    """The sound of the source from one position to another."""
    chunks = range(first - first % CHUNK, last + CHUNK, CHUNK)
    loud = [any(a <= at / RATE < b for a, b in TALK) for at in chunks]
    sound = b"".join(pcm(at, loud=one) for at, one in zip(chunks, loud, strict=True))
    samples = np.frombuffer(sound, "<i2").reshape(-1, 2)
    return samples[first - chunks[0] : last - chunks[0]]
