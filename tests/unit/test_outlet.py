"""How what is due is split between a connection and the one that takes over from it."""

from __future__ import annotations

import numpy as np
import pytest

from dubcast.audio.pcm import RATE, samples_to_ns
from dubcast.clock import NS_PER_S
from dubcast.worker.outlet import Outlet, divided
from dubcast.worker.scheduler import AudioBlock, Batch, ScriptUnit, VideoUnit

CUT = 2 * NS_PER_S


class Sink:
    """An output that takes everything."""

    def __init__(self) -> None:
        self.batches: list[Batch] = []

    def push(self, batch: Batch, now: int) -> None:
        self.batches.append(batch)

    def starts(self) -> list[int]:
        return [block.start for batch in self.batches for block in batch.audio]


def block(start: int, count: int = RATE // 10) -> AudioBlock:
    samples = np.arange(start, start + count).astype(np.int16)
    due_ns = samples_to_ns(start) + 8 * NS_PER_S
    return AudioBlock(start, np.stack([samples, samples], axis=1), 0, due_ns)


def batch(*blocks: AudioBlock) -> Batch:
    units = [VideoUnit(t, t, False, None) for t in (CUT - 1, CUT, CUT + 1)]
    scripts = [ScriptUnit(CUT - 1, b"before"), ScriptUnit(CUT, b"after")]
    return Batch(NS_PER_S, list(blocks), units, scripts)


@pytest.mark.parametrize("start", [2 * RATE - RATE // 10, 2 * RATE - 1234, 2 * RATE - 1, 2 * RATE])
def test_every_sample_picture_and_script_goes_to_one_of_the_two(start: int) -> None:
    whole = block(start)
    before, after = divided(batch(whole), CUT)
    assert [unit.dts_ns - CUT for unit in before.video] == [-1]
    assert [unit.dts_ns - CUT for unit in after.video] == [0, 1]
    assert ([one.body for one in before.script], [one.body for one in after.script]) == (
        *([b"before"], [b"after"]),
    )
    parts = [*before.audio, *after.audio]
    assert np.array_equal(np.concatenate([part.samples for part in parts]), whole.samples)
    assert all(part.start + len(part.samples) <= 2 * RATE for part in before.audio)
    assert all(part.start >= 2 * RATE for part in after.audio)
    for part in parts:
        assert part.due_ns == pytest.approx(samples_to_ns(part.start) + 8 * NS_PER_S, abs=2)
    assert (before.start_ns, after.start_ns) == (NS_PER_S, CUT)


def test_what_lies_beyond_the_split_waits_for_the_next_output() -> None:
    outlet, first, second = Outlet(), Sink(), Sink()
    outlet.open(first)
    outlet.push(batch(block(RATE)), 0)
    outlet.split(CUT)
    outlet.push(batch(block(2 * RATE - 100)), 1)
    assert outlet.close() is first
    outlet.push(batch(block(2 * RATE + 4700)), 2)  # nobody takes it, and nothing is lost
    outlet.open(second)
    outlet.push(batch(block(3 * RATE)), 3)
    assert first.starts() == [RATE, 2 * RATE - 100]
    assert second.starts() == [2 * RATE, 2 * RATE + 4700, 3 * RATE]
    assert outlet.output is second


def test_the_split_is_over_when_its_picture_is_here_and_not_with_the_sound_ahead_of_it() -> None:
    outlet = Outlet()
    outlet.open(Sink())
    outlet.push(batch(block(RATE)), 0)
    outlet.split(CUT)
    seen = [outlet.split_over]
    for due in (Batch(audio=[block(2 * RATE)]), Batch(video=[VideoUnit(CUT, CUT, True, None)])):
        outlet.push(due, 1)
        seen.append(outlet.split_over)
    outlet.open(Sink())
    assert [*seen, outlet.split_over] == [False, False, True, False]


def test_what_was_kept_for_an_output_that_never_came_is_dropped() -> None:
    outlet, late = Outlet(), Sink()
    outlet.split(CUT)
    outlet.push(batch(block(3 * RATE)), 0)
    outlet.drop()
    outlet.open(late)
    assert late.batches == []
    outlet.push(batch(block(4 * RATE)), 1)
    assert late.starts() == [4 * RATE]


def test_without_an_output_what_is_due_is_gone() -> None:
    outlet, sink = Outlet(), Sink()
    outlet.push(batch(block(RATE)), 0)
    outlet.open(sink)
    assert sink.batches == []
