"""How the test publisher bends a programme, and whom it sends to."""

from __future__ import annotations

import itertools

import pytest

from dubcast import flv
from dubcast.errors import ConfigError
from dubcast.flv import Tag
from dubcast.testing import publisher

TAGS = [
    Tag(flv.VIDEO if n % 2 else flv.AUDIO, 1000 + 40 * n, bytes(range(1, 60))) for n in range(50)
]


def times(items: list[publisher.Timed]) -> list[int]:
    return [item.tag.dts_ms for item in items]


def test_tags_are_sent_at_their_own_times() -> None:
    items = list(publisher.paced(TAGS))
    assert [item.at_s for item in items[:3]] == [0.0, 0.04, 0.08]
    assert [item.tag for item in items] == TAGS


def test_a_jump_moves_timestamps_and_not_the_moment() -> None:
    items = list(publisher.jumped(publisher.paced(TAGS), 1.0, 5_000))
    assert times(items)[:25] == [tag.dts_ms for tag in TAGS[:25]]
    assert times(items)[25:] == [tag.dts_ms + 5_000 for tag in TAGS[25:]]
    assert items[-1].at_s == pytest.approx(49 * 0.04)


def test_a_jump_wraps_at_32_bits() -> None:
    items = list(publisher.jumped(publisher.paced(TAGS), 0, (1 << 32) - 1_500))
    assert max(times(items)) < 1 << 32
    assert times(items)[-1] == TAGS[-1].dts_ms - 1_500


def test_a_restart_begins_at_zero() -> None:
    assert times(list(publisher.restarted(publisher.paced(TAGS), 1.0)))[25:28] == [0, 40, 80]


def test_corruption_spares_headers_and_the_other_track() -> None:
    header = Tag(flv.VIDEO, 0, b"\x17\x00" + bytes(60))
    items = list(publisher.corrupted(publisher.paced([header, *TAGS]), 1.0, 1, flv.VIDEO))
    assert items[0].tag == header
    changed = [a.tag.body != b.body for a, b in zip(items[1:], TAGS, strict=True)]
    assert changed == [tag.kind == flv.VIDEO for tag in TAGS]


def test_repeated_dts() -> None:
    video = [i for i in publisher.equal_dts(publisher.paced(TAGS), 5) if i.tag.kind == flv.VIDEO]
    steps = [b.tag.dts_ms - a.tag.dts_ms for a, b in itertools.pairwise(video)]
    assert steps[3] == 0 and steps[:3] == [80, 80, 80]


def test_programmes_follow_each_other() -> None:
    items = list(publisher.joined(publisher.paced(TAGS), publisher.paced(TAGS)))
    moments = [item.at_s for item in items]
    assert moments == sorted(moments) and len(set(moments)) == 100
    assert times(items) == sorted(times(items))


async def test_it_sends_to_this_machine_only() -> None:
    with pytest.raises(ConfigError, match=r"not example\.com"):
        await publisher.publish("rtmp://example.com/live/x/in", [])
