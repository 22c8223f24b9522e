"""Which moments of two RTP tracks belong together. Pure.

The timestamps of each track begin where they like, and when packets arrive says little: a
publisher gathers sound for up to half a second in one packet, and sends pictures in the order of
decoding. What counts are RTCP's sender reports (RFC 3550, 6.4.1), which name the same moment on the
clock of a track and on the wall. Until both tracks have one, media is held; where none come, it
goes on as it arrived.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Literal

from dubcast.clock import NS_PER_S
from dubcast.worker.edges import InputCallbacks, InputUnit

Track = Literal["video", "audio"]

# A source that sends no report by then sends none.
PATIENCE_NS = 2 * NS_PER_S
_RTP_WRAP = 1 << 32
_NTP_FRACTION = 1 << 32


@dataclass(frozen=True)
class SenderReport:
    """The same moment on two clocks: NTP's, 32.32 bits of seconds, and the track's own."""

    ntp: int
    rtp: int


@dataclass(frozen=True)
class Packet:
    """An RTP packet's timestamp, in units of `clock_rate`, and the PTS in ns that it was given."""

    rtp: int
    pts: int
    clock_rate: int

    def since(self, report: SenderReport) -> int:
        """PTS in ns of a moment that is 0 on the wall clock, as `report` has it."""
        ticks = (self.rtp - report.rtp + _RTP_WRAP // 2) % _RTP_WRAP - _RTP_WRAP // 2
        wall = report.ntp * NS_PER_S // _NTP_FRACTION + ticks * NS_PER_S // self.clock_rate
        return self.pts - wall


class Alignment:
    """What has to be added to the PTS of the sound, so that it belongs to that of the picture."""

    def __init__(self) -> None:
        self._zero: dict[Track, int] = {}

    def measured(self, track: Track, packet: Packet, report: SenderReport) -> None:
        """A packet of a track, and the latest report of its sender."""
        self._zero[track] = packet.since(report)

    @property
    def shift_ns(self) -> int | None:
        """None: one of the tracks has no report yet."""
        if len(self._zero) < 2:
            return None
        return self._zero["video"] - self._zero["audio"]


class AlignedDelivery:
    """Hands media on by the common clock, and holds it until that is known. Thread-safe.

    `now` is the monotonic clock in ns.
    """

    def __init__(self, callbacks: InputCallbacks, now: Callable[[], int]) -> None:
        self._to = callbacks
        self._now = now
        self._lock = threading.Lock()
        self._alignment = Alignment()
        self._held: list[InputUnit | tuple[int, bytes]] = []
        self._since: int | None = None  # when the first media came
        self._is_open = False
        self._shift_ns = 0

    def callbacks(self) -> InputCallbacks:
        """What delivers into this."""
        return replace(self._to, video=self._take, audio=lambda pts, pcm: self._take((pts, pcm)))

    def measured(self, track: Track, packet: Packet, report: SenderReport) -> None:
        """See `Alignment`."""
        with self._lock:
            self._alignment.measured(track, packet, report)
            if self._alignment.shift_ns is not None:
                self._shift_ns = self._alignment.shift_ns
                self._open()

    def one_track(self) -> None:
        """The source has no other track to be in step with."""
        with self._lock:
            self._open()

    def _take(self, media: InputUnit | tuple[int, bytes]) -> None:
        with self._lock:
            if self._is_open:
                self._deliver(media)
                return
            now = self._now()
            self._since = now if self._since is None else self._since
            self._held.append(media)
            if now - self._since > PATIENCE_NS:
                self._open()

    def _open(self) -> None:
        self._is_open = True
        for media in self._held:
            self._deliver(media)
        self._held.clear()

    def _deliver(self, media: InputUnit | tuple[int, bytes]) -> None:
        if isinstance(media, InputUnit):
            self._to.video(media)
        else:
            pts, pcm = media
            self._to.audio(pts + self._shift_ns, pcm)
