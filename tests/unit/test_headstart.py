"""Back on air after a crash: the short delay, and the one step back. Virtual time."""

from __future__ import annotations

import itertools
from collections.abc import Callable

import numpy as np
import pytest
from test_scheduler import FRAME, S, Simulation

from dubcast.audio.pcm import RATE
from dubcast.contract.worker import Outcome
from dubcast.worker.scheduler import Tracks

DELAY, SHORT = 8.0, 1.0


class Timed(Simulation):
    """A simulation in which things happen at set times, in seconds from the first packet."""

    def __post_init__(self) -> None:
        super().__post_init__()
        self.plan: dict[float, Callable[[], object]] = {}

    def poll(self) -> None:
        for due in [at for at in self.plan if self.now - self.media_start >= at * S]:
            self.plan.pop(due)()
        super().poll()


def resumed(**options: object) -> Timed:
    one = Timed(**options)  # type: ignore[arg-type]
    one.core.resume(SHORT)
    return one


def left_dts(one: Simulation) -> list[int]:
    """The DTS of each access unit as it leaves."""
    return [unit.dts_ns + unit.shift_ns for _, unit in one.video]


def test_pictures_leave_at_the_short_delay_then_at_the_full_one() -> None:
    one = resumed()
    one.core.set_output(Tracks.BOTH)
    one.run(20)
    first = one.video[0][1].dts_ns
    waits = [(at - one.media_start - (unit.dts_ns - first)) / S for at, unit in one.video]
    before = [wait for wait in waits if wait < 2]
    after = waits[len(before) :]
    assert len(before) == pytest.approx(30 * (DELAY - SHORT), abs=2)
    assert all(SHORT <= wait <= SHORT + 0.006 for wait in before)
    assert len(after) > 300
    assert all(DELAY <= wait <= DELAY + 0.006 for wait in after)


def test_neither_track_has_a_gap_and_timestamps_grow() -> None:
    one = resumed()
    one.core.set_output(Tracks.BOTH)
    one.run(20)
    video = left_dts(one)
    assert all(abs(b - a - FRAME) < 1000 for a, b in itertools.pairwise(video))
    assert max(b - a for (a, _), (b, _) in itertools.pairwise(one.video)) < 0.05 * S
    ends = [block.pts_ns + len(block.samples) * S // RATE for _, block in one.audio]
    starts = [block.pts_ns for _, block in one.audio]
    assert all(abs(b - a) <= 21_000 for a, b in zip(ends, starts[1:], strict=False))


def test_both_tracks_step_to_the_same_moment() -> None:
    """What is shown and heard together before the step is so after it."""
    one = resumed()
    one.core.set_output(Tracks.BOTH)
    one.run(20)
    shift_video = {unit.shift_ns for _, unit in one.video}
    shift_audio = {block.shift_ns for _, block in one.audio}
    assert shift_video == shift_audio == {0, round((DELAY - SHORT) * S)}
    stepped_video = next(unit for _, unit in one.video if unit.shift_ns)
    stepped_audio = next(block for _, block in one.audio if block.shift_ns)
    assert stepped_video.key
    assert abs(stepped_audio.start * S // RATE - stepped_video.dts_ns) <= 21_000


def test_nothing_of_the_stream_is_missing_after_the_step() -> None:
    one = resumed()
    one.core.set_output(Tracks.BOTH)
    one.run(20)
    again = [unit.dts_ns for _, unit in one.video if unit.shift_ns]
    first = one.video[0][1].dts_ns
    assert again[0] == first
    assert all(b - a <= FRAME + 10 for a, b in itertools.pairwise(again))


def test_speech_is_not_decided_before_the_step_and_dubbed_after_it() -> None:
    one = resumed(loud=((1.0, 3.0),))
    one.core.set_output(Tracks.BOTH)

    def replied() -> None:
        assert one.cut and not one.decided
        one.reply(one.cut[0], 1.5)

    one.plan = {5.0: replied}
    one.run(14)
    assert not one.plan
    assert [fragment.outcome for fragment in one.decided][:1] == [Outcome.DUBBED]


def test_the_seam_is_faded() -> None:
    one = resumed(loud=((0.0, 30.0),))
    one.core.set_output(Tracks.BOTH)
    one.run(12)
    step = next(i for i, (_, block) in enumerate(one.audio) if block.shift_ns)
    before, after = one.audio[step - 1][1].samples, one.audio[step][1].samples
    assert abs(int(before[-1, 0])) < 100 and abs(int(after[0, 0])) < 100
    assert abs(int(before[-600, 0])) > 1000 and abs(int(after[600, 0])) > 100


def test_audio_alone_steps_as_well() -> None:
    one = resumed()
    one.plan = {0.3: lambda: one.core.set_output(Tracks.SOUND)}
    one.run(15, video=False)
    assert {block.shift_ns for _, block in one.audio} == {0, round((DELAY - SHORT) * S)}
    assert not one.core.view().resuming


def test_a_publisher_who_returns_before_the_step_is_stepped_back_to() -> None:
    one = resumed()
    one.core.set_output(Tracks.BOTH)
    one.run(3)
    one.core.input_ended()
    one.run(1, publishing=False)
    again = one.now
    one.run(12)
    stepped = next((at, unit) for at, unit in one.video if unit.shift_ns)
    assert stepped[0] >= again + round((DELAY - 0.01) * S)
    video = left_dts(one)
    assert all(b > a for a, b in itertools.pairwise(video))


def test_an_output_that_reconnects_misses_nothing_after_the_step() -> None:
    one = resumed()
    one.core.set_output(Tracks.BOTH)
    one.plan = {
        4.0: lambda: one.core.set_output(Tracks.NONE),
        5.0: lambda: one.core.set_output(Tracks.BOTH),
    }
    one.run(17)
    again = [unit.dts_ns for _, unit in one.video if unit.shift_ns]
    assert again[0] == one.video[0][1].dts_ns
    assert all(b > a for a, b in itertools.pairwise(left_dts(one)))


def test_without_a_crash_nothing_changes() -> None:
    plain, resumed_fully = Simulation(), Simulation()
    resumed_fully.core.resume(DELAY)
    for one in (plain, resumed_fully):
        one.core.set_output(Tracks.BOTH)
        one.run(12)
    assert plain.video == resumed_fully.video
    pairs = zip(plain.audio, resumed_fully.audio, strict=True)
    assert all(a[0] == b[0] and np.array_equal(a[1].samples, b[1].samples) for a, b in pairs)
