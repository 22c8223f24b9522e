"""Two RTP tracks and the reports of their senders, in virtual time."""

from __future__ import annotations

from typing import Any

import pytest

from dubcast.clock import NS_PER_MS, NS_PER_S
from dubcast.worker.edges import InputCallbacks, InputUnit
from dubcast.worker.rtp_alignment import (
    PATIENCE_NS,
    AlignedDelivery,
    Alignment,
    Packet,
    SenderReport,
    Track,
)

# The same moment: noon on the wall, 9000 on the picture's clock, 100 on the sound's.
NOON = 43_200 << 32
PICTURE, SOUND = SenderReport(NOON, 9000), SenderReport(NOON, 100)


class Scene:
    """What arrives at the worker."""

    def __init__(self) -> None:
        self.now = 0
        self.came: list[tuple[str, int]] = []
        nothing: Any = lambda *_: None  # noqa: E731
        self.delivery = AlignedDelivery(
            InputCallbacks(
                lambda unit: self.came.append(("video", unit.pts)),
                lambda pts, _: self.came.append(("audio", pts)),
                *(nothing, nothing, nothing),
            ),
            lambda: self.now,
        )
        self._in = self.delivery.callbacks()

    def video(self, pts: int) -> None:
        self._in.video(InputUnit(pts, pts, True, b"", b""))

    def audio(self, pts: int) -> None:
        self._in.audio(pts, b"")

    def measured(self, track: Track, pts: int) -> None:
        """The moment of the reports was given this PTS."""
        report, rate = (PICTURE, 90_000) if track == "video" else (SOUND, 8_000)
        self.delivery.measured(track, Packet(report.rtp, pts, rate), report)


@pytest.mark.parametrize("late_ms", [-480, 0, 66])
def test_what_belongs_together_gets_the_same_time(late_ms: int) -> None:
    scene = Scene()
    scene.measured("video", NS_PER_S)
    scene.measured("audio", NS_PER_S + late_ms * NS_PER_MS)
    scene.video(NS_PER_S)
    scene.audio(NS_PER_S + late_ms * NS_PER_MS)
    assert scene.came == [("video", NS_PER_S), ("audio", NS_PER_S)]


def test_until_both_tracks_have_a_report_media_is_held_and_then_comes_in_order() -> None:
    scene = Scene()
    scene.measured("audio", 0)
    scene.audio(0)
    scene.video(20)
    scene.audio(40)
    assert scene.came == []
    scene.measured("video", 7)
    assert scene.came == [("audio", 7), ("video", 20), ("audio", 47)]


def test_without_reports_media_goes_on_as_it_arrived_and_a_late_one_still_counts() -> None:
    scene = Scene()
    scene.audio(0)
    scene.now = PATIENCE_NS
    scene.audio(10)
    assert scene.came == []
    scene.now += 1
    scene.audio(20)
    assert scene.came == [("audio", 0), ("audio", 10), ("audio", 20)]
    scene.measured("audio", 0)
    scene.audio(30)
    scene.measured("video", 5)
    scene.audio(40)
    assert scene.came[3:] == [("audio", 30), ("audio", 45)]


def test_one_track_alone_waits_for_nothing() -> None:
    scene = Scene()
    scene.video(1)
    scene.delivery.one_track()
    scene.video(2)
    assert scene.came == [("video", 1), ("video", 2)]


@pytest.mark.parametrize(
    ("rtp", "pts"), [(9000 + 90_000, 3 * NS_PER_S), (9000 - 45_000, 3 * NS_PER_S // 2)]
)
def test_packets_before_and_after_the_report_say_the_same(rtp: int, pts: int) -> None:
    """RTP timestamps wrap: the one before 9000 is nearly 2^32."""
    zero = Packet(9000, 2 * NS_PER_S, 90_000).since(PICTURE)
    assert Packet(rtp % (1 << 32), pts, 90_000).since(PICTURE) == zero


def test_the_distance_is_not_known_of_one_track() -> None:
    one = Alignment()
    one.measured("audio", Packet(100, 0, 8_000), SOUND)
    assert one.shift_ns is None
    one.measured("video", Packet(9000, 3, 90_000), PICTURE)
    assert one.shift_ns == 3
