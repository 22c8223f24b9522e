"""The worker's edge of separation against real processes that fail in every way."""

from __future__ import annotations

import os
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest

import fake_separator
from dubcast.audio.pcm import Float, Int16
from dubcast.backoff import BackoffPolicy
from dubcast.separation.client import ClientSettings, SeparationClient, SeparationState
from dubcast.separation.recovery import RecoveryPolicy

QUICK = RecoveryPolicy(
    restarts=2, window_s=600, backoff=BackoffPolicy(first_s=0.05, floor_s=0.05, cap_s=0.1)
)
LIMIT_S = 60.0


class Rig:
    """A client, what it delivered, and the processes that it started."""

    def __init__(self, folder: Path, mode: str, **settings: object) -> None:
        self.journal = folder / "journal"
        self.got: list[tuple[int, Int16, Float]] = []
        self.threads: set[str] = set()
        chosen = {"separator": "dfn3", "recovery": QUICK, "nice": 0, "hang_s": 1.0, "queue_s": 20.0}
        command = [sys.executable, fake_separator.__file__, mode, str(self.journal)]
        self.client = SeparationClient(
            self._take,
            ClientSettings(**{**chosen, **settings}),  # type: ignore[arg-type]
            command,
        )

    def _take(self, start: int, background: Int16, share: Float) -> None:
        self.threads.add(threading.current_thread().name)
        self.got.append((start, background, share))

    def wait(self, condition: Callable[[], object]) -> None:
        end = time.monotonic() + LIMIT_S
        while not condition():
            assert time.monotonic() < end, (self.client.state, self.client.reason, self.started())
            time.sleep(0.02)

    def feed(self, start: int, source: Int16) -> None:
        for at in range(0, len(source), 1_024):
            self.client.feed(start + at, source[at : at + 1_024])

    def started(self) -> list[str]:
        lines = self.journal.read_text().splitlines() if self.journal.exists() else []
        return [line.split()[0] for line in lines]

    def pids(self) -> list[int]:
        return [int(line.split()[1]) for line in self.journal.read_text().splitlines()]


@pytest.fixture
def rig(tmp_path: Path) -> Iterator[Callable[..., Rig]]:
    rigs: list[Rig] = []

    def make(mode: str, **settings: object) -> Rig:
        rigs.append(Rig(tmp_path, mode, **settings))
        return rigs[-1]

    yield make
    for one in rigs:
        one.client.close()
        for pid in one.pids() if one.journal.exists() else []:
            with pytest.raises(ProcessLookupError):
                os.kill(pid, 0)  # none of ours is left


def sound(frames: int) -> Int16:
    rng = np.random.default_rng(0)
    return (rng.integers(-8_000, 8_000, (frames, 2)) * 2).astype(np.int16)


def test_backgrounds_come_with_their_positions_and_the_tail_at_the_close(
    rig: Callable[..., Rig],
) -> None:
    one = rig("well")
    one.client.start()
    source = sound(100_001)
    one.feed(5_000, source)
    one.wait(lambda: len(one.got) > 0)
    assert one.client.state is SeparationState.RUNNING
    assert one.client.name == "dfn3"
    one.client.close()
    one.client.close()
    assert one.client.state is SeparationState.CLOSED
    at = 5_000
    for start, background, share in one.got:
        assert start == at
        assert np.array_equal(background, source[at - 5_000 : at - 5_000 + len(background)] // 2)
        assert len(share) == -(-len(background) // 480)
        at += len(background)
    assert at == 5_000 + len(source)
    assert one.threads == {"separation"}
    assert one.client.restarts == one.client.dropped == 0


@pytest.mark.parametrize(
    ("fault", "reason"),
    [
        ("crash", "exit code 1"),
        ("abort", "SIGABRT"),
        ("hang", "hangs for"),
        ("garbage", "garbage from the process: no frame"),
        ("liar", "was not fed"),
    ],
)
def test_a_fault_is_contained_and_told_and_another_separator_goes_on(
    rig: Callable[..., Rig], fault: str, reason: str
) -> None:
    one = rig(f"{fault}:dfn3", recovery=RecoveryPolicy(1, 600, QUICK.backoff))
    reasons: set[str] = set()
    one.client.start()
    position = 0

    def talk() -> bool:
        nonlocal position
        reasons.add(one.client.reason)
        one.feed(position, sound(4_800))
        position += 4_800
        return one.client.name == "nsnet2" and one.client.state is SeparationState.RUNNING

    one.wait(talk)
    assert any(reason in told for told in reasons)
    assert one.started() == ["dfn3", "dfn3", "nsnet2"]
    assert one.client.restarts == 2
    one.feed(position, sound(48_000))
    one.wait(lambda: one.got and one.got[-1][0] + len(one.got[-1][1]) >= position)
    assert one.got[-1][1].any()


def test_what_is_not_installed_is_not_tried_twice(rig: Callable[..., Rig]) -> None:
    one = rig("missing")
    one.client.start()
    one.wait(lambda: one.client.state is SeparationState.OFF)
    assert one.started() == ["dfn3", "nsnet2", "centre"]
    assert "models pull" in one.client.reason
    one.client.feed(0, sound(1_024))  # harmless


def test_a_process_that_never_becomes_ready_is_given_up(rig: Callable[..., Rig]) -> None:
    one = rig("mute:dfn3", start_s=5.0, recovery=RecoveryPolicy(0, 600, QUICK.backoff))
    one.client.start()
    one.wait(lambda: one.client.state is SeparationState.RUNNING)
    assert one.started() == ["dfn3", "nsnet2"]


def test_feeding_never_waits_and_what_is_dropped_is_counted(rig: Callable[..., Rig]) -> None:
    one = rig("mute", queue_s=1.0)
    one.client.start()
    began = time.monotonic()
    one.feed(0, sound(480_000))
    assert time.monotonic() - began < 5.0
    one.wait(one.started)
    [reader] = one.pids()
    taken = 480_000 - 48_000 - one.client.dropped
    assert -5_120 <= taken <= 35_000  # whole batches; at most what a pipe holds
    assert one.client.waiting_s <= 1.0
    os.kill(reader, 0)  # it is there all the time, and reads nothing
    assert one.client.restarts == 0


def test_a_hung_process_is_cut_off_at_the_close(rig: Callable[..., Rig]) -> None:
    one = rig("hang", hang_s=600.0, close_s=1.5)
    one.client.start()
    one.feed(0, sound(96_000))
    one.wait(lambda: len(one.got) > 0)
    [hung] = one.pids()
    os.kill(hung, 0)
    began = time.monotonic()
    one.client.close()
    assert 0.5 <= time.monotonic() - began < 10.0  # SIGTERM comes after a third of 1.5 s
    assert one.client.state is SeparationState.CLOSED


def test_closing_what_never_started_is_harmless(rig: Callable[..., Rig]) -> None:
    one = rig("well")
    one.client.close()
    assert one.client.state is SeparationState.CLOSED


def test_a_program_that_is_not_there_is_reported() -> None:
    client = SeparationClient(
        lambda *_: None,
        ClientSettings(separator="mute", recovery=RecoveryPolicy(0, 600, QUICK.backoff)),
        ["/nonexistent/separator"],
    )
    client.start()
    end = time.monotonic() + LIMIT_S
    while client.state is not SeparationState.OFF:
        assert time.monotonic() < end, client.state
        time.sleep(0.02)
    client.close()
    assert "cannot be started" in client.reason
