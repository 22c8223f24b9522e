"""The input of sources that speak FLV, and of files in it: tags to access units and PCM.

The bytes are read by `flv_reader`, tag by tag; GStreamer only brings them and decodes the sound.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from typing import Any

from dubcast import flv
from dubcast.clock import NS_PER_MS, ns_to_s
from dubcast.errors import MissingPartError
from dubcast.worker.edges import InputCallbacks, InputUnit
from dubcast.worker.file_pace import FilePace
from dubcast.worker.flv_reader import (
    HEAD,
    FlvReader,
    Picture,
    RawTag,
    Script,
    Sound,
    SoundFormat,
    audio_refusal,
)
from dubcast.worker.gst import decoding
from dubcast.worker.gst.pipeline import Gst, Pipeline, caps, make
from dubcast.worker.source_url import path_of, scheme_of

_CONNECT_TIMEOUT_S = 5
_TAG_HEAD = 11
_READ_AHEAD = 16  # buffers of a file
_CAPS = {
    "aac": "audio/mpeg,mpegversion=4,framed=true,stream-format=raw",
    "mp3": "audio/mpeg,mpegversion=1,layer=3",
    "pcm_alaw": "audio/x-alaw",
    "pcm_mulaw": "audio/x-mulaw",
    "speex": "audio/x-speex",
    "nellymoser": "audio/x-nellymoser",
    "pcm": "audio/x-raw,layout=interleaved",
}


class FlvInput(Pipeline):
    """Reads one RTMP or HTTP-FLV source or file once; the worker makes a new one when this ends.

    `patience_s`: a source that sends nothing for so long has ended: its publisher vanished, or its
    server is half-open.
    """

    def __init__(self, url: str, callbacks: InputCallbacks, patience_s: float) -> None:
        super().__init__("input", callbacks.end)
        self._callbacks = callbacks
        self._reader = FlvReader()
        self._parser = flv.FlvParser()
        self._format: SoundFormat | None = None
        self._sound: Any = None  # where coded sound goes in
        scheme = scheme_of(url)
        # A file has no pace of its own.
        self._pace = FilePace() if scheme == "file" else None
        self._take = self._take_tag if scheme.startswith("rtmp") else self._take_bytes
        end = decoding.sink()
        if self._pace is not None:
            end.set_property("max-buffers", _READ_AHEAD)
        self.add(_SOURCES[scheme](url, math.ceil(patience_s)), end)
        self.spawn("tags", lambda: self._take_all(end))

    def _take_all(self, end: Any) -> None:
        decoding.pull(self, end, self._take, lambda: None)
        if self._sound is not None:  # it ends with its source, or the pipeline waits for it
            self._sound.end_of_stream()

    def _take_tag(self, sample: Any) -> None:
        """rtmp2src makes a buffer of each tag, and one of the file header."""
        buffer = sample.get_buffer()
        head = buffer.extract_dup(0, _TAG_HEAD + HEAD)
        size = int.from_bytes(head[1:4])
        if head[:3] == b"FLV" or len(head) < _TAG_HEAD or _TAG_HEAD + size > buffer.get_size():
            return

        def part(first: int, count: int) -> Any:
            return buffer.copy_region(Gst.BufferCopyFlags.MEMORY, _TAG_HEAD + first, count)

        def body() -> bytes:
            data: bytes = buffer.extract_dup(_TAG_HEAD, size)
            return data

        dts_ms = int.from_bytes(head[4:7]) | head[7] << 24
        self._read(RawTag(head[0] & 0x1F, dts_ms, size, head[_TAG_HEAD:][:size], body), part)

    def _take_bytes(self, sample: Any) -> None:
        buffer = sample.get_buffer()
        try:
            tags = self._parser.feed(buffer.extract_dup(0, buffer.get_size()))
        except flv.FlvError as error:
            self._callbacks.end("error", f"what the source sends is {error}")
            return
        for tag in tags:
            self._hold(tag)
            self._read(
                RawTag.of(tag),
                lambda first, count, body=tag.body: Gst.Buffer.new_wrapped(
                    body[first : first + count]
                ),
            )

    def _hold(self, tag: flv.Tag) -> None:
        """Wait until a frame of a file is due; headers may have any timestamp."""
        if self._pace is None or tag.kind == flv.SCRIPT or tag.body[1:2] == b"\0":
            return
        now = time.monotonic_ns()
        self.await_stop(ns_to_s(self._pace.due_ns(tag.dts_ms * NS_PER_MS, now) - now))

    def _read(self, tag: RawTag, part: Any) -> None:
        if tag.kind not in (flv.AUDIO, flv.VIDEO, flv.SCRIPT):
            return
        found = self._reader.read(tag, time.monotonic_ns())
        match found:
            case Picture():
                payload = part(found.skip, tag.size - found.skip)
                unit = InputUnit(found.pts, found.dts, found.key, payload, found.config)
                self._callbacks.video(unit)
            case Sound():
                self._decode(found, part(found.skip, tag.size - found.skip))
            case Script():
                self._callbacks.script(found.pts, tag.body())
        if self._reader.refusal is not None:
            self._callbacks.refused(*self._reader.refusal)

    def _decode(self, sound: Sound, buffer: Any) -> None:
        if sound.format != self._format and not self._begin_sound(sound.format):
            return
        buffer.pts = buffer.dts = sound.pts
        self._sound.push_buffer(buffer)

    def _begin_sound(self, format_: SoundFormat) -> bool:
        """Make ready for sound of this format; whether it can be decoded in this pipeline."""
        if self._format is not None and self._format.codec != format_.codec:
            self._callbacks.end("error", f"the source's audio is {format_.codec} now")
            return False
        self._format = format_
        coded = _caps(format_)
        if self._sound is not None:
            self._sound.set_caps(coded)
            return True
        names = decoding.decoder_of(coded.get_structure(0))
        if names is None:
            self._callbacks.refused(*audio_refusal(format_.codec))
            return False
        try:
            self._add_decoder(coded, decoding.decoders(names))
        except MissingPartError as error:
            self._callbacks.refused("missing_part", str(error))
            return False
        return True

    def _add_decoder(self, coded: Any, chain: list[Any]) -> None:
        source = make("appsrc", is_live=False, do_timestamp=False, block=False, max_bytes=0)
        source.set_property("format", Gst.Format.TIME)
        source.set_property("caps", coded)
        end = decoding.sink()
        reader = decoding.PcmReader(self._callbacks.audio)
        decoding.add_running(self, decoding.to_pcm([source, *chain], end))
        self._sound = source
        self.spawn("sound", lambda: decoding.pull(self, end, reader.take, reader.flush))


def _caps(format_: SoundFormat) -> Any:
    found = caps(_CAPS[format_.codec])
    if format_.rate_hz:
        found.set_value("rate", format_.rate_hz)
    if format_.channels:
        found.set_value("channels", format_.channels)
    if format_.codec == "pcm":
        found.set_value("format", "S16LE" if format_.bits == 16 else "U8")
    if format_.config:
        found.set_value("codec_data", Gst.Buffer.new_wrapped(format_.config))
    return found


def _rtmp(url: str, patience_s: int) -> Any:
    return make("rtmp2src", location=url, timeout=_CONNECT_TIMEOUT_S, idle_timeout=patience_s)


def _http(url: str, patience_s: int) -> Any:
    return make("souphttpsrc", location=url, is_live=True, timeout=patience_s)


def _file(url: str, _patience_s: int) -> Any:
    return make("filesrc", location=str(path_of(url)))


_SOURCES: dict[str, Callable[[str, int], Any]] = {
    "rtmp": _rtmp,
    "rtmps": _rtmp,
    "http": _http,
    "https": _http,
    "file": _file,
}
