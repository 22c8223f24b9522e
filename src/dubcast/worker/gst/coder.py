"""PCM to coded frames inside an output pipeline: AAC for all, Opus for WebRTC."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from dubcast.audio.pcm import RATE, Int16
from dubcast.clock import NS_PER_S
from dubcast.worker.flv_writer import AudioPacer, Frame
from dubcast.worker.gst.pipeline import Gst, Pipeline, caps, make
from dubcast.worker.scheduler import AudioBlock

_PCM_CAPS = "audio/x-raw,format=S16LE,rate=48000,channels=2,layout=interleaved"
_AAC_CAPS = "audio/mpeg,mpegversion=4,stream-format=raw"
AAC_BITRATE = 128_000
# voaacenc starts with 1600 samples that GStreamer does not account for (measured: 33.3 ms), and
# at its end it drops as many, and what does not fill a frame: silence takes their place.
_AAC_PRIMING, _AAC_FRAME = 1600, 1024
# opusenc starts with so many, which a decoder of WebRTC plays.
_OPUS_PRIMING, _OPUS_FRAME = 312, 960
_OPUS_BITRATE = 96_000
_ENCODER_WAIT_NS = 2 * NS_PER_S  # the end of the stream comes long before, but for a full machine


class Coder:
    """A chain that knows nothing of the others. The encoder's priming is taken off the PTS."""

    def __init__(self, pipeline: Pipeline, elements: tuple[Any, ...], priming: int, frame: int):
        self._priming, self._frame = priming, frame
        self._pcm = appsrc(caps(_PCM_CAPS))
        self._out = make("appsink", sync=False, async_=False, max_buffers=0, emit_signals=False)
        pipeline.add(self._pcm, make("audioconvert"), *elements, self._out)
        self._pacer = AudioPacer()
        self._end_ns: int | None = None  # of the PCM that was given to the encoder

    def encode(self, block: AudioBlock) -> None:
        """Take PCM some time before it is due."""
        early_ns = self._priming * NS_PER_S // RATE
        self._pacer.block(block.pts_ns - early_ns, block.due_ns - early_ns)
        self._feed(block.samples, block.pts_ns - early_ns)

    def due(self, now: int) -> list[Frame]:
        """The frames that leave at `now`, in order."""
        self._collect(0)
        return list(self._pacer.due(now))

    def finish(self) -> None:
        """No PCM comes any more; waits for the encoder's last frames."""
        if self._end_ns is not None:
            self._feed(np.zeros((self._priming + self._frame - 1, 2), np.int16), self._end_ns)
        self._pcm.end_of_stream()
        self._collect(_ENCODER_WAIT_NS)

    def waiting_s(self) -> float:
        """Seconds of PCM that the encoder has not taken."""
        return float(self._pcm.get_property("current-level-bytes") / (4 * RATE))

    def _feed(self, samples: Int16, pts: int) -> None:
        buffer = Gst.Buffer.new_wrapped(samples.astype("<i2", copy=False).tobytes())
        buffer.pts = pts
        buffer.duration = len(samples) * NS_PER_S // RATE
        self._end_ns = pts + buffer.duration
        self._pcm.push_buffer(buffer)

    def _collect(self, wait_ns: int) -> None:
        for frame in self._coded(wait_ns):
            self._pacer.add(frame)

    def _coded(self, wait_ns: int) -> Iterator[Frame]:
        """The frames that the encoder has made, and those that it makes within `wait_ns` each."""
        while (sample := self._out.try_pull_sample(wait_ns)) is not None:
            buffer = sample.get_buffer()
            config = sample.get_caps().get_structure(0).get_value("codec_data")
            data = config.extract_dup(0, config.get_size()) if config is not None else b""
            yield Frame(buffer.pts, buffer.get_size(), buffer, data)


def aac(pipeline: Pipeline) -> Coder:
    """AAC, for every reader."""
    encoder = make("voaacenc", bitrate=AAC_BITRATE)
    only = make("capsfilter", caps=caps(_AAC_CAPS))
    return Coder(pipeline, (encoder, only), _AAC_PRIMING, _AAC_FRAME)


def opus(pipeline: Pipeline) -> Coder:
    """Opus, which is what browsers take by WebRTC."""
    encoder = make("opusenc", bitrate=_OPUS_BITRATE)
    return Coder(pipeline, (encoder,), _OPUS_PRIMING, _OPUS_FRAME)


def appsrc(source_caps: Any) -> Any:
    """A source that is pushed to, and never waits."""
    source = make("appsrc", is_live=False, do_timestamp=False, block=False, max_bytes=0)
    source.set_property("format", Gst.Format.TIME)
    source.set_property("caps", source_caps)
    return source
