"""The input pipeline: any supported source to H.264 access units and 48 kHz stereo PCM.

Video is parsed into access units, never decoded. Every timestamp handed out is *running time*:
some elements (h264timestamper) move PTS and segment by hours, and only their difference counts.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

from dubcast import flv, gst_elements
from dubcast.errors import MissingPartError
from dubcast.worker.edges import InputCallbacks, InputUnit
from dubcast.worker.gst.pipeline import Gst, Pipeline, caps, make, require
from dubcast.worker.pcm_batch import PcmBatch
from dubcast.worker.source_url import path_of, scheme_of
from dubcast.worker.tags import FirstTags, TagGuard, audio_refusal, video_refusal

_PULL_NS = 200_000_000
_VIDEO_CAPS = "video/x-h264,stream-format=avc,alignment=au"
_AUDIO_CAPS = "audio/x-raw,format=S16LE,rate=48000,channels=2,layout=interleaved"
# flvdemux goes back to 0 when the 32 bits of an RTMP timestamp are used up (49.7 days); what
# comes then lies before the segment, and the elements behind it drop it. So only when nothing
# comes out is it looked for: a probe in Python at every packet costs a tenth of the worker.
_WRAPPED_NS = (1 << 31) * 1_000_000
# Damaged frames are dropped, however many: silence takes their place, the stream goes on.
_UNDAUNTED = {"max_errors": -1}
_PROPERTIES = {"avdec_aac": _UNDAUNTED, "avdec_aac_latm": _UNDAUNTED}


class InputPipeline(Pipeline):
    """Reads one source once; the worker makes a new one when this ends.

    `patience_s`: a source by RTMP or HTTP that sends nothing for so long has ended: its publisher
    vanished, or its server is half-open. `careful`: look at every tag of a source by RTMP, and drop
    what is damaged. `headers`: keeps the sequence headers for the next read.
    """

    def __init__(
        self,
        url: str,
        callbacks: InputCallbacks,
        patience_s: float,
        headers: dict[int, bytes],
        *,
        careful: bool = False,
    ) -> None:
        super().__init__("input", callbacks.end)
        self._callbacks = callbacks
        self._scheme = scheme_of(url)
        # With what the stream's output will need: it would be known only when media has come.
        require(_needed_for(self._scheme))
        self._have: set[str] = set()
        self._flv_pads: set[Any] = set()
        self._has_begun = False
        self._newest = 0  # newest timestamp that came out, in ns
        self._batch = PcmBatch()
        # A file has no pace of its own: its sinks keep to the clock.
        self._paced = self._scheme == "file"
        source, demuxer = _SOURCES[self._scheme](url)
        if self._scheme in _IDLE_TIMEOUT:
            source.set_property(_IDLE_TIMEOUT[self._scheme], math.ceil(patience_s))
        self.add(source) if demuxer is None else self.add(source, demuxer)
        (demuxer or source).connect("pad-added", self._pad_added)
        if demuxer is not None and demuxer.get_factory().get_name() == "flvdemux":
            self._first_tags = FirstTags(headers)
            self._every_tag, self._guard = flv.FlvParser(), TagGuard(headers)
            careful = careful and self._scheme in _RTMP
            look = self._look_at_every_tag if careful else self._look_at_first_tags
            demuxer.get_static_pad("sink").add_probe(Gst.PadProbeType.BUFFER, look)

    def _pad_added(self, element: Any, pad: Any) -> None:
        structure = _format(pad)
        name = structure.get_name()
        if element.get_factory().get_name() == "flvdemux":
            self._flv_pads.add(pad)
        try:
            if name == "application/x-rtp":
                self._add_rtp(pad, structure)
            elif name == "video/x-h264":
                self._add_video(pad, [])
            elif name.startswith("video/"):
                self._refuse_video(name)
            elif name.startswith("audio/"):
                self._add_audio(pad, _decoder_of(name, structure), name)
        except MissingPartError as error:
            self._callbacks.refused("missing_part", str(error))

    def may_be_damage(self, kind: str, message: str) -> bool:
        """True if this end may be that of damaged tags, so that to read with care may help."""
        stopped = kind == "refused" or "streaming stopped" in message
        return self._scheme in _RTMP and self._has_begun and stopped

    def _look_at_every_tag(self, pad: Any, info: Any) -> Any:
        self._has_begun = True
        buffer = info.get_buffer()
        takes = True
        # rtmp2src makes a buffer of each tag.
        for tag in self._every_tag.feed(buffer.extract_dup(0, buffer.get_size())):
            takes = self._guard.takes(tag)
            if takes and (header := self._guard.missing(tag)) is not None:
                pad.chain(Gst.Buffer.new_wrapped(header))
        if self._guard.refusal is not None:
            self._callbacks.refused(*self._guard.refusal)
        return Gst.PadProbeReturn.OK if takes else Gst.PadProbeReturn.DROP

    def _look_at_first_tags(self, _pad: Any, info: Any) -> Any:
        self._has_begun = True
        buffer = info.get_buffer()
        refusal = self._first_tags.feed(buffer.extract_dup(0, buffer.get_size()))
        if refusal is not None:
            self._callbacks.refused(*refusal)
        done = self._first_tags.done
        return Gst.PadProbeReturn.REMOVE if done else Gst.PadProbeReturn.OK

    def _look_for_wrap(self) -> None:
        pads, self._flv_pads = self._flv_pads, set()
        for pad in pads:
            pad.add_probe(Gst.PadProbeType.BUFFER, self._look_at_packet)

    def _look_at_packet(self, pad: Any, info: Any) -> Any:
        buffer = info.get_buffer()
        time = buffer.dts if buffer.dts != Gst.CLOCK_TIME_NONE else buffer.pts
        if self._newest - time > _WRAPPED_NS:
            self._callbacks.end("error", "the source's timestamps wrapped: reading it afresh")
        else:
            self._flv_pads.add(pad)
        return Gst.PadProbeReturn.REMOVE

    def _add_rtp(self, pad: Any, structure: Any) -> None:
        media, encoding = structure.get_string("media"), structure.get_string("encoding-name")
        if media == "video" and encoding == "H264":
            # RTP carries no DTS: the timestamper restores it, or B-frames lose their order.
            self._add_video(pad, [make("rtph264depay")], timestamper=True)
        elif media == "video":
            self._refuse_video(str(encoding))
        elif media == "audio":
            self._add_audio(pad, _rtp_decoder_of(str(encoding)), str(encoding))

    def _add_video(self, pad: Any, head: list[Any], *, timestamper: bool = False) -> None:
        if "video" in self._have:
            return
        chain = [*self._head(), *head, make("h264parse")]
        if timestamper:
            chain.append(make("h264timestamper"))
        self._add_branch(pad, "video", chain, _VIDEO_CAPS)

    def _add_audio(self, pad: Any, decoder: tuple[str, ...] | None, codec: str) -> None:
        if "audio" in self._have:
            return
        if decoder is None:
            self._callbacks.refused(*audio_refusal(codec))
        else:
            chain = [make(name, **_PROPERTIES.get(name, {})) for name in decoder]
            self._add_branch(pad, "audio", [*self._head(), *chain], _AUDIO_CAPS)

    def _head(self) -> list[Any]:
        """A queue where the sinks keep to the clock, or one would hold up the other.

        Live sources need none (the sinks never block), and each costs a thread's wake-ups.
        """
        return [_queue()] if self._paced else []

    def _refuse_video(self, codec: str) -> None:
        if "video" not in self._have:
            self._callbacks.refused(*video_refusal(codec))

    def _add_branch(self, pad: Any, kind: str, chain: list[Any], wanted: str) -> None:
        self._have.add(kind)
        if kind == "audio":
            chain += [make("audioconvert"), make("audioresample")]
        # async: a sink that waited for its first buffer would take the pipeline back to PAUSED,
        # and the other one would hold there the thread that brings both.
        sink = make("appsink", sync=self._paced, async_=False, max_buffers=0, emit_signals=False)
        chain += [make("capsfilter", caps=caps(wanted)), sink]
        self.add(*chain)
        for element in reversed(chain):
            element.sync_state_with_parent()
        if kind == "video":
            self.spawn(kind, lambda: self._pull(sink, self._pull_video, lambda: None))
        else:
            self.spawn(kind, lambda: self._pull(sink, self._pull_audio, self._flush_audio))
        pad.link(chain[0].get_static_pad("sink"))

    def _pull(self, sink: Any, handle: Callable[[Any], None], idle: Callable[[], None]) -> None:
        while not self.stopping:
            sample = sink.try_pull_sample(_PULL_NS)
            if sample is not None:
                handle(sample)
            elif sink.is_eos():
                break
            else:
                idle()
                self._look_for_wrap()
        idle()

    def _pull_video(self, sample: Any) -> None:
        buffer = sample.get_buffer()
        segment = sample.get_segment()
        self._saw(buffer.pts)
        pts = _running(segment, buffer.pts)
        dts = _running(segment, buffer.dts)
        if pts is None and dts is None:
            return  # nothing says when it belongs; decoders drop such a unit as well
        pts, dts = (dts if pts is None else pts), (pts if dts is None else dts)
        assert pts is not None and dts is not None
        key = not buffer.has_flags(Gst.BufferFlags.DELTA_UNIT)
        self._callbacks.video(InputUnit(pts, dts, key, buffer, sample.get_caps()))

    def _pull_audio(self, sample: Any) -> None:
        buffer = sample.get_buffer()
        self._saw(buffer.pts)
        pts = _running(sample.get_segment(), buffer.pts)
        if pts is not None:
            self._deliver(self._batch.add(pts, buffer.extract_dup(0, buffer.get_size())))

    def _flush_audio(self) -> None:
        self._deliver(self._batch.flush())

    def _deliver(self, blocks: list[tuple[int, bytes]]) -> None:
        for pts, pcm in blocks:
            self._callbacks.audio(pts, pcm)

    def _saw(self, time: int) -> None:
        if time != Gst.CLOCK_TIME_NONE:
            self._newest = max(self._newest, time)


def _format(pad: Any) -> Any:
    """What a pad carries. A pad of parsebin has no caps at first; what it may have is a list."""
    stream = pad.get_stream()
    of_stream = stream.get_caps() if stream is not None else None
    return (pad.get_current_caps() or of_stream or pad.query_caps(None)).get_structure(0)


def _running(segment: Any, time: int) -> int | None:
    """Running time in ns, negative before the segment's start; None if `time` is not set."""
    if time == Gst.CLOCK_TIME_NONE:
        return None
    sign, value = segment.to_running_time_full(Gst.Format.TIME, time)
    return None if sign == 0 else int(sign * value)


def _needed_for(scheme: str) -> tuple[str, ...]:
    return (*gst_elements.SOURCES[scheme], *gst_elements.INPUT, *gst_elements.OUTPUT)


def _decoder_of(name: str, structure: Any) -> tuple[str, ...] | None:
    """The elements that decode these caps; None: there is no decoder for them."""
    codec = gst_elements.SOUND_BY_CAPS.get(name)
    if name == "audio/mpeg" and structure.get_value("mpegversion") == 1:
        codec = "MPEG-1 audio"
    elif name == "audio/mpeg":
        codec = "AAC in LATM" if structure.get_string("stream-format") == "loas" else "AAC"
    return None if codec is None else gst_elements.SOUND[codec]


def _rtp_decoder_of(encoding: str) -> tuple[str, ...] | None:
    """The same for an encoding name of RTP."""
    known = gst_elements.SOUND_BY_RTP.get(encoding.upper())
    return None if known is None else (known[0], *gst_elements.SOUND[known[1]])


def _queue() -> Any:
    return make("queue", max_size_time=0, max_size_bytes=0, max_size_buffers=0)


def _rtmp(url: str) -> tuple[Any, Any]:
    return make("rtmp2src", location=url, timeout=5), make("flvdemux")


def _http(url: str) -> tuple[Any, Any]:
    return make("souphttpsrc", location=url, is_live=True), make("flvdemux")


def _rtsp(url: str) -> tuple[Any, Any]:
    # buffer-mode synced: 0 ms A/V offset measured; the default loses 40 ms.
    source = make("rtspsrc", location=url, latency=200)
    Gst.util_set_object_arg(source, "protocols", "tcp")
    Gst.util_set_object_arg(source, "buffer-mode", "synced")
    return source, None


def _srt(url: str) -> tuple[Any, Any]:
    return make("srtsrc", uri=url, wait_for_connection=False), make("tsdemux", latency=0)


def _file(url: str) -> tuple[Any, Any]:
    return make("filesrc", location=str(path_of(url))), make("parsebin")


_RTMP = ("rtmp", "rtmps")
_IDLE_TIMEOUT = {
    "rtmp": "idle-timeout",
    "rtmps": "idle-timeout",
    "http": "timeout",
    "https": "timeout",
}
_SOURCES: dict[str, Callable[[str], tuple[Any, Any]]] = {
    "rtmp": _rtmp,
    "rtmps": _rtmp,
    "rtsp": _rtsp,
    "srt": _srt,
    "http": _http,
    "https": _http,
    "file": _file,
}
