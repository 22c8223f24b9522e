"""The output pipeline: FLV tags of our own to RTMP, PCM encoded on the way.

Chains that know nothing of each other: PCM to coded frames (`coder`), and tags to the server. What
goes into the tags, and when, is decided in `flv_writer`; no track waits for the other.
"""

from __future__ import annotations

import heapq
from collections.abc import Callable, Iterable, Iterator
from typing import Any

from dubcast.audio.pcm import RATE
from dubcast.clock import NS_PER_MS, NS_PER_S
from dubcast.worker.flv_writer import FlvWriter, Outgoing
from dubcast.worker.gst import coder
from dubcast.worker.gst.pipeline import Gst, Pipeline, caps, make
from dubcast.worker.scheduler import Batch, ScriptUnit, VideoUnit

_CONNECT_TIMEOUT_S = 5
_FOREVER_NS = 1 << 62
# The end of the writing is looked for so often; a peer that took nothing for 2 s reads no more.
_LOOK_S, _IDLE_LOOKS = 0.05, 40
# RTMP's chunks, and another size that is told to the peer behind the last of the media: the sink
# counts it as the size in force once that is written, and what goes in order before it as well.
_CHUNK_SIZE, _LAST_CHUNK_SIZE = 128, 129
# Readers are let in so long before the first picture. It is a key frame, and a server that keeps
# none for whoever comes later would have them wait for the next.
_READERS_NS = NS_PER_S
_METADATA: dict[str, float | bool | str] = {
    "encoder": "dubcast",
    "audiosamplerate": float(RATE),
    "audiosamplesize": 16.0,
    "stereo": True,
    "audiodatarate": coder.AAC_BITRATE / 1000,
}


class OutputPipeline(Pipeline):
    """Publishes to one RTMP URL once; the worker makes a new one when this ends.

    `with_opus`: the sound is there a second time, as a track of its own (enhanced RTMP).
    """

    def __init__(
        self,
        url: str,
        video_config: bytes | None,
        on_end: Callable[[str, str], None],
        *,
        with_opus: bool = False,
    ) -> None:
        super().__init__("output", on_end)
        self.has_video = video_config is not None
        self._video_config = video_config
        self._tags = coder.appsrc(caps("video/x-flv"))
        self._sink = make("rtmp2sink", location=url, sync=False, timeout=_CONNECT_TIMEOUT_S)
        self._sink.set_property("async", False)
        self._sink.set_property("chunk-size", _CHUNK_SIZE)
        at_sink = self._sink.get_static_pad("sink")
        at_sink.add_probe(Gst.PadProbeType.EVENT_DOWNSTREAM, self._on_event)
        self.add(self._tags, self._sink)
        self._aac = coder.aac(self)
        self._opus = coder.opus(self) if with_opus else None
        self._writer: FlvWriter | None = None
        self._readers_admitted = False
        self._sent_before: int | None = None  # bytes, when the first of the media was pushed

    @property
    def b_frames(self) -> bool:
        return self._writer is not None and self._writer.reordered

    def push(self, batch: Batch, now: int) -> None:
        """Send what is due at `now` of every track, and encode the sound that comes next."""
        if self._writer is None:
            if batch.start_ns is None:
                return
            self._writer = FlvWriter(
                batch.start_ns, self._video_config, with_opus=self._opus is not None
            )
            self._send(self._writer.opening(_METADATA))
        self._admit_readers(self._writer, batch.start_due_ns, now)
        for one in self._coders:
            for block in batch.audio:
                one.encode(block)
        opus = self._opus.due(now) if self._opus is not None else []
        tracks = (
            [(f.pts, self._writer.sound(f)) for f in self._aac.due(now)],
            [(f.pts, self._writer.opus(f)) for f in opus],
            [(u.dts_ns + u.shift_ns, self._picture(self._writer, u)) for u in batch.video],
            [(s.pts_ns, self._script(self._writer, s)) for s in batch.script],
        )
        for _, tags in heapq.merge(*tracks, key=lambda one: one[0]):
            if self._sent_before is None:
                self._sent_before = self._sent()
            self._send(tags)

    def _admit_readers(self, writer: FlvWriter, start_due_ns: int | None, now: int) -> None:
        """Once, when the start is near, or is not known to be far."""
        if self._readers_admitted or (start_due_ns or 0) - now > _READERS_NS:
            return
        self._readers_admitted = True
        self._send(writer.admission())

    def finish(self) -> None:
        """Send what is held whether it is due or not, and end; waits for the encoder's last frames,
        and until all is written, for as long as the peer takes it: a connection that is closed
        throws away what its socket has not taken yet. `stop` ends it.
        """
        for one in self._coders:
            one.finish()
        self.push(Batch(), _FOREVER_NS)
        self._tags.end_of_stream()
        idle, sent = 0, self._sent()
        while not self._all_written() and idle < _IDLE_LOOKS:
            if self.await_stop(_LOOK_S):
                return
            before, sent = sent, self._sent()
            idle = idle + 1 if sent == before else 0

    def sent_bytes(self) -> int | None:
        """Bytes of media that left since the server took the publish; None: it has not yet.

        Until its NetStream.Publish.Start the sink counts nothing, whatever was said before.
        """
        sent = self._sent()
        if not sent:
            return None
        return 0 if self._sent_before is None else sent - self._sent_before

    def backlog_s(self) -> float:
        """Seconds of media that wait to be sent: grows when the peer stops reading."""
        waiting = self._tags.get_property("current-level-time") / NS_PER_S
        return float(max(waiting, *(one.waiting_s() for one in self._coders)))

    @property
    def _coders(self) -> list[coder.Coder]:
        return [self._aac] if self._opus is None else [self._aac, self._opus]

    def _sent(self) -> int:
        total: int = self._sink.get_property("stats").get_value("out-bytes-total")
        return total

    def _on_event(self, _pad: Any, info: Any) -> Any:
        """In the sink's thread: all of the media lies with it when the end comes."""
        if info.get_event().type == Gst.EventType.EOS:
            self._sink.set_property("chunk-size", _LAST_CHUNK_SIZE)
        return Gst.PadProbeReturn.OK

    def _all_written(self) -> bool:
        size: int = self._sink.get_property("stats").get_value("out-chunk-size")
        return size == _LAST_CHUNK_SIZE

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
