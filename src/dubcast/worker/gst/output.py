"""The output pipeline: FLV tags of our own to RTMP, PCM encoded to AAC on the way.

Two chains that know nothing of each other: PCM to coded frames, and tags to the server. What goes
into the tags, and when, is decided in `flv_writer`; no track waits for the other. The encoder's
priming is taken off the PTS, so A/V offset is what it was.
"""

from __future__ import annotations

import heapq
from collections.abc import Callable, Iterable, Iterator
from typing import Any

import numpy as np

from dubcast.audio.pcm import RATE, Int16
from dubcast.clock import NS_PER_MS, NS_PER_S
from dubcast.worker.flv_writer import AudioPacer, FlvWriter, Frame, Outgoing
from dubcast.worker.gst.pipeline import Gst, Pipeline, caps, make
from dubcast.worker.scheduler import AudioBlock, Batch, ScriptUnit, VideoUnit

# voaacenc starts with 1600 samples that GStreamer does not account for (measured: 33.3 ms), and
# at its end it drops as many, and what does not fill a frame: silence takes their place.
_PRIMING = 1600
_PRIMING_NS = _PRIMING * NS_PER_S // RATE
_FRAME = 1024
_BITRATE = 128_000
_CONNECT_TIMEOUT_S = 5
_FOREVER_NS = 1 << 62
_ENCODER_WAIT_NS = 2 * NS_PER_S  # the end of the stream comes long before, but for a full machine
_WRITTEN_S, _WRITTEN_ROUNDS = 0.05, 20
_PCM_CAPS = "audio/x-raw,format=S16LE,rate=48000,channels=2,layout=interleaved"
_AAC_CAPS = "audio/mpeg,mpegversion=4,stream-format=raw"
_METADATA: dict[str, float | bool | str] = {
    "encoder": "dubcast",
    "audiosamplerate": float(RATE),
    "audiosamplesize": 16.0,
    "stereo": True,
    "audiodatarate": _BITRATE / 1000,
}


class OutputPipeline(Pipeline):
    """Publishes to one RTMP URL once; the worker makes a new one when this ends."""

    def __init__(
        self, url: str, video_config: bytes | None, on_end: Callable[[str, str], None]
    ) -> None:
        super().__init__("output", on_end)
        self.has_video = video_config is not None
        self._video_config = video_config
        self._tags = _appsrc(caps("video/x-flv"))
        self._sink = make("rtmp2sink", location=url, sync=False, timeout=_CONNECT_TIMEOUT_S)
        self._sink.set_property("async", False)
        self.add(self._tags, self._sink)
        self._pcm = _appsrc(caps(_PCM_CAPS))
        self._aac = make("appsink", sync=False, async_=False, max_buffers=0, emit_signals=False)
        self.add(
            self._pcm,
            make("audioconvert"),
            make("voaacenc", bitrate=_BITRATE),
            make("capsfilter", caps=caps(_AAC_CAPS)),
            self._aac,
        )
        self._pacer = AudioPacer()
        self._writer: FlvWriter | None = None
        self._end_ns: int | None = None  # of the PCM that was given to the encoder
        self._sent_before = 0  # bytes, when the first of the media was pushed

    def push(self, batch: Batch, now: int) -> None:
        """Send what is due at `now` of every track, and encode the sound that comes next."""
        if self._writer is None:
            if batch.start_ns is None:
                return
            self._sent_before = self._sent()
            self._writer = FlvWriter(batch.start_ns, self._video_config)
            self._send(self._writer.opening(_METADATA))
        for block in batch.audio:
            self._encode(block)
        for frame in self._coded():
            self._pacer.add(frame)
        tracks = (
            [(f.pts, self._writer.sound(f)) for f in self._pacer.due(now)],
            [(u.dts_ns + u.shift_ns, self._picture(self._writer, u)) for u in batch.video],
            [(s.pts_ns, self._script(self._writer, s)) for s in batch.script],
        )
        for _, tags in heapq.merge(*tracks, key=lambda one: one[0]):
            self._send(tags)

    def finish(self) -> None:
        """Send what is held whether it is due or not, and end; waits for the encoder's last frames,
        and until they are written: a connection that is closed throws away what its socket has not
        taken yet.
        """
        if self._end_ns is not None:
            silence = np.zeros((_PRIMING + _FRAME - 1, 2), np.int16)
            self._feed(silence, self._end_ns)
        self._pcm.end_of_stream()
        for frame in self._coded(_ENCODER_WAIT_NS):
            self._pacer.add(frame)
        self.push(Batch(), _FOREVER_NS)
        self._tags.end_of_stream()
        for _ in range(_WRITTEN_ROUNDS):
            before = self._sent()
            if self.await_stop(_WRITTEN_S) or (self.backlog_s() == 0 and self._sent() == before):
                return

    def sent_bytes(self) -> int | None:
        """Bytes of media that left since the server took the publish; None: it has not yet.

        Until its NetStream.Publish.Start the sink counts nothing, whatever was said before.
        """
        sent = self._sent()
        if not sent:
            return None
        return 0 if self._writer is None else sent - self._sent_before

    def backlog_s(self) -> float:
        """Seconds of media that wait to be sent: grows when the peer stops reading."""
        waiting = self._tags.get_property("current-level-time") / NS_PER_S
        pcm = self._pcm.get_property("current-level-bytes") / (4 * RATE)
        return float(max(waiting, pcm))

    def _sent(self) -> int:
        total: int = self._sink.get_property("stats").get_value("out-bytes-total")
        return total

    def _encode(self, block: AudioBlock) -> None:
        self._pacer.block(block.pts_ns - _PRIMING_NS, block.due_ns - _PRIMING_NS)
        self._feed(block.samples, block.pts_ns - _PRIMING_NS)

    def _feed(self, samples: Int16, pts: int) -> None:
        buffer = Gst.Buffer.new_wrapped(_bytes(samples))
        buffer.pts = pts
        buffer.duration = len(samples) * NS_PER_S // RATE
        self._end_ns = pts + buffer.duration
        self._pcm.push_buffer(buffer)

    def _coded(self, wait_ns: int = 0) -> Iterator[Frame]:
        """The frames that the encoder has made, and those that it makes within `wait_ns` each."""
        while (sample := self._aac.try_pull_sample(wait_ns)) is not None:
            buffer = sample.get_buffer()
            config = sample.get_caps().get_structure(0).get_value("codec_data")
            data = config.extract_dup(0, config.get_size()) if config is not None else b""
            yield Frame(buffer.pts, buffer.get_size(), buffer, data)

    def _picture(self, writer: FlvWriter, unit: VideoUnit) -> Iterator[Outgoing]:
        pts, dts = unit.pts_ns + unit.shift_ns, unit.dts_ns + unit.shift_ns
        size = unit.payload.get_size()
        return writer.picture(pts, dts, unit.key, unit.config, unit.payload, size)

    def _script(self, writer: FlvWriter, unit: ScriptUnit) -> Iterator[Outgoing]:
        return writer.script(unit.pts_ns, Gst.Buffer.new_wrapped(unit.body), len(unit.body))

    def _send(self, tags: Iterable[Outgoing]) -> None:
        for tag in tags:
            self._tags.push_buffer(_buffer(tag))


def _buffer(tag: Outgoing) -> Any:
    buffer = Gst.Buffer.new_wrapped(tag.head)
    if tag.payload is not None:
        buffer = buffer.append(tag.payload.copy())  # shallow: the bytes are shared
    buffer = buffer.append(Gst.Buffer.new_wrapped(tag.tail))
    buffer.pts = buffer.dts = tag.dts_ms * NS_PER_MS
    return buffer


def _appsrc(source_caps: Any) -> Any:
    source = make("appsrc", is_live=False, do_timestamp=False, block=False, max_bytes=0)
    source.set_property("format", Gst.Format.TIME)
    source.set_property("caps", source_caps)
    return source


def _bytes(samples: Int16) -> bytes:
    return samples.astype("<i2", copy=False).tobytes()
