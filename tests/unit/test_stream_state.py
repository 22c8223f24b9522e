"""The stream's transition table, in virtual time."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dubcast.clock import s_to_ns
from dubcast.contract.streams import StreamState
from dubcast.mediaserver.interface import PathSource
from dubcast.orchestrator.stream import Action, Event, Phase, Stream, StreamPolicy, step

A = PathSource("live/abc/in", "source-a")
B = PathSource("live/abc/in", "source-b")
S = StreamState


def at(seconds: float) -> int:
    return s_to_ns(seconds)


def on_air() -> Stream:
    stream = Stream("abc", StreamPolicy(grace_s=60), 0)
    assert stream.observed(A, at(1)) == (Action.START,)
    assert stream.worker(Event.WORKER_LIVE, "on_air", at(2)) == ()
    assert stream.state is S.LIVE
    return stream


def test_seeing_the_publisher_again_starts_nothing() -> None:
    stream = on_air()
    for second in range(3, 100):
        assert stream.observed(A, at(second)) == ()
    assert (stream.state, stream.since_ns, stream.sessions) == (S.LIVE, at(2), 1)


def test_a_publisher_back_within_grace_keeps_the_worker() -> None:
    stream = on_air()
    assert stream.observed(None, at(10)) == ()
    assert stream.state is S.GRACE
    assert stream.observed(None, at(69)) == ()
    assert stream.observed(B, at(69.5)) == ()
    assert (stream.state, stream.reason, stream.sessions) == (S.STARTING, "publisher_back", 2)
    assert stream.worker(Event.WORKER_LIVE, "on_air", at(70)) == ()
    assert stream.state is S.LIVE


def test_grace_over_stops_everything_once() -> None:
    stream = on_air()
    stream.observed(None, at(10))
    assert stream.observed(None, at(69.9)) == ()
    assert stream.observed(None, at(70)) == (Action.STOP,)
    assert stream.observed(None, at(71)) == ()
    stream.stopped(at(72))
    assert stream.state is S.IDLE


def test_grace_starts_anew_with_each_loss() -> None:
    stream = on_air()
    stream.observed(None, at(10))
    stream.observed(B, at(60))
    stream.observed(None, at(65))
    assert stream.observed(None, at(124)) == ()
    assert stream.observed(None, at(125)) == (Action.STOP,)


def test_no_grace_stops_at_once() -> None:
    stream = Stream("abc", StreamPolicy(grace_s=0), 0)
    stream.observed(A, at(1))
    assert stream.observed(None, at(2)) == (Action.STOP,)


def test_a_publisher_back_while_stopping_is_served_after() -> None:
    stream = on_air()
    stream.observed(None, at(10))
    stream.observed(None, at(70))
    assert stream.observed(B, at(71)) == ()
    stream.stopped(at(72))
    assert stream.observed(B, at(73)) == (Action.START,)


def test_a_source_that_changed_between_two_looks_is_a_new_session() -> None:
    stream = on_air()
    assert stream.observed(B, at(10)) == ()
    assert (stream.state, stream.sessions) == (S.LIVE, 2)


def test_a_worker_that_cannot_start_fails_the_stream_until_the_publisher_leaves() -> None:
    stream = on_air()
    assert stream.worker(Event.WORKER_FAILED, "bad_voice", at(5)) == (Action.STOP,)
    assert (stream.state, stream.reason) == (S.FAILED, "bad_voice")
    assert stream.observed(A, at(6)) == ()
    stream.stopped(at(7))
    assert stream.state is S.FAILED
    assert stream.observed(None, at(8)) == ()
    assert stream.observed(B, at(9)) == (Action.START,)


def test_a_worker_that_is_restarted_is_degraded_then_live() -> None:
    stream = on_air()
    stream.worker(Event.WORKER_LOST, "worker_restarting", at(5))
    assert (stream.state, stream.reason) == (S.DEGRADED, "worker_restarting")
    stream.worker(Event.WORKER_WAITING, "buffering", at(6))
    assert stream.reason == "buffering"
    stream.worker(Event.WORKER_LIVE, "on_air", at(7))
    assert stream.state is S.LIVE


def test_a_reason_comes_with_its_detail_and_words_and_goes_with_them() -> None:
    stream = on_air()
    for detail in ("sts_unreachable", "overloaded"):
        told = {"detail": detail, "message": "own words"}
        stream.worker(Event.WORKER_DEGRADED, "not_dubbing", at(5), **told)
        assert (stream.reason, stream.detail) == ("not_dubbing", detail)
        assert (stream.message, stream.since_ns) == ("own words", at(5))
    stream.observed(A, at(6))
    assert stream.detail == "overloaded"
    stream.worker(Event.WORKER_LIVE, "on_air", at(7))
    assert (stream.reason, stream.detail, stream.message) == ("on_air", "", "")


def test_adopted_children_wait_for_the_publisher_to_be_seen() -> None:
    stream = Stream("abc", StreamPolicy(grace_s=60), 0)
    stream.adopted(at(1))
    assert stream.state is S.GRACE
    assert stream.observed(A, at(2)) == ()
    stream.worker(Event.WORKER_LIVE, "on_air", at(3))
    assert stream.state is S.LIVE


def test_a_pair_that_is_not_listed_is_an_error() -> None:
    with pytest.raises(ValueError, match="grace_over in live"):
        step(Phase.LIVE, Event.GRACE_OVER)


_OWN = (Event.GRACE_OVER, Event.REQUEST_OVER, Event.STOPPED)  # they come in one state alone
_REAL = [event for event in Event if event not in _OWN]


def test_every_event_that_can_come_is_listed_in_every_state() -> None:
    for state in Phase:
        for event in _REAL:
            worker_news = event.value.startswith("worker_")
            if not (state is Phase.IDLE and worker_news):  # nothing runs that could tell
                step(state, event)


_WORLD = st.lists(
    st.sampled_from(
        [
            *("asked", "up_a", "up_b", "refused", "down", "wait"),
            *("live", "lost", "fail", "degraded", "ended"),
        ]
    ),
    max_size=80,
)


@settings(max_examples=300)
@given(_WORLD)
def test_at_most_one_set_of_children_runs(world: list[str]) -> None:
    """Whatever is observed in whatever order: start only when nothing runs."""
    stream = Stream("abc", StreamPolicy(grace_s=5), 0)
    running, prepared, stopping, now = False, False, False, 0
    news = {
        "live": Event.WORKER_LIVE,
        "lost": Event.WORKER_LOST,
        "fail": Event.WORKER_FAILED,
        "degraded": Event.WORKER_DEGRADED,
    }
    for what in world:
        now += s_to_ns(1)
        actions: tuple[Action, ...] = ()
        if what in ("up_a", "up_b"):
            actions = stream.observed(A if what == "up_a" else B, now)
        elif what == "asked":
            actions = stream.requested(A, now)
        elif what == "refused":
            actions = stream.refused(B, "video_codec", "it is HEVC", now)
        elif what == "down":
            actions = stream.observed(None, now)
        elif what == "wait":
            now += s_to_ns(6)
            actions = stream.tick(now)
        elif what == "ended" and stopping:
            running = stopping = False
            stream.stopped(now)
        elif what in news and running:
            actions = stream.worker(news[what], what, now)
        for action in actions:
            if action is Action.STOP:
                assert running
                stopping = True
            else:
                assert not running or (prepared and not stopping)
                running, stopping = True, False
            prepared = action is Action.PREPARE
    assert running or stream.state in (S.IDLE, S.FAILED)


def test_what_cannot_be_served_fails_at_once_and_starts_nothing() -> None:
    stream = Stream("abc", StreamPolicy(grace_s=60), 0)
    assert stream.refused(A, "video_codec", "it is HEVC", at(1)) == ()
    assert (stream.state, stream.reason, stream.message) == (S.FAILED, "video_codec", "it is HEVC")
    assert stream.refused(A, "video_codec", "it is HEVC", at(3)) == ()
    assert (stream.since_ns, stream.sessions) == (at(1), 1)
    assert stream.observed(None, at(5)) == ()
    assert stream.state is S.IDLE


def test_a_publisher_that_returns_with_what_cannot_be_served_ends_the_worker() -> None:
    stream = on_air()
    stream.observed(None, at(10))
    assert stream.refused(B, "video_codec", "it is HEVC", at(11)) == (Action.STOP,)
    assert stream.state is S.FAILED


def test_another_publisher_is_not_blamed_for_what_the_last_one_sent() -> None:
    """However short the time between the two."""
    stream = Stream("abc", StreamPolicy(grace_s=60), 0)
    stream.refused(A, "video_codec", "it is HEVC", at(1))
    assert stream.observed(B, at(3)) == (Action.START,)
    assert (stream.state, stream.sessions) == (S.STARTING, 2)


def expected() -> Stream:
    stream = Stream("abc", StreamPolicy(grace_s=60, request_s=5), 0)
    assert stream.requested(A, at(1)) == (Action.PREPARE,)
    assert (stream.state, stream.reason) == (S.STARTING, "publisher_expected")
    assert (stream.requested_by, stream.source) == (A, None)
    return stream


def test_who_was_let_in_and_is_seen_has_what_was_prepared_and_the_rest() -> None:
    stream = expected()
    assert stream.worker(Event.WORKER_WAITING, "waiting", at(2)) == ()
    assert stream.observed(None, at(2.5)) == ()
    assert stream.observed(A, at(3)) == (Action.START,)
    assert (stream.state, stream.sessions) == (S.STARTING, 1)
    assert stream.observed(A, at(60)) == ()


def test_who_was_let_in_and_is_not_seen_leaves_nothing_behind() -> None:
    stream = expected()
    assert stream.observed(None, at(5.9)) == ()
    assert stream.observed(None, at(6)) == (Action.STOP,)
    assert stream.state is S.STOPPING
    stream.stopped(at(7))
    assert (stream.state, stream.sessions, stream.source) == (S.IDLE, 0, None)
    assert stream.requested(B, at(8)) == (Action.PREPARE,)


def test_it_is_not_waited_for_longer_while_the_server_is_away() -> None:
    assert expected().tick(at(6)) == (Action.STOP,)


def test_one_that_asks_again_is_waited_for_anew_and_starts_nothing() -> None:
    stream = expected()
    assert stream.requested(B, at(4)) == ()
    assert stream.requested_by is A  # as the worker that gets ready
    assert stream.observed(None, at(8.9)) == ()
    assert stream.observed(None, at(9)) == (Action.STOP,)


def test_a_second_publisher_that_asks_changes_nothing_on_air() -> None:
    for state in (S.LIVE, S.DEGRADED, S.GRACE, S.STOPPING):
        stream = on_air()
        if state is S.DEGRADED:
            stream.worker(Event.WORKER_LOST, "worker_crashed", at(5))
        if state in (S.GRACE, S.STOPPING):
            stream.observed(None, at(5))
        if state is S.STOPPING:
            stream.observed(None, at(65))
        before = {**vars(stream)}
        assert stream.state is state
        assert stream.requested(B, at(66)) == ()
        assert vars(stream) == before


def test_one_that_was_let_in_and_sends_what_cannot_be_served_ends_what_was_prepared() -> None:
    stream = expected()
    assert stream.refused(A, "video_codec", "it is HEVC", at(3)) == (Action.STOP,)
    assert (stream.state, stream.reason) == (S.FAILED, "video_codec")
    stream.stopped(at(4))
    assert stream.observed(None, at(5)) == ()
    assert stream.state is S.IDLE


def test_a_worker_that_cannot_be_prepared_is_not_tried_again_for_the_same_publisher() -> None:
    stream = expected()
    assert stream.worker(Event.WORKER_FAILED, "bad_voice", at(2)) == (Action.STOP,)
    stream.stopped(at(2))
    assert stream.observed(None, at(2.5)) == ()
    assert stream.observed(A, at(3)) == ()
    assert (stream.state, stream.reason) == (S.FAILED, "bad_voice")
    assert stream.observed(None, at(4)) == ()
    assert stream.observed(B, at(5)) == (Action.START,)


def test_a_worker_that_could_not_be_prepared_is_forgotten_with_its_publisher() -> None:
    stream = expected()
    stream.worker(Event.WORKER_FAILED, "bad_voice", at(2))
    stream.stopped(at(2))
    stream.observed(None, at(6))
    stream.observed(None, at(8))
    assert stream.state is S.IDLE
