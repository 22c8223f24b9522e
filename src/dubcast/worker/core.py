"""The worker's core behind one lock: what arrives, what is cut, what leaves.

No I/O, no clock, no threads of its own: the edges call it with what happened and when, from
whichever thread they are, and carry out what it returns.
"""

from __future__ import annotations

import threading
from collections import Counter
from dataclasses import dataclass
from typing import Any

from dubcast.audio.fragmenter import FixedFragmenter, Fragmenter, SpeechFragmenter
from dubcast.audio.mix import DuckedOriginal, Mixer
from dubcast.audio.pcm import (
    RATE,
    Float,
    Int16,
    from_bytes,
    mono,
    ms_to_samples,
    ns_to_samples,
    samples_to_ns,
)
from dubcast.audio.store import AudioStore, Placer
from dubcast.audio.vad import SpeechModel, VadStream
from dubcast.clock import NS_PER_S, s_to_ns
from dubcast.config import FragmentSettings, StreamSettings
from dubcast.worker.budget import FragmentBudget
from dubcast.worker.fallback import FallbackPolicy, HasBackground, may_dub
from dubcast.worker.fragments import Fragment, FragmentBook, Outcome, State, Stretch
from dubcast.worker.planner import Planner
from dubcast.worker.rebase import Rebaser, Track
from dubcast.worker.scheduler import AUDIO_LEAD_NS, BLOCK, Batch, OutputScheduler, VideoUnit
from dubcast.worker.timeline import Timeline

# Beyond the delay the store keeps what a late decision or a burst may still need.
_STORE_MARGIN_S = 12
_FARTHEST_NS = 10 * NS_PER_S
_DEADLINE_MARGIN_NS = 60_000_000


@dataclass(frozen=True)
class Work:
    """What the speech service needs for one fragment."""

    fragment: Fragment
    audio: Int16  # mono, 48 kHz
    slot_ms: int
    context: tuple[str, str]
    deadline_ns: int


class WorkerCore:
    """Everything a stream's media passes through between the two pipelines. Thread-safe."""

    def __init__(
        self,
        policy: StreamSettings,
        run_id: str,
        vad: SpeechModel,
        started_ns: int,
        background: HasBackground | None = None,
    ) -> None:
        self._lock = threading.RLock()
        self._run_id = run_id
        self._policy = policy
        self._timeline = Timeline(s_to_ns(policy.delay_s), started_ns)
        self._store = AudioStore(round((policy.delay_s + _STORE_MARGIN_S) * RATE))
        self._rebaser = Rebaser()
        self._placer = Placer()
        self._vad = VadStream(vad)
        self._fragmenter = make_fragmenter(policy.fragments)
        self._fragments_until: int | None = None
        fixed = policy.fragments.mode == "fixed"
        match = fixed or policy.duration_policy == "match"
        allowed = may_dub(policy.separation, background)
        planner = Planner(policy.max_shift_s, policy.max_tempo, match=match)
        self._book = FragmentBook(planner, lambda: self._fragmenter.quiet_until, may_dub=allowed)
        self.budget = FragmentBudget(policy.delay_s, policy.fragments.max_s)
        mixer = Mixer(DuckedOriginal(policy.duck_db), policy.bg_gain, policy.dub_gain)
        fallback = FallbackPolicy(policy, background)
        self._scheduler = OutputScheduler(self._timeline, self._store, mixer, self._book, fallback)
        self.outcomes: Counter[str] = Counter()
        self.audio_gap_samples = 0
        self.has_video = False
        self.has_audio = False
        self.video_caps: Any = None

    def resume(self, delay_s: float) -> None:
        """Before any input: start at this shorter delay, then step back to the full one once."""
        with self._lock:
            self._scheduler.resume(self._timeline.delay_ns - s_to_ns(delay_s))

    # -- input ---------------------------------------------------------------------------

    def video(self, pts: int, dts: int, key: bool, payload: Any, caps: Any, now: int) -> None:
        """An access unit arrived; times are running times of the session in ns."""
        with self._lock:
            dts_ns = self._map("video", dts, now)
            # Nearer than that they belong together; else one of them wrapped or is damaged.
            ahead = pts - dts if abs(pts - dts) < _FARTHEST_NS else 0
            pts_ns = dts_ns + ahead
            self.has_video, self.video_caps = True, caps
            self._timeline.arrived(dts_ns, now)
            self._scheduler.push_video(VideoUnit(pts_ns, dts_ns, key, payload, caps))

    def audio(self, pts: int, pcm: bytes, now: int) -> list[Fragment]:
        """A chunk of PCM arrived; returns the fragments that it completed."""
        block = from_bytes(pcm)
        with self._lock:
            pts_ns = self._map("audio", pts, now)
            self.has_audio = True
            placed = self._placer.place(ns_to_samples(pts_ns), block)
            block = placed.samples
            if not len(block):
                return []
            self.audio_gap_samples += max(placed.gap, 0)
            self._store.write(placed.start, block)
            self._timeline.extend(samples_to_ns(placed.start + len(block)))
            if not self.has_video:
                self._timeline.arrived(samples_to_ns(placed.start), now)
            return self._cut(placed.start, block)

    def input_ended(self) -> list[Fragment]:
        """The session is over; returns what speech was still open."""
        with self._lock:
            if not self._timeline.connected:
                return []
            self._timeline.end_session()
            self._placer.restart()
            spans = list(self._fragmenter.flush())
            return [self._book.add(span, self._run_id) for span in spans]

    def _map(self, track: Track, ts: int, now: int) -> int:
        if not self._timeline.connected:
            self._rebaser = Rebaser()
        ts = self._rebaser.steady(track, ts, now)
        if not self._timeline.connected:
            end = self._timeline.newest_ns
            start = self._timeline.begin_session(ts, now)
            self._scheduler.session_began(end, start)
        return self._timeline.stream_time(ts)

    def _cut(self, start: int, block: Int16) -> list[Fragment]:
        if self._fragments_until is not None and start != self._fragments_until:
            spans = list(self._fragmenter.flush())
        else:
            spans = []
        self._fragments_until = start + len(block)
        longest = round(self.budget.longest_s * RATE)
        spans += self._fragmenter.feed(self._vad.feed(start, block), longest)
        return [self._book.add(span, self._run_id) for span in spans]

    # -- speech service ------------------------------------------------------------------

    def send(self, fragment: Fragment) -> Work | None:
        """Take a fragment to the service; None if it was decided or failed meanwhile."""
        with self._lock:
            if fragment.state is not State.WAITING:
                return None
            fragment.step("send")
            span = fragment.span
            deadline = self.deadline_ns(fragment)
            assert deadline is not None
            return Work(
                fragment,
                mono(self._store.read(span.start, span.stop)),
                round(1000 * self._book.slot(fragment) / RATE),
                self._book.context,
                deadline,
            )

    def replied(self, fragment: Fragment, voice: Float, now: int) -> bool:
        """The dub came; False if it was too late."""
        with self._lock:
            deadline = self.deadline_ns(fragment)
            if deadline is not None:
                fragment.margin_ms = round((deadline - now) / 1e6, 1)
            self._book.context = (fragment.transcript[-500:], fragment.translation[-500:])
            return self._book.replied(fragment.sequence, voice)

    def next_stretch(self) -> Stretch | None:
        """The next dub to be brought to another tempo, by the caller and outside the lock."""
        with self._lock:
            return self._book.next_stretch()

    def stretched(self, task: Stretch, voice: Float) -> None:
        """What `next_stretch` asked for is done."""
        with self._lock:
            self._book.stretched(task, voice)

    def failed(self, fragment: Fragment, outcome: Outcome, reason: str) -> None:
        """The fragment will not be dubbed."""
        with self._lock:
            self._book.failed(fragment.sequence, outcome, reason)

    def deadline_ns(self, fragment: Fragment) -> int | None:
        """Until when the reply of a fragment is of use, on the monotonic clock."""
        due = self._timeline.due_ns(samples_to_ns(fragment.deadline - BLOCK))
        return None if due is None else due - AUDIO_LEAD_NS - _DEADLINE_MARGIN_NS

    # -- output --------------------------------------------------------------------------

    def connect(self, *, audio_only: bool) -> None:
        """The output pipeline takes media from now on."""
        with self._lock:
            self._scheduler.connect(audio_only=audio_only)

    def disconnect(self) -> None:
        """The output pipeline is gone."""
        with self._lock:
            self._scheduler.disconnect()

    def poll(self, now: int) -> tuple[Batch, int | None]:
        """What is due, and when the next is."""
        with self._lock:
            batch = self._scheduler.poll(now)
            for fragment in batch.decided:
                assert fragment.outcome is not None
                self.outcomes[fragment.outcome.value] += 1
                first = fragment.dub.start if fragment.dub else fragment.span.speech_start
                fragment.air_ns = self._timeline.due_ns(samples_to_ns(first))
            return batch, self._scheduler.next_due_ns()

    # -- views ---------------------------------------------------------------------------

    @property
    def drained(self) -> bool:
        """True when the input is over and everything has left."""
        with self._lock:
            return self._scheduler.drained

    @property
    def resuming(self) -> bool:
        """True while the output is at its short delay after a crash."""
        return self._scheduler.resuming

    @property
    def av_error_s(self) -> float:
        """Audio placed against its PTS, smoothed, in seconds (+: audio early)."""
        return self._placer.error_samples / RATE

    def depth(self) -> dict[str, int]:
        """How much waits where."""
        with self._lock:
            return {
                "video_units": self._scheduler.held,
                "fragments_open": self._book.open,
                "fragments_inflight": self._book.count(State.INFLIGHT),
            }

    def output_delay_s(self, unit: VideoUnit, now: int) -> float:
        """How long after its arrival `unit` leaves at `now`, in seconds."""
        due = self._timeline.due_ns(unit.dts_ns)
        assert due is not None
        return (now - due + self._timeline.delay_ns) / NS_PER_S


def make_fragmenter(settings: FragmentSettings) -> Fragmenter:
    """The fragmenter that the settings ask for."""
    if settings.mode == "fixed":
        return FixedFragmenter(
            settings.vad_threshold,
            round(settings.chunk_s * RATE),
            ms_to_samples(settings.overlap_ms),
        )
    return SpeechFragmenter(
        settings.vad_threshold,
        ms_to_samples(settings.pause_ms),
        round(settings.min_s * RATE),
    )
