"""A short delay after a crash, then one step back to the full one. Pure.

A worker that was started anew holds nothing: with the full delay D its viewers would see nothing
for D seconds. So it plays what arrives at a short delay d, with the original sound (no dub can be
ready), and keeps it. When the first key frame that it holds is D old, it steps back to that frame
and plays on from there at D, dubbed: D - d seconds are seen twice, none is missing, and neither
track has a gap. What leaves after the step has D - d added to its timestamps, so they grow on.

Audio leaves a little earlier than video and steps a little earlier; both step at the same stream
time, so their offset stays what it was.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable
from typing import Generic, TypeVar

import numpy as np

from dubcast.audio.pcm import Int16, ms_to_samples, ns_to_samples

# A unit this little before the step would leave with nearly the timestamp of the one stepped to.
_SNAP_NS = 15_000_000
_FADE = ms_to_samples(10)  # out before the step and in after it: a hard cut would click
Unit = TypeVar("Unit")


class HeadStart(Generic[Unit]):
    """Where one scheduler is with its step back. Stream times in ns, positions in samples.

    `lead_ns`: how much sooner than due things leave before the step; 0: there is none.
    """

    def __init__(self, lead_ns: int = 0) -> None:
        self._lead_ns = lead_ns
        self._origin_ns: int | None = None  # where the step leads
        self._held: deque[Unit] = deque()  # the video since then
        self._audio_stepped = self._video_stepped = lead_ns <= 0

    @property
    def over(self) -> bool:
        """True when both tracks are at the full delay."""
        return self._audio_stepped and self._video_stepped

    @property
    def audio_lead_ns(self) -> int:
        """How much sooner than due audio leaves now."""
        return 0 if self._audio_stepped else self._lead_ns

    @property
    def video_lead_ns(self) -> int:
        """How much sooner than due video leaves now."""
        return 0 if self._video_stepped else self._lead_ns

    @property
    def audio_shift_ns(self) -> int:
        """What to add to the timestamps of audio that leaves now."""
        return self._lead_ns - self.audio_lead_ns

    @property
    def video_shift_ns(self) -> int:
        """What to add to the timestamps of video that leaves now."""
        return self._lead_ns - self.video_lead_ns

    @property
    def origin_ns(self) -> int:
        """Where the step leads; to be asked only once a track has stepped."""
        assert self._origin_ns is not None
        return self._origin_ns

    @property
    def audio_end(self) -> int | None:
        """The position at which audio steps back, while it has yet to and that is known."""
        if self._audio_stepped or self._origin_ns is None:
            return None
        return ns_to_samples(self._origin_ns + self._lead_ns)

    def session_began(self) -> None:
        """The input connected anew: the step leads to its first key frame, not further back."""
        if not self._audio_stepped:
            self._origin_ns = None
            self._held.clear()

    def began(self, stream_ns: int) -> None:
        """A key frame (or, without video, audio) from which a decoder can start."""
        if self._origin_ns is None and not self._audio_stepped:
            self._origin_ns = stream_ns

    def hold(self, unit: Unit) -> None:
        """Keep an access unit until the step."""
        if not self._video_stepped and self._origin_ns is not None:
            self._held.append(unit)

    def step_audio(self, cursor: int) -> int:
        """The position to render next after `cursor`: the origin's, if it is time to step."""
        end = self.audio_end
        if end is None or cursor < end:
            return cursor
        self._audio_stepped = True
        return ns_to_samples(self.origin_ns)

    def step_video(self, dts_ns: int) -> Iterable[Unit] | None:
        """All units since the origin if the one at `dts_ns` is beyond the step, else None."""
        if self._video_stepped or self._origin_ns is None:
            return None
        if dts_ns < self._origin_ns + self._lead_ns - _SNAP_NS:
            return None
        self._video_stepped = True
        held, self._held = self._held, deque()
        return held

    def skip_video(self) -> None:
        """There is no video: only audio steps."""
        self._video_stepped = True

    def faded(self, start: int, samples: Int16) -> Int16:
        """The block at `start` with the fades around the step, a copy where it has one."""
        if self._origin_ns is None or not self._lead_ns:
            return samples
        if self._audio_stepped:
            return _ramp(samples, ns_to_samples(self._origin_ns) - start, 1)
        return _ramp(samples, (self.audio_end or 0) - start, -1)


def _ramp(samples: Int16, edge: int, direction: int) -> Int16:
    """`samples` times |position - edge| / fade on the side of `edge` that is faded."""
    distance = direction * (np.arange(len(samples)) - edge)
    if not len(samples) or distance.min() >= _FADE:
        return samples
    gain = np.clip(distance / _FADE, 0, 1)
    return np.round(samples * gain[:, None]).astype(np.int16)
