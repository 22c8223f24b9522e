"""The output pipeline: access units as they came, PCM encoded to AAC, muxed to FLV, to RTMP.

Both sources are *not* live: with is-live the muxer judges delayed data as late and rewrites its
timestamps. The encoder's priming is taken off the PTS, so A/V offset is what it was.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from dubcast.audio.pcm import RATE, Int16
from dubcast.worker.gst.pipeline import Gst, Pipeline, caps, make
from dubcast.worker.scheduler import AudioBlock, VideoUnit

# voaacenc starts with 1600 samples that GStreamer does not account for (measured: 33.3 ms).
_PRIMING_NS = 1600 * 1_000_000_000 // RATE
_BITRATE = 128_000
_CONNECT_TIMEOUT_S = 5
_PCM_CAPS = "audio/x-raw,format=S16LE,rate=48000,channels=2,layout=interleaved"
_AAC_CAPS = "audio/mpeg,mpegversion=4,stream-format=raw"


class OutputPipeline(Pipeline):
    """Publishes to one RTMP URL once; the worker makes a new one when this ends."""

    def __init__(
        self, url: str, video_caps: Any | None, on_end: Callable[[str, str], None]
    ) -> None:
        super().__init__("output", on_end)
        self._mux = make("flvmux", streamable=True)
        self._tail = _queue()
        sink = make("rtmp2sink", location=url, sync=False, timeout=_CONNECT_TIMEOUT_S)
        sink.set_property("async", False)
        self.add(self._mux, self._tail, sink)
        self._video_caps = video_caps
        self._video = self._add_video(video_caps) if video_caps is not None else None
        self._audio = self._add_audio()

    @property
    def has_video(self) -> bool:
        """False for an audio-only output."""
        return self._video is not None

    def push_video(self, unit: VideoUnit) -> None:
        """Queue one access unit with its own timestamps; never blocks."""
        assert self._video is not None
        if not unit.caps.is_equal(self._video_caps):
            self._video_caps = unit.caps
            self._video.set_caps(unit.caps)
        # A shallow copy: the payload is shared, only the timestamps are ours.
        buffer = unit.payload.copy()
        buffer.pts, buffer.dts = unit.pts_ns + unit.shift_ns, unit.dts_ns + unit.shift_ns
        self._video.push_buffer(buffer)

    def push_audio(self, block: AudioBlock) -> None:
        """Queue one block of PCM; never blocks."""
        buffer = Gst.Buffer.new_wrapped(_bytes(block.samples))
        buffer.pts = block.pts_ns - _PRIMING_NS
        buffer.duration = len(block.samples) * 1_000_000_000 // RATE
        self._audio.push_buffer(buffer)

    def backlog_s(self) -> float:
        """Seconds of media that wait to be sent: grows when the peer stops reading."""
        waiting = self._tail.get_property("current-level-time") / 1e9
        pcm = self._audio.get_property("current-level-bytes") / (4 * RATE)
        return float(max(waiting, pcm))

    def _add_video(self, video_caps: Any) -> Any:
        source = _appsrc(video_caps)
        self.add(source)
        self._link_to_mux(source, "video")
        return source

    def _add_audio(self) -> Any:
        source = _appsrc(caps(_PCM_CAPS))
        filter_ = make("capsfilter", caps=caps(_AAC_CAPS))
        self.add(
            source,
            make("audioconvert"),
            make("voaacenc", bitrate=_BITRATE),
            make("aacparse"),
            filter_,
        )
        self._link_to_mux(filter_, "audio")
        return source

    def _link_to_mux(self, element: Any, pad: str) -> None:
        if not element.link_pads("src", self._mux, pad):
            raise RuntimeError(f"cannot link {pad} to the muxer")


def _appsrc(source_caps: Any) -> Any:
    source = make("appsrc", is_live=False, do_timestamp=False, block=False, max_bytes=0)
    source.set_property("format", Gst.Format.TIME)
    source.set_property("caps", source_caps)
    return source


def _queue() -> Any:
    return make("queue", max_size_time=0, max_size_bytes=0, max_size_buffers=0)


def _bytes(samples: Int16) -> bytes:
    return samples.astype("<i2", copy=False).tobytes()
