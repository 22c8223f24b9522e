"""What arrives: placed on the stream's timeline, and its speech cut into spans. Pure.

Not thread-safe: the worker's core holds its lock around every call.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from typing import Any

from dubcast.audio.fragmenter import Fragmenter, Span
from dubcast.audio.pcm import RATE, Int16, from_bytes, ns_to_samples, samples_to_ns
from dubcast.audio.store import AudioStore, Placer
from dubcast.audio.vad import WINDOW, SpeechModel, VadStream
from dubcast.clock import NS_PER_S
from dubcast.separation.gate import SpeechGate
from dubcast.worker.rebase import Rebaser, Track
from dubcast.worker.scheduler import ScriptUnit, VideoUnit
from dubcast.worker.timeline import Timeline

_FARTHEST_NS = 10 * NS_PER_S
# Somebody speaks for sure where so many windows in a row (96 ms) have at least this probability: a
# beep has 0.8, and after a breath or a click there is no such row.
_SURE, _SURE_WINDOWS = 0.9, 3


class Intake:
    """Puts the packets of each session where they belong on the timeline, and keeps the sound.

    `session_began(previous_end_ns, start_ns)` is called when the first packet of a session came.
    """

    def __init__(
        self, timeline: Timeline, store: AudioStore, session_began: Callable[[int, int], None]
    ) -> None:
        self._timeline = timeline
        self._store = store
        self._session_began = session_began
        self._rebaser = Rebaser()
        self._placer = Placer()
        self.audio_gap_samples = 0
        self.has_video = False
        self.has_audio = False
        self.video_config: bytes | None = None  # of the newest access unit

    @property
    def av_error_s(self) -> float:
        """Audio placed against its PTS, smoothed, in seconds (+: audio early)."""
        return self._placer.error_samples / RATE

    def video(
        self, pts: int, dts: int, key: bool, payload: Any, config: bytes, now: int
    ) -> VideoUnit:
        """An access unit, on the timeline; times are running times of the session in ns."""
        dts_ns = self._to_stream_time("video", dts, now)
        # A DTS that stands still is lifted a little: the PTS stays where it was.
        pts_ns = self._timeline.stream_time(pts + self._rebaser.offset("video"))
        if abs(pts - dts) >= _FARTHEST_NS:  # one of them wrapped or is damaged
            pts_ns = dts_ns
        self.has_video, self.video_config = True, config
        self._timeline.arrived(dts_ns, now)
        return VideoUnit(pts_ns, dts_ns, key, payload, config)

    def script(self, pts: int, body: bytes) -> ScriptUnit | None:
        """Script data, on the timeline; None: no packet of its session has come yet."""
        if not self._timeline.connected:
            return None
        return ScriptUnit(self._timeline.stream_time(pts), body)

    def audio(self, pts: int, pcm: bytes, now: int) -> tuple[int, Int16] | None:
        """Store a chunk of PCM; its position and samples, (frames, 2). None: all of it overlaps."""
        pts_ns = self._to_stream_time("audio", pts, now)
        self.has_audio = True
        placed = self._placer.place(ns_to_samples(pts_ns), from_bytes(pcm))
        start, samples = placed.start, placed.samples
        if not len(samples):
            return None
        self.audio_gap_samples += max(placed.gap, 0)
        self._store.write(start, samples)
        self._timeline.extend(samples_to_ns(start + len(samples)))
        if not self.has_video:
            self._timeline.arrived(samples_to_ns(start), now)
        return start, samples

    def end_session(self) -> bool:
        """The input is gone; False if it was already."""
        if not self._timeline.connected:
            return False
        self._timeline.end_session()
        self._placer.restart()
        return True

    def _to_stream_time(self, track: Track, ts: int, now: int) -> int:
        if not self._timeline.connected:
            self._rebaser = Rebaser()
        ts = self._rebaser.steady(track, ts, now)
        if not self._timeline.connected:
            end = self._timeline.newest_ns
            start = self._timeline.begin_session(ts, now)
            self._session_began(end, start)
        return self._timeline.stream_time(ts)


class SpeechCutter:
    """Finds the speech in what was placed and cuts it; the gate learns where a voice was."""

    def __init__(
        self,
        vad: SpeechModel,
        fragmenter: Fragmenter,
        gate: SpeechGate,
        threshold: float = 0.5,
        kept_s: float = 30.0,
    ) -> None:
        """`threshold`: the probability from which on a window is speech; `kept_s`: for how long it
        is known where that was."""
        self._vad = VadStream(vad)
        self._fragmenter = fragmenter
        self._gate = gate
        self._threshold = threshold
        self._until: int | None = None  # where the last block ended
        # Starts of the windows with speech, and of those in which that is certain.
        kept = round(kept_s * RATE / WINDOW)
        self._speech: deque[int] = deque(maxlen=kept)
        self._sure: deque[int] = deque(maxlen=kept)

    @property
    def quiet_until(self) -> int:
        """Where speech that is not in a span yet may begin at the earliest."""
        return self._fragmenter.quiet_until

    @property
    def open(self) -> int:
        """How long the speech is that is not in a span yet."""
        return 0 if self._until is None else self._until - self.quiet_until

    def cut(self, start: int, block: Int16, longest: int) -> list[Span]:
        """The spans that this block completes, none longer than `longest` samples."""
        torn = self._until is not None and start != self._until
        spans = self.flush() if torn else []
        self._until = start + len(block)
        windows = list(self._vad.feed(start, block))
        for window in windows:
            self._gate.vad(window.start, WINDOW, window.probability)
            if window.probability >= self._threshold:
                self._speech.append(window.start)
            if window.probability >= _SURE:
                self._sure.append(window.start)
        return [*spans, *self._fragmenter.feed(windows, longest)]

    def flush(self) -> list[Span]:
        """What speech was still open."""
        return list(self._fragmenter.flush())

    def speech_in(self, start: int, stop: int) -> int:
        """How much of [start, stop) is speech, in samples."""
        parts = (min(at + WINDOW, stop) - max(at, start) for at in self._speech)
        return sum(part for part in parts if part > 0)

    def sure_from(self, start: int, stop: int) -> int:
        """Where in [start, stop) somebody speaks for sure; `stop` if nowhere."""
        sure = set(self._sure)
        for at in self._sure:
            run = range(at, at + _SURE_WINDOWS * WINDOW, WINDOW)
            if start - WINDOW < at < stop and sure.issuperset(run):
                return max(at, start)
        return stop
