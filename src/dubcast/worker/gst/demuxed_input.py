"""The input of sources that GStreamer demuxes: SRT, files, and what RTSP has in common with them.

Video is parsed into access units, never decoded. Every timestamp handed out is *running time*:
some elements (h264timestamper) move PTS and segment by hours, and only their difference counts.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from dubcast import gst_elements
from dubcast.errors import MissingPartError
from dubcast.worker.decode_order import DtsRestorer
from dubcast.worker.edges import InputCallbacks, InputUnit
from dubcast.worker.flv_reader import audio_refusal, video_refusal
from dubcast.worker.gst import decoding
from dubcast.worker.gst.pipeline import Gst, Pipeline, caps, make
from dubcast.worker.source_url import path_of, scheme_of

_VIDEO_CAPS = "video/x-h264,stream-format=avc,alignment=au"
# Of each track of a file: more than its tracks lie apart, less than a machine has.
_READ_AHEAD_BYTES = 32 << 20
# So many pictures of a file, and not one that says when it belongs: there will be none.
_ALL_UNTIMED = 30
# GStreamer's demuxer of MPEG-TS takes its times from the clock of the stream (PCR), and finds none
# where sound comes before the first of it.
_NO_TIMES = (
    "the file's picture has no timestamps (MPEG-TS whose sound begins before its clock, PCR): "
    "convert it, e.g. ffmpeg -i FILE -c copy FILE.mkv"
)


class DemuxedInput(Pipeline):
    """Reads one SRT source or file once; the worker makes a new one when this ends.

    `pts_alone`: the source's pictures have no DTS, and its times are right as they are written:
    Matroska, whose demuxer moves its segment after pictures that came before it.
    """

    def __init__(self, url: str, callbacks: InputCallbacks, *, pts_alone: bool = False) -> None:
        super().__init__("input", callbacks.end)
        self._callbacks = callbacks
        scheme = scheme_of(url)
        self._have: set[str] = set()
        # A file has no pace of its own: its sinks keep to the clock.
        self._paced = scheme == "file"
        self._time_of = decoding.written_time if pts_alone else decoding.running_time
        self._untimed: int | None = 0  # pictures without a time, while there is none with
        self._restorer = DtsRestorer(callbacks.video)
        self._picture = self._restorer.take if pts_alone else callbacks.video
        source, demuxer = self._source(url)
        self.add(source) if demuxer is None else self.add(source, demuxer)
        (demuxer or source).connect("pad-added", self._pad_added)

    def _source(self, url: str) -> tuple[Any, Any]:
        """What reads, and what demuxes it, if that is another element."""
        return _SOURCES[scheme_of(url)](url)

    def _pad_added(self, _element: Any, pad: Any) -> None:
        structure = _format(pad)
        name = structure.get_name()
        try:
            if name == "application/x-rtp":
                self._add_rtp(pad, structure)
            elif name == "video/x-h264":
                self._add_video(pad, [])
            elif name.startswith("video/"):
                self._refuse_video(name)
            elif name.startswith("audio/"):
                self._add_audio(pad, decoding.decoder_of(structure), name)
        except MissingPartError as error:
            self._callbacks.refused("missing_part", str(error))

    def _add_rtp(self, pad: Any, structure: Any) -> None:
        media, encoding = structure.get_string("media"), structure.get_string("encoding-name")
        if media == "video" and encoding == "H264":
            # RTP carries no DTS: the timestamper restores it, or B-frames lose their order.
            self._add_video(pad, [make("rtph264depay")], timestamper=True)
        elif media == "video":
            self._refuse_video(str(encoding))
        elif media == "audio":
            name = encoding or _static_name(structure)
            self._add_audio(pad, decoding.rtp_decoder_of(name), name)

    def _add_video(self, pad: Any, head: list[Any], *, timestamper: bool = False) -> None:
        if "video" in self._have:
            return
        chain = [*self._head(), *head, make("h264parse")]
        if timestamper:
            chain.append(make("h264timestamper"))
        end = decoding.sink(paced=self._paced)
        chain += [make("capsfilter", caps=caps(_VIDEO_CAPS)), end]
        self._add_branch(pad, "video", chain)
        self.spawn("video", lambda: self._pull_video(end))

    def _pull_video(self, end: Any) -> None:
        decoding.pull(self, end, self._take_video, lambda: None)
        self._restorer.flush()

    def _add_audio(self, pad: Any, names: tuple[str, ...] | None, codec: str) -> None:
        if "audio" in self._have:
            return
        if names is None:
            self._callbacks.refused(*audio_refusal(codec))
            return
        end = decoding.sink(paced=self._paced)
        reader = decoding.PcmReader(self._callbacks.audio, self._time_of)
        head = [*self._head(), *decoding.decoders(names)]
        self._add_branch(pad, "audio", decoding.to_pcm(head, end))
        self.spawn("audio", lambda: decoding.pull(self, end, reader.take, reader.flush))

    def _head(self) -> list[Any]:
        """A queue where the sinks keep to the clock, or one would hold up the other.

        Live sources need none (the sinks never block), and each costs a thread's wake-ups.
        """
        return [_queue()] if self._paced else []

    def _refuse_video(self, codec: str) -> None:
        if "video" not in self._have:
            self._callbacks.refused(*video_refusal(codec))

    def _add_branch(self, pad: Any, kind: str, chain: list[Any]) -> None:
        self._have.add(kind)
        decoding.add_running(self, chain)
        pad.link(chain[0].get_static_pad("sink"))

    def _take_video(self, sample: Any) -> None:
        buffer, segment = sample.get_buffer(), sample.get_segment()
        pts = self._time_of(segment, buffer.pts)
        dts = self._time_of(segment, buffer.dts)
        if pts is None and dts is None:
            self._count_untimed()
            return  # nothing says when it belongs; decoders drop such a unit as well
        pts, dts = (dts if pts is None else pts), (pts if dts is None else dts)
        assert pts is not None and dts is not None
        self._untimed = None
        key = not buffer.has_flags(Gst.BufferFlags.DELTA_UNIT)
        codec_data = sample.get_caps().get_structure(0).get_value("codec_data")
        config = codec_data.extract_dup(0, codec_data.get_size())
        self._picture(InputUnit(pts, dts, key, buffer, config))

    def _count_untimed(self) -> None:
        if not self._paced or self._untimed is None:  # a live source is joined anywhere
            return
        self._untimed += 1
        if self._untimed == _ALL_UNTIMED:
            self._callbacks.end("error", _NO_TIMES)


def _static_name(structure: Any) -> str:
    found, number = structure.get_int("payload")
    return gst_elements.RTP_STATIC.get(number, "of an unknown codec") if found else ""


def _format(pad: Any) -> Any:
    """What a pad carries. A pad of parsebin has no caps at first; what it may have is a list."""
    stream = pad.get_stream()
    of_stream = stream.get_caps() if stream is not None else None
    return (pad.get_current_caps() or of_stream or pad.query_caps(None)).get_structure(0)


def _queue() -> Any:
    return make("queue", max_size_time=0, max_size_bytes=_READ_AHEAD_BYTES, max_size_buffers=0)


def _srt(url: str) -> tuple[Any, Any]:
    # By its PCR the demuxer would move each track while it learns the sender's clock: for seconds
    # A/V was up to 90 ms off. PTS and DTS say enough, the timeline follows the clock.
    demuxer = make("tsdemux", latency=0, ignore_pcr=True)
    return make("srtsrc", uri=url, wait_for_connection=False), demuxer


def _file(url: str) -> tuple[Any, Any]:
    return make("filesrc", location=str(path_of(url))), make("parsebin")


_SOURCES: dict[str, Callable[[str], tuple[Any, Any]]] = {
    "srt": _srt,
    "file": _file,
}
