"""What the service takes on: what can be done in time, who was there first, and each its share."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Sequence

import pytest

from bench.sts import fifo
from bench.sts.schedules import Fragment, Item, Schedule, Stage, Visit
from dubcast.clock import NS_PER_S
from dubcast.errors import StsError
from dubcast.sts.batcher import Waiting
from dubcast.sts.capacity import Cost, Load, Place
from dubcast.sts.on_air import GONE_S, SILENT_S, OnAir
from dubcast.sts.speed import Speed

# A second of audio makes 0.35 clauses; each takes so long that this is 0.35 s of work.
COSTS = {"asr": Cost(0.1, 0.1), "tts": Cost(1.0, 1.0)}
FREE = {"asr": Cost(0.0, 0.0), "tts": Cost(0.0, 0.0)}


def _enter(load: Load, stream: str, *, at_s: float = 0.0, by_s: float = 8.0) -> Place:
    """A fragment of 6 s, for 2.1 s of synthesis."""
    return load.enter(stream, 6.0, round((at_s + by_s) * NS_PER_S), round(at_s * NS_PER_S), COSTS)


def test_what_cannot_be_done_in_time_is_refused_with_when_to_come_back() -> None:
    load, by_ns = Load(), 12 * NS_PER_S
    for stream in "ababa":
        _enter(load, stream, by_s=12.0)
    # 10.5 s wait before it, and it takes 4.4 s itself.
    with pytest.raises(StsError) as error:
        load.enter("a", 12.0, by_ns, 0, COSTS)
    assert (error.value.code, error.value.retryable) == ("OVERLOADED", True)
    assert error.value.retry_after_s == pytest.approx(2.9, abs=0.1)
    load.enter("a", 12.0, by_ns + 3 * NS_PER_S, 0, COSTS)


def test_nobody_waits_for_longer_than_there_is_something_to_do() -> None:
    load = Load()
    _enter(load, "a")
    with pytest.raises(StsError) as error:
        load.enter("a", 60.0, 8 * NS_PER_S, 0, COSTS)
    assert error.value.retry_after_s == pytest.approx(2.1)


def test_an_earlier_fragment_is_not_made_late_by_a_new_one_that_is_due_before_it() -> None:
    load = Load()
    _enter(load, "a", by_s=3.0)
    with pytest.raises(StsError):
        _enter(load, "b", by_s=2.9)
    _enter(load, "b", by_s=5.0)


def test_one_that_is_late_already_stops_nobody() -> None:
    load = Load()
    _enter(load, "a", by_s=1.0)
    _enter(load, "b", by_s=9.0)


def test_what_is_done_makes_room() -> None:
    load = Load()
    places = [_enter(load, stream) for stream in "aba"]
    with pytest.raises(StsError):
        _enter(load, "b")
    places[0].did("tts")
    _enter(load, "b")
    load.leave(places[1], complete=True)
    _enter(load, "b")
    assert len(load) == 4


def test_what_a_fragment_really_asks_is_what_counts() -> None:
    load = Load()
    place = _enter(load, "a")
    place.expect("tts", 1)
    assert place.work_s(COSTS, "tts") == 1.0
    place.expect("tts", 2)
    place.did("tts")
    assert place.work_s(COSTS, "tts") == 2.0


def test_it_learns_what_a_second_of_audio_asks() -> None:
    """Of fragments that were done: one that failed early says nothing."""
    load = Load()
    for _ in range(100):
        with load.place("a", 6.0, 8 * NS_PER_S, 0, FREE) as place:
            place.expect("tts", 6)
        late = StsError("TIMEOUT", "late", retryable=True)
        with pytest.raises(StsError), load.place("a", 6.0, 8 * NS_PER_S, 0, FREE):
            raise late
    place = load.enter("a", 3.0, 8 * NS_PER_S, 0, FREE)
    assert place.left["tts"] == pytest.approx(3.0, rel=0.1)


def test_as_long_as_nothing_is_known_everything_is_taken_on() -> None:
    load = Load()
    for i in range(50):
        load.enter(f"s{i}", 6.0, 1, 0, FREE)


def _on_air(load: Load, costs: dict[str, Cost], until_s: int = 60) -> None:
    """Three streams that speak all the time; each fragment is done at once."""
    for at_s in range(0, until_s, 6):
        for stream in "abc":
            place = load.enter(stream, 6.0, (at_s + 8) * NS_PER_S, at_s * NS_PER_S, costs)
            load.leave(place, complete=False)


def test_a_new_stream_is_refused_where_those_on_air_need_all_there_is() -> None:
    load, costs = Load(), {"tts": Cost(1.08, 1.08)}
    _on_air(load, costs)
    with pytest.raises(StsError, match="need all there is") as error:
        load.enter("new", 6.0, 63 * NS_PER_S, 55 * NS_PER_S, costs)
    assert error.value.retry_after_s == 10
    load.enter("a", 6.0, 63 * NS_PER_S, 55 * NS_PER_S, costs)


def test_streams_that_have_ended_stand_in_nobodys_way() -> None:
    load, costs = Load(), {"tts": Cost(1.08, 1.08)}
    _on_air(load, costs)
    for at_s in range(64, 100, 6):
        for stream in ("new", "newer"):
            by_ns, now_ns = (at_s + 8) * NS_PER_S, at_s * NS_PER_S
            places = [load.enter(stream, 5.0, by_ns, now_ns, costs) for _ in range(2)]
            for place in places:
                load.leave(place, complete=False)


def test_one_that_fits_in_part_has_what_the_others_leave() -> None:
    load, costs = Load(), {"tts": Cost(0.93, 0.93)}
    _on_air(load, costs)

    def enter(stream: str) -> None:
        load.enter(stream, 6.0, 63 * NS_PER_S, 55 * NS_PER_S, costs)

    # It takes 2 s, and is done in half of its 8 s if no more than one like it waits before it.
    enter("a")
    enter("new")
    with pytest.raises(StsError, match="no more than a part") as error:
        enter("new")
    assert error.value.retry_after_s == pytest.approx(1.86, abs=0.05)
    enter("b")


def test_who_is_alone_is_not_refused_for_being_too_much() -> None:
    load = Load()
    slow = {"tts": Cost(10.0, 10.0)}
    for at_s in range(0, 60, 6):
        place = load.enter("a", 6.0, (at_s + 8) * NS_PER_S, at_s * NS_PER_S, slow)
        load.leave(place, complete=False)


def test_a_stream_holds_no_more_than_its_share_while_others_are_on_air() -> None:
    load = Load()
    for _ in range(5):
        _enter(load, "greedy", by_s=18.0)
    load.leave(_enter(load, "other", by_s=30.0), complete=False)
    _enter(load, "greedy", by_s=18.0)
    with pytest.raises(StsError, match="share"):
        _enter(load, "greedy", by_s=14.0)
    _enter(load, "other", by_s=18.0)


def test_who_is_on_air_and_how_much_it_sends() -> None:
    on_air = OnAir()
    for at_s in range(6, 61, 6):
        on_air.sent("a", 4.5, float(at_s))
        # Three quarters of the time, whenever one looks.
        assert on_air.rates("a", float(at_s)) == (0.0, pytest.approx(0.78, abs=0.07))
    on_air.sent("b", 3.0, 60.0)
    # Of b is known that it spoke for 3 s of 3; before that, what is usual.
    assert on_air.rates("b", 60.0) == (pytest.approx(0.775), pytest.approx(0.83))
    assert on_air.rates("new", 60.0) == (pytest.approx(1.605), pytest.approx(0.8, abs=0.01))
    # For who is silent nothing is kept free, nor for who gets nothing anyhow.
    assert on_air.speaking(60.0) == 2
    assert on_air.speaking(60.0 + SILENT_S) == 0
    assert on_air.rates("new", 60.0 + SILENT_S) == (0.0, pytest.approx(0.8))
    for at_s in range(61, 90, 5):
        on_air.sent("b", 3.0, float(at_s), taken=False)
        on_air.sent("a", 4.0, float(at_s))
    assert on_air.rates("new", 87.0) == (pytest.approx(0.8), pytest.approx(0.8))
    assert on_air.rates("b", 87.0) == (pytest.approx(0.8), pytest.approx(0.6))
    on_air.forget(60.0 + GONE_S)
    assert "a" in on_air and "b" not in on_air
    on_air.forget(87.0 + GONE_S)
    assert len(on_air) == 0 and on_air.rates("b", 90.0) == (0.0, pytest.approx(0.8))


def test_a_speed_is_a_start_and_so_much_an_item() -> None:
    speed = Speed()
    assert (speed.run_s(), speed.item_s(8)) == (0.0, 0.0)
    for size in (1, 2, 4, 8, 4, 2):
        speed.learn(size, 0.1 + 0.02 * size)
    assert speed.item_s(1) == pytest.approx(0.12)
    assert speed.item_s(4) == pytest.approx(0.045)


def test_without_batches_nothing_is_known_of_them() -> None:
    speed = Speed()
    for _ in range(20):
        speed.learn(1, 0.5)
    assert speed.item_s(16) == pytest.approx(0.5)


def test_batches_are_not_expected_to_grow_at_once() -> None:
    speed = Speed()
    for size in (1, 2) * 10:
        speed.learn(size, 0.3)
    # All of it is the start, of which at most three share so far.
    assert speed.item_s(32) == pytest.approx(0.1, rel=0.05)


def test_a_schedule_keeps_the_order_of_streams() -> None:
    assert fifo.measure(30) == 0


class Live:
    """Streams that send fragments of 3-6 s at a delay of 8 s, to a service whose synthesis takes
    0.3 of its length. Each clause is due when its source airs.

    `good`: clauses done in time, by stream, and `spoken` all, of those due after the first 50 s.
    """

    def __init__(self, streams: int) -> None:
        self.rng = random.Random(1)
        stages = {name: Stage.of() for name in ("resample", "asr", "tts")}
        self.schedule = Schedule(stages, self._watch)
        self.schedule.on_end = lambda one: self.load.leave(
            one.place, complete=one.done_s is not None
        )
        self.load = Load()
        self.refused = 0
        self.good: Counter[str] = Counter()
        self.spoken: Counter[str] = Counter()
        for i in range(streams):
            self._send(f"s{i}", self.rng.uniform(0, 6))
        self.schedule.run()
        assert len(self.load) == 0

    def _send(self, stream: str, at_s: float) -> None:
        while at_s < 160:
            audio_s = self.rng.uniform(3, 6)
            at_s += audio_s / 0.8
            count = max(1, round(audio_s / 2.5))
            takes_s = (audio_s / count * 0.3,) * count
            dues = tuple(at_s - audio_s + 7.7 + audio_s * i / count for i in range(count))
            visits = [
                Visit("resample", (0.02,)),
                Visit("asr", (0.45,)),
                Visit("tts", takes_s, dues),
            ]
            one = Fragment(stream, round(1000 * at_s), visits, dues[-1])
            self.schedule.at(at_s, lambda one=one, audio_s=audio_s: self._come(one, audio_s))

    def _come(self, fragment: Fragment, audio_s: float) -> None:
        now_ns = round(self.schedule.now_s * NS_PER_S)
        deadline_ns = round(fragment.deadline_s * NS_PER_S)
        try:
            fragment.place = self.load.enter(
                fragment.stream_id, audio_s, deadline_ns, now_ns, self.schedule.costs()
            )
        except StsError:
            self.refused += 1
            return
        self.schedule.submit(fragment)

    def _watch(self, stage: str, batch: Sequence[Waiting[Item]], done: bool) -> None:
        for one in batch:
            if stage == "tts" and done and one.item.due_s > 50:
                self.spoken[one.stream_id] += 1
                self.good[one.stream_id] += self.schedule.now_s <= one.item.due_s


def test_overload_does_not_take_away_what_can_be_done() -> None:
    """Four streams are what this service can carry; twelve offer three times that."""
    carried, offered = Live(4), Live(12)
    assert carried.good.total() >= 0.97 * carried.spoken.total()
    assert offered.good.total() >= 0.95 * carried.good.total()
    # What is taken on is in time, and whole streams are served instead of a third of each.
    assert offered.good.total() >= 0.95 * offered.spoken.total()
    assert sum(count for _, count in offered.good.most_common(5)) >= 0.9 * offered.good.total()


def test_nobody_is_refused_while_there_is_enough_for_all() -> None:
    live = Live(3)
    assert live.refused == 0
    assert live.good.total() >= 0.97 * live.spoken.total()
