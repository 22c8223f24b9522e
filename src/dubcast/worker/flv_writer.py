"""What one output connection sends, as FLV tags: each track at its own time. Pure.

Written here and not by a muxer, because a muxer holds one track until the other has come, lifts
timestamps that grow slowly, and drops script data. Times in are stream times in ns; times out are
milliseconds since a moment just before the connection's start, one constant for all tracks, so
that PTS and DTS keep their distances to the millisecond that FLV has.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from dubcast import flv
from dubcast.clock import NS_PER_MS

# The encoder's priming lies before the first sample; whole milliseconds, so that PTS stay exact.
_BEFORE_START_NS = 100 * NS_PER_MS
# MediaMTX looks for tracks until so much time has passed in the tags, and gives nobody anything
# before. Where all headers come first, at 0, nothing is missed by letting it have passed. Sound
# alone is not hurried: mostly a connection with the picture follows it within that time.
_ANALYSIS_NS = 2_000 * NS_PER_MS


AAC_CONFIG = b"\x11\x90"  # what the encoder makes: AAC-LC, 48 kHz, stereo


@dataclass(frozen=True, slots=True)
class Outgoing:
    """One tag: `head`, then `payload` (opaque; None: nothing), then `tail`."""

    dts_ms: int
    head: bytes
    payload: Any
    tail: bytes


@dataclass(frozen=True, slots=True)
class Frame:
    """A coded audio frame with its PTS in ns, and its AudioSpecificConfig."""

    pts: int
    size: int
    payload: Any
    config: bytes


class FlvWriter:
    """The tags of one connection that begins at stream time `start_ns`.

    `video_config`: known already, so that servers see at once that there will be a picture.
    """

    def __init__(
        self, start_ns: int, video_config: bytes | None, *, with_opus: bool = False
    ) -> None:
        self._first_config = video_config or b""
        self._analysis_ns = _ANALYSIS_NS if video_config and not with_opus else 0
        self._origin_ns = start_ns - _BEFORE_START_NS - self._analysis_ns
        self._has_video = video_config is not None
        self._has_opus = with_opus
        # Pictures were sent in another order than they are shown in: there are B-frames.
        self.reordered = False
        self._latest_pts = 0
        self._video_config = b""
        self._audio_config = b""
        self._newest_ms = 0

    def opening(self, values: dict[str, float | bool | str]) -> Iterator[Outgoing]:
        """What goes before all media: metadata, and the picture's header if it is known."""
        codecs: dict[str, float | bool | str] = {"audiocodecid": float(flv.AAC)}
        if self._has_video:
            codecs["videocodecid"] = float(flv.AVC)
        body = flv.metadata({**values, **codecs})
        yield self._tag(flv.SCRIPT, 0, body)
        if self._first_config:
            yield from self._config(self._first_config, 0)
        self._audio_config = AAC_CONFIG
        yield self._tag(flv.AUDIO, 0, flv.aac_config(AAC_CONFIG))
        if self._has_opus:
            yield self._tag(flv.AUDIO, 0, flv.opus_config())

    def admission(self) -> Iterator[Outgoing]:
        """What ends the server's look for tracks, so that readers may come before the first of the
        media: the sound's header again, at the end of that time. Readers get it once, or see no
        change in it."""
        if self._analysis_ns:
            end_ms = self._analysis_ns // NS_PER_MS
            yield self._tag(flv.AUDIO, end_ms, flv.aac_config(AAC_CONFIG))

    def picture(
        self, pts: int, dts: int, key: bool, config: bytes, payload: Any, size: int
    ) -> Iterator[Outgoing]:
        """An access unit of `size` bytes, its header first where that is new."""
        self.reordered = self.reordered or pts < self._latest_pts
        self._latest_pts = max(pts, self._latest_pts)
        dts_ms = self._ms(dts)
        if config != self._video_config:
            yield from self._config(config, dts_ms)
        cts_ms = round((pts - dts) / NS_PER_MS)
        yield self._tag(flv.VIDEO, dts_ms, flv.avc_head(key=key, cts_ms=cts_ms), payload, size)

    def sound(self, frame: Frame) -> Iterator[Outgoing]:
        """A coded audio frame, its header first where that is new."""
        dts_ms = self._ms(frame.pts)
        if frame.config != self._audio_config:
            self._audio_config = frame.config
            yield self._tag(flv.AUDIO, dts_ms, flv.aac_config(frame.config))
        yield self._tag(flv.AUDIO, dts_ms, flv.aac_head(), frame.payload, frame.size)

    def opus(self, frame: Frame) -> Iterator[Outgoing]:
        """A frame of the second track."""
        yield self._tag(flv.AUDIO, self._ms(frame.pts), flv.opus_head(), frame.payload, frame.size)

    def script(self, pts: int, payload: Any, size: int) -> Iterator[Outgoing]:
        """Script data as it came."""
        yield self._tag(flv.SCRIPT, self._ms(pts), b"", payload, size)

    def _config(self, config: bytes, dts_ms: int) -> Iterator[Outgoing]:
        self._video_config = config
        yield self._tag(flv.VIDEO, dts_ms, flv.avc_config(config))

    def _ms(self, time: int) -> int:
        return max(round((time - self._origin_ns) / NS_PER_MS), 0)

    def _tag(
        self, kind: int, dts_ms: int, head: bytes, payload: Any = None, size: int = 0
    ) -> Outgoing:
        whole = len(head) + size
        return Outgoing(
            dts_ms, flv.tag_head(kind, dts_ms, whole) + head, payload, flv.tag_tail(whole)
        )


class AudioPacer:
    """Holds coded frames until they are due: PCM goes to the encoder some time before that."""

    def __init__(self) -> None:
        self._frames: deque[Frame] = deque()
        self._anchors: deque[tuple[int, int]] = deque()  # (PTS from which on, due minus PTS)

    @property
    def held(self) -> int:
        """How many frames wait."""
        return len(self._frames)

    def block(self, pts: int, due_ns: int) -> None:
        """PCM that begins at `pts` was given to the encoder; it leaves at `due_ns`."""
        self._anchors.append((pts, due_ns - pts))

    def add(self, frame: Frame) -> None:
        """A frame came out of the encoder, in order."""
        self._frames.append(frame)

    def due(self, now: int) -> Iterator[Frame]:
        """The frames that leave at `now`, in order."""
        while self._frames and self._due_ns(self._frames[0].pts) <= now:
            yield self._frames.popleft()

    def _due_ns(self, pts: int) -> int:
        while len(self._anchors) > 1 and self._anchors[1][0] <= pts:
            self._anchors.popleft()
        return pts + self._anchors[0][1] if self._anchors else pts
