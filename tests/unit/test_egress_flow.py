"""Where a destination joins, what is left out for a slow one, and how slowness is seen."""

from __future__ import annotations

import itertools
from dataclasses import replace

import pytest

from dubcast import flv
from dubcast.clock import NS_PER_MS, s_to_ns
from dubcast.egress.flow import Flow
from dubcast.egress.joiner import Joiner
from dubcast.egress.relay import batch_bytes
from dubcast.egress.tag_queue import TagQueue
from dubcast.flv import Tag, is_key

META = Tag(flv.SCRIPT, 900, flv.metadata({"width": 640.0}))
VIDEO_HEADER = Tag(flv.VIDEO, 900, b"\x17\x00\0\0\0config")
SOUND_HEADER = Tag(flv.AUDIO, 900, b"\xaf\x00\x12\x10")
HEADERS = [META, VIDEO_HEADER, SOUND_HEADER]


def key(dts_ms: int, size: int = 100) -> Tag:
    return Tag(flv.VIDEO, dts_ms, b"\x17\x01\0\0\0" + bytes(size))


def inter(dts_ms: int, size: int = 50) -> Tag:
    return Tag(flv.VIDEO, dts_ms, b"\x27\x01\0\0\0" + bytes(size))


def sound(dts_ms: int) -> Tag:
    return Tag(flv.AUDIO, dts_ms, b"\xaf\x01" + bytes(20))


def joined(*tags: Tag) -> list[Tag]:
    """What a destination that is there at once is sent."""
    joiner = Joiner()
    return joiner.open() + [sent for tag in tags for sent in joiner.take(tag)]


def kinds(tags: list[Tag]) -> str:
    return "".join({flv.AUDIO: "a", flv.SCRIPT: "s"}.get(one.kind, "v") for one in tags)


def test_it_begins_with_headers_and_a_key_frame_at_zero() -> None:
    sent = joined(*HEADERS, inter(960), sound(970), key(1000), sound(1010), inter(1040))
    assert [one.body for one in sent[:4]] == [
        *(META.body, VIDEO_HEADER.body, SOUND_HEADER.body, key(0).body)
    ]
    assert [one.dts_ms for one in sent] == [0, 0, 0, 0, 10, 40]


def test_the_group_that_runs_is_kept_while_the_destination_is_connected() -> None:
    joiner = Joiner()
    for tag in (*HEADERS, key(1000), inter(1040), key(3000), sound(3010), inter(3040)):
        assert joiner.take(tag) == []
    sent = joiner.open()
    assert kinds(sent) == "svavav"
    assert [one.dts_ms for one in sent[3:]] == [0, 10, 40]
    assert [one.dts_ms for one in joiner.take(inter(3080))] == [80]


def test_a_group_that_is_too_large_is_not_kept() -> None:
    joiner = Joiner()
    for tag in (*HEADERS, key(0), *(inter(n, 1 << 20) for n in range(17))):
        joiner.take(tag)
    assert joiner.open() == []
    assert len(joiner.take(key(100))) == 4


@pytest.mark.parametrize("start", [0xFFFFFF00, 0xFFFFFFFF - 500, (1 << 31) - 100, 5])
def test_times_keep_their_distances_across_the_wrap(start: int) -> None:
    tags = [key(start % (1 << 32))]
    tags += [inter((start + 40 * n) % (1 << 32)) for n in range(1, 50)]
    sent = joined(*HEADERS, *tags)
    assert [one.dts_ms for one in sent[3:]] == [40 * n for n in range(50)]


def test_times_go_on_after_weeks() -> None:
    step = 1_000_000_000  # ms
    sent = joined(*HEADERS, key(0), *(key(n * step % (1 << 32)) for n in range(1, 9)))
    assert [one.dts_ms for one in sent[3:]] == [n * step % (1 << 32) for n in range(9)]


def test_sound_from_before_the_first_picture_is_left_out() -> None:
    sent = joined(*HEADERS, key(1000), sound(980), sound(1001))
    assert [one.dts_ms for one in sent[3:]] == [0, 1]


def test_a_clock_that_is_set_back_goes_on() -> None:
    sent = joined(*HEADERS, key(600_000), inter(600_040), key(10), inter(50))
    assert [one.dts_ms for one in sent[3:]] == [0, 40, 40, 80]


def test_sound_alone_is_sent_when_there_is_no_picture() -> None:
    sent = joined(SOUND_HEADER, *(sound(1000 + 20 * n) for n in range(100)))
    assert sent[0].body == SOUND_HEADER.body
    assert len(sent) == 1 + 25
    assert sent[1].dts_ms == 0


def test_a_picture_that_is_late_is_waited_for_then_comes_with_its_key_frame() -> None:
    sounds = [sound(1000 + 20 * n) for n in range(700)]
    sent = joined(*HEADERS, *sounds, inter(15_000), key(15_040))
    assert kinds(sent).rstrip("a").endswith("v")
    assert kinds(sent).count("v") == 2  # the header and the key frame
    first = next(one for one in sent if one.kind == flv.AUDIO and one.body == sound(0).body)
    assert first.dts_ms == 0
    assert sent[-1].dts_ms == 15_040 - 13_000


def test_script_data_passes_and_what_is_of_the_connection_does_not() -> None:
    caption = Tag(flv.SCRIPT, 1010, b"\x02\x00\x0aonTextData\x05")
    access = Tag(flv.SCRIPT, 1010, b"\x02\x00\x11|RtmpSampleAccess\x01\x00")
    sent = joined(*HEADERS, access, key(1000), caption, access)
    assert [one.body for one in sent[4:]] == [caption.body]


def test_metadata_that_was_marked_by_a_publisher_is_told_once() -> None:
    marked = Tag(flv.SCRIPT, 0, b"\x02\x00\x0d@setDataFrame" + META.body)
    assert joined(marked, key(0))[0].body == META.body


def test_new_headers_on_air_are_passed_on() -> None:
    fresh = Tag(flv.VIDEO, 2000, b"\x17\x00\0\0\0other")
    sent = joined(*HEADERS, key(1000), fresh, key(2000))
    assert [one.body for one in sent[4:]] == [fresh.body, key(0).body]


def test_headers_without_a_time_of_their_own_do_not_move_the_others() -> None:
    late = [replace(one, dts_ms=0) for one in (META, SOUND_HEADER)]
    sent = joined(*HEADERS, key(100_000), inter(160_000), *late, inter(160_040))
    assert [one.dts_ms for one in sent[4:]] == [60_000, 60_000, 60_000, 60_040]


def test_enhanced_rtmp_has_headers_and_key_frames_too() -> None:
    header = Tag(flv.VIDEO, 0, b"\x90hvc1config")
    picture = Tag(flv.VIDEO, 0, b"\x91hvc1\0\0\0data")
    assert is_key(picture) and not is_key(header)
    assert [one.body for one in joined(header, picture)] == [header.body, picture.body]


# ---- the queue ------------------------------------------------------------------------------


def filled(queue: TagQueue, tags: list[Tag]) -> TagQueue:
    for tag in tags:
        queue.push(tag, tag.dts_ms * NS_PER_MS)
    return queue


def drained(queue: TagQueue) -> list[Tag]:
    return [queue.pop().tag for _ in range(len(queue))]


def test_what_waits_comes_out_in_order() -> None:
    tags = [key(0), sound(10), inter(40)]
    queue = filled(TagQueue(), tags)
    assert queue.bytes == sum(len(one.body) for one in tags)
    assert drained(queue) == tags
    assert queue.bytes == 0 and queue.oldest_ns is None


def test_a_skip_goes_to_the_newest_key_frame_and_keeps_headers() -> None:
    fresh = Tag(flv.VIDEO, 1500, b"\x17\x00\0\0\0other")
    tags = [inter(0), sound(10), key(1000), fresh, key(2000), sound(2010), inter(2040)]
    queue = filled(TagQueue(), tags)
    assert queue.skip()
    assert drained(queue) == [fresh, *tags[4:]]
    assert queue.skipped == 1


def test_without_a_newer_key_frame_nothing_is_skipped() -> None:
    tags = [key(0), inter(40), sound(50)]
    queue = filled(TagQueue(), tags)
    assert not queue.skip()
    assert drained(queue) == tags and queue.skipped == 0


def test_of_sound_alone_the_newest_is_kept() -> None:
    queue = filled(TagQueue(), [sound(20 * n) for n in range(100)])
    assert queue.skip()
    assert drained(queue) == [sound(1980)]


def test_memory_is_bounded_and_it_goes_on_from_a_key_frame() -> None:
    queue = filled(TagQueue(1000), [key(0, 500), inter(40, 300), inter(80, 300), sound(90)])
    assert drained(queue) == []
    filled(queue, [inter(120), sound(130), key(160), sound(170)])
    assert drained(queue) == [key(160), sound(170)]
    assert queue.skipped == 1


# ---- the flow -------------------------------------------------------------------------------


def flowing(taken_per_s: int, arrived_per_s: int, seconds: float) -> tuple[Flow, float]:
    """The flow after so long, and how far behind it is: one tag each 100 ms."""
    flow, lag_s = Flow(), 0.0
    for tenth in range(1, round(seconds * 10) + 1):
        now = s_to_ns(tenth / 10)
        flow.arrived += arrived_per_s // 10
        flow.sent(flow.arrived, now)
        lag_s = flow.look(now, min(taken_per_s * tenth // 10, flow.arrived), None, None)
    return flow, lag_s


def test_who_keeps_up_is_not_behind() -> None:
    flow, lag_s = flowing(1_000_000, 1_000_000, 10)
    assert lag_s == 0.0
    assert not flow.slow


def test_who_takes_a_quarter_is_slow_within_two_seconds() -> None:
    flow, lag_s = flowing(250_000, 1_012_500, 2)
    assert lag_s > 1.0
    assert flow.slow
    assert flow.rates == pytest.approx((2.0, 8.1), abs=0.01)


def test_it_is_no_longer_slow_when_it_has_caught_up() -> None:
    flow, _ = flowing(250_000, 1_000_000, 5)
    assert flow.look(s_to_ns(5.1), 4_300_000, None, None) > 0.4
    assert flow.slow
    assert flow.look(s_to_ns(5.2), flow.arrived, None, None) == 0.0
    assert not flow.slow


def test_what_waits_here_counts_when_all_that_was_sent_is_taken() -> None:
    flow = Flow()
    flow.sent(100, 0)
    assert flow.look(s_to_ns(5), 100, None, s_to_ns(2)) == 3.0


def test_a_peer_that_stops_acknowledging_takes_nothing_more_whatever_its_kernel_does() -> None:
    flow = Flow()
    for count in range(100_000, 1_100_000, 100_000):
        flow.look(s_to_ns(count / 1e6), count, count, None)
    assert flow.taken == 1_000_000
    looks = [flow.look(s_to_ns(2 + n), 1_000_000 + 500_000 * n, 1_000_000, None) for n in (1, 2, 3)]
    assert len(looks) == 3
    assert flow.taken == 1_150_000


def test_a_peer_with_a_longer_window_is_not_misjudged() -> None:
    flow = Flow()
    for count in itertools.islice(itertools.count(100_000, 100_000), 80):
        acknowledged = count // 2_500_000 * 2_500_000 or None
        flow.look(s_to_ns(count / 1e6), count, acknowledged, None)
        assert flow.taken == count


@pytest.mark.parametrize(
    ("arrives", "gathers_s", "read"),
    [
        (6.0, 0.0, 1024),  # RTMP: each picture by itself
        (6.0, 0.06, 45_000),
        (0.0, 0.06, 1024),  # its rate is not known yet
        (50.0, 0.06, 61_440),  # no more than is read at once
    ],
)
def test_of_a_stream_so_much_is_read_at_once(arrives: float, gathers_s: float, read: int) -> None:
    assert batch_bytes(arrives, gathers_s) == read
