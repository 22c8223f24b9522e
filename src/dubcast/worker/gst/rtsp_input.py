"""The input of RTSP sources: RTP to access units and PCM, its tracks in step by sender reports."""

from __future__ import annotations

import time
from typing import Any

from dubcast import __version__
from dubcast.worker.edges import InputCallbacks
from dubcast.worker.gst.demuxed_input import DemuxedInput
from dubcast.worker.gst.pipeline import Gst, make
from dubcast.worker.rtp_alignment import AlignedDelivery, Packet, SenderReport, Track

_JITTER_MS = 200
# MediaMTX has whoever calls himself GStreamer wait for a second at each track, for the sake of an
# element that publishes.
_USER_AGENT = f"dubcast/{__version__}"
_RTP_HEAD = 12


class RtspInput(DemuxedInput):
    """Reads one RTSP source once."""

    def __init__(self, url: str, callbacks: InputCallbacks) -> None:
        self._delivery = AlignedDelivery(callbacks, time.monotonic_ns)
        self._reports: dict[int, SenderReport] = {}  # by SSRC
        self._measured: dict[Any, tuple[Track, int]] = {}  # pad -> its track and clock rate
        super().__init__(url, self._delivery.callbacks())

    def _source(self, url: str) -> tuple[Any, Any]:
        # synced, and no offset of more than 1 ns: PTS follow the RTP timestamps and nothing else.
        # What rtpbin makes of RTP-Info moves a track on air, and of reports it takes only those
        # that come with a name (SDES), which MediaMTX does not send.
        steady = {"latency": _JITTER_MS, "max_ts_offset": 1}
        source = make("rtspsrc", location=url, user_agent=_USER_AGENT, **steady)
        Gst.util_set_object_arg(source, "protocols", "tcp")
        Gst.util_set_object_arg(source, "buffer-mode", "synced")
        source.connect("new-manager", self._manager_made)
        source.connect("no-more-pads", self._all_known)
        return source, None

    def _manager_made(self, _source: Any, rtpbin: Any) -> None:
        rtpbin.connect("on-ssrc-active", self._reported)

    def _reported(self, rtpbin: Any, session: int, ssrc: int) -> None:
        """RTCP came from a sender."""
        source = rtpbin.emit("get-internal-session", session).emit("get-source-by-ssrc", ssrc)
        stats = source.get_property("stats") if source is not None else None
        if stats is None or not stats.get_value("have-sr"):
            return
        report = SenderReport(stats.get_value("sr-ntptime"), stats.get_value("sr-rtptime"))
        if self._reports.get(ssrc) != report:
            self._reports[ssrc] = report
            for pad in tuple(self._measured):
                self._measure_next(pad)

    def _pad_added(self, element: Any, pad: Any) -> None:
        super()._pad_added(element, pad)
        structure = pad.get_current_caps().get_structure(0)
        media = structure.get_string("media")
        is_second = any(media == track for track, _ in self._measured.values())
        if media in self._have and not is_second:
            found, rate = structure.get_int("clock-rate")
            if found and rate > 0:
                self._measured[pad] = (media, rate)
                self._measure_next(pad)

    def _measure_next(self, pad: Any) -> None:
        pad.add_probe(Gst.PadProbeType.BUFFER, self._measure)

    def _measure(self, pad: Any, info: Any) -> Any:
        buffer = info.get_buffer()
        head = buffer.extract_dup(0, _RTP_HEAD)
        report = self._reports.get(int.from_bytes(head[8:12]))
        if report is not None and buffer.pts != Gst.CLOCK_TIME_NONE:
            track, rate = self._measured[pad]
            packet = Packet(int.from_bytes(head[4:8]), buffer.pts, rate)
            self._delivery.measured(track, packet, report)
        return Gst.PadProbeReturn.REMOVE

    def _all_known(self, _source: Any) -> None:
        if len(self._have) < 2:
            self._delivery.one_track()
