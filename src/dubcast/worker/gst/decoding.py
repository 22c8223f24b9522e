"""Sound of any codec to PCM: which elements decode it, and the chain that ends in a sink.

Codecs are named one by one: what is not here is refused, where decodebin would leave silence.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from dubcast import gst_elements
from dubcast.worker.gst.pipeline import Gst, Pipeline, caps, make
from dubcast.worker.pcm_batch import PcmBatch

PCM_CAPS = "audio/x-raw,format=S16LE,rate=48000,channels=2,layout=interleaved"
_PULL_NS = 200_000_000
# Damaged frames are dropped, however many: silence takes their place, the stream goes on.
_UNDAUNTED = {"max_errors": -1}
# A segment and a time within it -> ns, negative before the segment's start; None: it is not set.
TimeOf = Callable[[Any, int], int | None]
_PROPERTIES = {"avdec_aac": _UNDAUNTED, "avdec_aac_latm": _UNDAUNTED}


def decoder_of(structure: Any) -> tuple[str, ...] | None:
    """The elements that decode caps of this structure; None: there is no decoder for them."""
    name = structure.get_name()
    if name != "audio/mpeg":
        codec = gst_elements.SOUND_BY_CAPS.get(name)
        return None if codec is None else gst_elements.SOUND[codec]
    if structure.get_value("mpegversion") == 1:
        return gst_elements.SOUND["MPEG-1 audio"]
    is_latm = structure.get_string("stream-format") == "loas"
    return gst_elements.SOUND["AAC in LATM" if is_latm else "AAC"]


def rtp_decoder_of(encoding: str) -> tuple[str, ...] | None:
    """The same of RTP packets by their encoding name, with what takes the frames out of them."""
    found = gst_elements.SOUND_BY_RTP.get(encoding.upper())
    return None if found is None else (found[0], *gst_elements.SOUND[found[1]])


def decoders(names: tuple[str, ...]) -> list[Any]:
    """The elements. Raises MissingPartError."""
    return [make(name, **_PROPERTIES.get(name, {})) for name in names]


def sink(*, paced: bool = False) -> Any:
    """A sink that is pulled from, and holds whatever comes.

    async: a sink that waited for its first buffer would take the pipeline back to PAUSED, and the
    other one would hold there the thread that brings both.
    """
    return make("appsink", sync=paced, async_=False, max_buffers=0, emit_signals=False)


def to_pcm(head: list[Any], end: Any) -> list[Any]:
    """A chain from coded frames to `end`, which takes 48 kHz stereo."""
    return [*head, make("audioconvert"), make("audioresample"), _filter(PCM_CAPS), end]


def _filter(text: str) -> Any:
    return make("capsfilter", caps=caps(text))


def add_running(pipeline: Pipeline, chain: list[Any]) -> None:
    """Add a chain to a pipeline that plays already."""
    pipeline.add(*chain)
    for element in reversed(chain):
        element.sync_state_with_parent()


def pull(
    pipeline: Pipeline, end: Any, handle: Callable[[Any], None], idle: Callable[[], None]
) -> None:
    """Hand every sample of `end` on until the pipeline ends; `idle` when none comes, and last."""
    while not pipeline.stopping:
        sample = end.try_pull_sample(_PULL_NS)
        if sample is not None:
            handle(sample)
        elif end.is_eos():
            break
        else:
            idle()
    idle()


class PcmReader:
    """Takes PCM from a sink's samples and hands it on in larger blocks, by their time in ns."""

    def __init__(
        self, deliver: Callable[[int, bytes], None], time_of: TimeOf | None = None
    ) -> None:
        self._deliver = deliver
        self._time_of = time_of or running_time
        self._batch = PcmBatch()

    def take(self, sample: Any) -> None:
        """One sample of the sink."""
        buffer = sample.get_buffer()
        pts = self._time_of(sample.get_segment(), buffer.pts)
        if pts is not None:
            self._hand_on(self._batch.add(pts, buffer.extract_dup(0, buffer.get_size())))

    def flush(self) -> None:
        """Hand on what waits."""
        self._hand_on(self._batch.flush())

    def _hand_on(self, blocks: list[tuple[int, bytes]]) -> None:
        for pts, pcm in blocks:
            self._deliver(pts, pcm)


def running_time(segment: Any, time: int) -> int | None:
    """Running time in ns, negative before the segment's start; None if `time` is not set."""
    if time == Gst.CLOCK_TIME_NONE:
        return None
    sign, value = segment.to_running_time_full(Gst.Format.TIME, time)
    return None if sign == 0 else int(sign * value)


def written_time(_segment: Any, time: int) -> int | None:
    """A time as the file has it, in ns: for a demuxer that moves its segments; None if not set."""
    return None if time == Gst.CLOCK_TIME_NONE else time
