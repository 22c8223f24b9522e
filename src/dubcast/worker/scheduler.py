"""The output scheduler: what leaves when. Pure; it never waits on anything.

Pictures and script data leave at their due time, untouched. Audio is rendered in blocks, a little
earlier, so that it is encoded when it is due. Whatever is not ready then is not waited for: the
stream's fallback plays. No track waits for another.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import Any

from dubcast.audio.pcm import RATE, Int16, ns_to_samples, samples_to_ns
from dubcast.clock import NS_PER_S
from dubcast.worker.block_renderer import BlockRenderer
from dubcast.worker.fragment import Fragment
from dubcast.worker.headstart import HeadStart
from dubcast.worker.timeline import Timeline

BLOCK = RATE // 10
AUDIO_LEAD_NS = 200_000_000
# At start nothing leaves before the output is connected; then at most this much is overdue.
_START_PATIENCE_NS = 10 * NS_PER_S
# A connection begins with sound and picture together where a key frame is this near.
_KEY_PATIENCE_NS = 2_500_000_000


class Tracks(StrEnum):
    """What the output takes."""

    NONE = "none"  # there is no connection
    SOUND = "sound"
    BOTH = "both"


@dataclass(frozen=True)
class VideoUnit:
    """One access unit: stream times in ns, whether it is a key frame, and its bytes as they came.

    `payload` is opaque here (a GStreamer buffer); `config` is the AVCDecoderConfigurationRecord
    that belongs to it.
    """

    pts_ns: int
    dts_ns: int
    key: bool
    payload: Any
    config: bytes = b""
    shift_ns: int = 0  # added to both times as it leaves


@dataclass(frozen=True)
class ScriptUnit:
    """Script data of the programme (captions, cue points), at its stream time in ns."""

    pts_ns: int
    body: bytes


@dataclass(frozen=True)
class AudioBlock:
    """Rendered output, int16 of shape (frames, 2), beginning at stream position `start`.

    `due_ns`: when its first sample leaves, on the monotonic clock.
    """

    start: int
    samples: Int16
    shift_ns: int = 0
    due_ns: int = 0

    @property
    def pts_ns(self) -> int:
        """The timestamp with which its first sample leaves."""
        return samples_to_ns(self.start) + self.shift_ns


@dataclass
class Batch:
    """What leaves now, but for the audio, which is to be encoded and then leaves; `cut`: what is to
    be dubbed, of sound that has stopped coming.

    `start_ns`: where the connection begins, once that is known; `start_due_ns`: when that leaves,
    on the monotonic clock.
    """

    start_ns: int | None = None
    audio: list[AudioBlock] = field(default_factory=list)
    video: list[VideoUnit] = field(default_factory=list)
    script: list[ScriptUnit] = field(default_factory=list)
    decided: list[Fragment] = field(default_factory=list)
    cut: list[Fragment] = field(default_factory=list)
    delay_s: float | None = None  # how long after its arrival the last of `video` leaves
    start_due_ns: int | None = None


class OutputScheduler:
    """Holds the delayed pictures and renders the audio when it is due.

    Not thread-safe: the worker holds its lock around every call.
    """

    def __init__(
        self,
        timeline: Timeline,
        renderer: BlockRenderer,
    ) -> None:
        self._timeline = timeline
        self._renderer = renderer
        self._video: deque[VideoUnit] = deque()
        self._script: deque[ScriptUnit] = deque()
        self._cursor: int | None = None  # next stream position to render
        self._jumps: deque[tuple[int, int]] = deque()  # (end of a session, start of the next)
        self._begun = False  # an output was connected at least once
        self._tracks = Tracks.NONE
        self._start_ns: int | None = None  # where the current connection begins
        self._decodable = False  # a key frame has left on it
        self._head: HeadStart[VideoUnit] = HeadStart()

    def resume(self, lead_ns: int) -> None:
        """Before any input: play `lead_ns` sooner than due at first, then step back once."""
        self._head = HeadStart(lead_ns)

    @property
    def resuming(self) -> bool:
        """True until the step back."""
        return not self._head.over

    @property
    def held(self) -> int:
        """Access units that wait for their due time."""
        return len(self._video)

    @property
    def position(self) -> int | None:
        """The next stream position to be rendered; None before the first input."""
        return self._cursor

    def session_began(self, previous_end_ns: int, start_ns: int) -> None:
        """The input (re)connected: what follows begins at `start_ns`."""
        self._head.session_began()
        start = ns_to_samples(start_ns)
        if self._cursor is None:
            self._cursor = start
        else:
            self._jumps.append((ns_to_samples(previous_end_ns), start))

    def push_video(self, unit: VideoUnit) -> None:
        """An access unit arrived, in decoding order."""
        self._video.append(unit)
        if self._head.over:
            return
        if unit.key:
            self._head.began(unit.dts_ns)
        self._head.hold(unit)

    def push_script(self, unit: ScriptUnit) -> None:
        """Script data arrived, in order."""
        self._script.append(unit)

    def set_output(self, tracks: Tracks) -> None:
        """What the output takes from now on.

        A connection begins at a key frame, or now if none is near; what is due without one is
        dropped. One that took sound alone takes pictures from the next key frame on.
        """
        self._begun = self._begun or tracks is Tracks.NONE is not self._tracks
        if Tracks.NONE in (tracks, self._tracks):
            self._start_ns, self._decodable = None, False
        self._tracks = tracks

    def first_picture(self) -> tuple[VideoUnit, int] | None:
        """The key frame that an output of sound alone has yet to take, and when it leaves."""
        if self._tracks is not Tracks.SOUND:
            return None
        first = next((unit for unit in self._video if unit.key), None)
        due = None if first is None else self._due(first.dts_ns, self._head.video_lead_ns)
        return None if first is None or due is None else (first, due)

    def poll(self, now: int) -> Batch:
        """Everything due at `now`."""
        batch = Batch()
        if self._tracks is Tracks.NONE and not self._begun and self._cursor is not None:
            due = self._due(samples_to_ns(self._cursor), self._audio_lead_ns)
            if due is not None and now < due + _START_PATIENCE_NS:
                return batch
        self._choose_start(now)
        self._poll_audio(now, batch)
        self._poll_video(now, batch)
        while self._script and (self._timeline.due_ns(self._script[0].pts_ns) or 0) <= now:
            data = self._script.popleft()
            if self._start_ns is not None and data.pts_ns >= self._start_ns:
                batch.script.append(data)
        batch.start_ns = self._start_ns
        if self._start_ns is not None:
            batch.start_due_ns = self._due(self._start_ns, self._head.video_lead_ns)
        if batch.video:
            due = self._timeline.due_ns(batch.video[-1].dts_ns)
            assert due is not None
            batch.delay_s = (now - due + self._timeline.delay_ns) / NS_PER_S
        return batch

    def next_due_ns(self) -> int | None:
        """When the next picture or block is due, if one is known."""
        times = []
        if self._video:
            times.append(self._due(self._video[0].dts_ns, self._head.video_lead_ns))
        if self._cursor is not None and self._block_stop() is not None:
            times.append(self._due(samples_to_ns(self._cursor), self._audio_lead_ns))
        known = [time for time in times if time is not None]
        return min(known) if known else None

    @property
    def drained(self) -> bool:
        """True when the input has ended and all of it has left."""
        return not self._timeline.connected and not self._video and self._block_stop() is None

    def _choose_start(self, now: int) -> None:
        if self._tracks is Tracks.NONE or self._start_ns is not None or self._cursor is None:
            return
        cursor_ns = samples_to_ns(self._cursor)
        if self._tracks is Tracks.SOUND:
            self._start_ns = cursor_ns
            self._head.skip_video()
            self._head.began(self._start_ns)
            return
        keys = [unit for unit in self._video if unit.key]
        # Audio leaves earlier than video: begin where both are still to come, if there is such.
        ready = [u for u in keys if not self._begun or ns_to_samples(u.pts_ns) >= self._cursor]
        due = self._due(samples_to_ns(self._cursor), self._audio_lead_ns)
        if ready and (ready[0].dts_ns - cursor_ns < _KEY_PATIENCE_NS or not self._begun):
            self._start_ns = ready[0].dts_ns
        elif due is not None and due <= now:
            self._start_ns = cursor_ns

    def _poll_audio(self, now: int, batch: Batch) -> None:
        while self._cursor is not None:
            cursor, self._cursor = self._cursor, self._head.step_audio(self._cursor)
            if self._cursor != cursor and self._start_ns is not None:
                self._start_ns = min(self._start_ns, self._head.origin_ns)
            stop = self._block_stop()
            if stop is None:
                return
            due = self._due(samples_to_ns(self._cursor), self._audio_lead_ns)
            if due is None or due > now:
                return
            if self._head.audio_lead_ns:  # no dub can be ready: nothing is decided yet
                samples = self._renderer.original(self._cursor, stop)
            else:
                samples, decided = self._renderer.render(self._cursor, stop)
                batch.decided += decided
            self._emit(self._cursor, samples, batch)
            self._cursor = stop

    def _emit(self, start: int, samples: Int16, batch: Batch) -> None:
        if self._start_ns is None:
            return
        samples = self._head.faded(start, samples)
        skipped = max(0, ns_to_samples(self._start_ns) - start)
        if skipped < len(samples):
            shift_ns, first = self._head.audio_shift_ns, start + skipped
            leaves_ns = self._due(samples_to_ns(first), self._head.audio_lead_ns)
            assert leaves_ns is not None
            batch.audio.append(AudioBlock(first, samples[skipped:], shift_ns, leaves_ns))

    def _poll_video(self, now: int, batch: Batch) -> None:
        while self._video:
            again = self._head.step_video(self._video[0].dts_ns)
            if again is not None:
                self._video = deque(again)
            due = self._due(self._video[0].dts_ns, self._head.video_lead_ns)
            if due is None or due > now:
                return
            unit = self._video.popleft()
            if self._start_ns is None or unit.dts_ns < self._start_ns:
                continue
            # Nothing is shown before a key frame.
            self._decodable = self._tracks is Tracks.BOTH and (self._decodable or unit.key)
            if self._decodable:
                shift_ns = self._head.video_shift_ns
                batch.video.append(replace(unit, shift_ns=shift_ns) if shift_ns else unit)

    def _block_stop(self) -> int | None:
        """End of the block at the cursor, or None if the input has not reached it yet."""
        if self._cursor is None:
            return None
        while self._jumps and self._cursor >= self._jumps[0][0]:
            self._cursor = max(self._cursor, self._jumps.popleft()[1])
        limit = self._jumps[0][0] if self._jumps else ns_to_samples(self._timeline.newest_ns)
        stop = min(self._cursor + BLOCK, limit)
        end = self._head.audio_end
        if end is not None and self._cursor < end <= stop:
            return end
        complete = stop - self._cursor == BLOCK
        ended = bool(self._jumps) or not self._timeline.connected
        return stop if complete or (ended and stop > self._cursor) else None

    @property
    def _audio_lead_ns(self) -> int:
        return AUDIO_LEAD_NS + self._head.audio_lead_ns

    def _due(self, stream_ns: int, lead_ns: int) -> int | None:
        """When this stream time leaves if it leaves `lead_ns` sooner than the delay says."""
        due = self._timeline.due_ns(stream_ns)
        return None if due is None else due - lead_ns
