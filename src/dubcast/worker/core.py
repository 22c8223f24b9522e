"""The worker's core behind one lock: what arrives, what is cut, what leaves.

No I/O, no clock, no threads of its own: the edges call it with what happened and when, from
whichever thread they are, and carry out what it returns.
"""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

from dubcast.audio.fragmenter import Span
from dubcast.audio.pcm import RATE, Float, Int16, mono, samples_to_ns
from dubcast.audio.store import AudioStore
from dubcast.audio.vad import SpeechModel
from dubcast.clock import NS_PER_S, s_to_ns
from dubcast.config import StreamSettings
from dubcast.contract.worker import Outcome
from dubcast.errors import StsError
from dubcast.separation.gate import SpeechGate
from dubcast.worker import dub_loudness
from dubcast.worker.av_offset import PlacementLog
from dubcast.worker.background import Background
from dubcast.worker.block_renderer import BlockRenderer, Replacing
from dubcast.worker.fallback import FallbackPolicy, may_dub
from dubcast.worker.fragment_length import FragmentLengthLimit
from dubcast.worker.fragments import Fragment, FragmentBook, State, Stretch
from dubcast.worker.intake import Intake, SpeechCutter
from dubcast.worker.overlap_wait import OverlapWait
from dubcast.worker.planner import Planner
from dubcast.worker.scheduler import (
    AUDIO_LEAD_NS,
    BLOCK,
    Batch,
    OutputScheduler,
    Tracks,
    VideoUnit,
)
from dubcast.worker.sound_policy import make_bed, make_fragmenter, make_mixer
from dubcast.worker.timeline import Timeline
from dubcast.worker.work import DubReply, Work

# Beyond the delay the store keeps what a late decision or a burst may still need.
_STORE_MARGIN_S = 7
_DEADLINE_MARGIN_NS = 60_000_000
# A fragment whose call was given up would have taken longer still.
_LATE_FACTOR = 1.2

# Takes a stem's name (original, background, dub, output), a stream position in samples, and
# samples: int16 (frames, 2), or float32 (frames,) for the dub. It must not block.
Tap = Callable[[str, int, Int16 | Float], None]


@dataclass(frozen=True)
class CoreView:
    """The core at one moment. `av_error_s`: audio placed against its PTS, smoothed (+: early).

    `unseparated_samples`: bed for which no background was there in time. `depth`, `peak`: how
    much waits where, and the most that ever waited.
    """

    has_video: bool
    has_audio: bool
    video_config: bytes | None  # None before the first access unit
    first_picture: tuple[VideoUnit, int] | None  # that the output has yet to take, and when due
    resuming: bool  # at its short delay after a crash
    av_error_s: float
    audio_gap_samples: int
    unseparated_samples: int
    longest_fragment_s: float
    outcomes: dict[Outcome, int]
    depth: dict[str, int]
    peak: dict[str, int]


class _Queues:
    """How much waits where: now, and the most that ever did."""

    def __init__(self, scheduler: OutputScheduler, book: FragmentBook) -> None:
        self._scheduler = scheduler
        self._book = book
        self.peak: Counter[str] = Counter()

    def depth(self) -> dict[str, int]:
        return {
            "video_units": self._scheduler.held,
            "fragments_open": self._book.open,
            "fragments_inflight": self._book.count(State.INFLIGHT),
        }

    def note(self) -> None:
        """To be called before what waits is taken."""
        for queue, value in self.depth().items():
            self.peak[queue] = max(self.peak[queue], value)


class WorkerCore:
    """Everything a stream's media passes through between the two pipelines. Thread-safe.

    The one owner of its fragments: what comes from the speech service is written here, within
    the lock; whoever holds a `Fragment` outside only reads it, and only once it is decided.
    """

    def __init__(
        self,
        policy: StreamSettings,
        run_id: str,
        vad: SpeechModel,
        started_ns: int,
        tap: Tap | None = None,
    ) -> None:
        self._lock = threading.RLock()
        self._run_id = run_id
        self._match_loudness = policy.match_loudness
        self._tap = tap or (lambda stem, start, samples: None)
        self._timeline = Timeline(s_to_ns(policy.delay_s), started_ns)
        self._store = AudioStore(round((policy.delay_s + _STORE_MARGIN_S) * RATE))
        self._length_limit = FragmentLengthLimit(policy.delay_s, policy.fragments.max_s)
        self._overlap_wait = OverlapWait()
        gate = SpeechGate()
        self._cutter = SpeechCutter(vad, make_fragmenter(policy.fragments), gate)
        self._bed = make_bed(policy)
        self._background = Background(self._bed, gate)
        separates = policy.separation.separator != "off"
        covers = self._background.covers if separates else None
        match = policy.fragments.mode == "fixed" or policy.duration_policy == "match"
        self._book = FragmentBook(
            Planner(policy.max_shift_s, policy.max_tempo, match=match),
            lambda: self._cutter.quiet_until,
            may_dub=may_dub(policy.separation, covers),
        )
        replacing = Replacing(FallbackPolicy(policy, covers), self._background.removed)
        mixer = make_mixer(policy, self._bed)
        renderer = BlockRenderer(self._store, mixer, self._book, replacing)
        self._scheduler = OutputScheduler(self._timeline, renderer)
        self._intake = Intake(self._timeline, self._store, self._scheduler.session_began)
        self.placements = PlacementLog(policy.delay_s + _STORE_MARGIN_S)
        self._outcomes: Counter[Outcome] = Counter()
        self._queues = _Queues(self._scheduler, self._book)

    def resume(self, delay_s: float) -> None:
        """Before any input: start at this shorter delay, then step back to the full one once."""
        with self._lock:
            self._scheduler.resume(self._timeline.delay_ns - s_to_ns(delay_s))

    # -- input ---------------------------------------------------------------------------

    def video(self, pts: int, dts: int, key: bool, payload: Any, config: bytes, now: int) -> None:
        """An access unit arrived; times are running times of the session in ns."""
        with self._lock:
            unit = self._intake.video(pts, dts, key, payload, config, now)
            self._scheduler.push_video(unit)

    def script(self, pts: int, body: bytes) -> None:
        """Script data of the programme arrived, at its running time in ns."""
        with self._lock:
            unit = self._intake.script(pts, body)
            if unit is not None:
                self._scheduler.push_script(unit)

    def audio(self, pts: int, pcm: bytes, now: int) -> list[Fragment]:
        """A chunk of PCM arrived; returns the fragments that it completed."""
        with self._lock:
            placed = self._intake.audio(pts, pcm, now)
            if placed is None:
                return []
            self.placements.placed(placed[0], self._intake.av_error_s)
            self._tap("original", *placed)
            longest = round(self._length_limit.longest_s * RATE)
            return self._added(self._cutter.cut(*placed, longest))

    def background(self, start: int, background: Int16, speech_share: Float) -> None:
        """The separated background, (frames, 2), of [start, start + frames) came, in time order.

        `speech_share`: speech over mix in dB, one value for each 10 ms that ended within it.
        """
        with self._lock:
            self._background.write(start, background, speech_share)
        self._tap("background", start, background)

    def input_ended(self) -> list[Fragment]:
        """The session is over; returns what speech was still open."""
        with self._lock:
            return self._added(self._cutter.flush()) if self._intake.end_session() else []

    def _added(self, spans: Iterable[Span]) -> list[Fragment]:
        return [self._book.add(span, self._run_id) for span in spans]

    # -- speech service ------------------------------------------------------------------

    def patience_s(self, fragment: Fragment, now: int) -> float:
        """How long a fragment should wait before it is sent, at most, for the reply to the one
        before, whose words it repeats. To be asked once, in order.
        """
        with self._lock:
            deadline = self.deadline_ns(fragment)
            assert deadline is not None
            round_trip = s_to_ns(self._length_limit.round_trip_s(fragment.length_s))
            pending = self._book.overlap_pending(fragment)
            until = self._overlap_wait.until(now, round_trip, deadline, pending=pending)
            return (until - now) / NS_PER_S

    def send(self, fragment: Fragment) -> Work | None:
        """Take a fragment to the service; None if it was decided or failed meanwhile."""
        with self._lock:
            if fragment.state is not State.WAITING:
                return None
            fragment.step("send")
            self._queues.note()
            span = fragment.span
            deadline = self.deadline_ns(fragment)
            assert deadline is not None
            source_text, target_text = self._book.context(fragment)
            return Work(
                fragment.id,
                fragment.sequence,
                mono(self._store.read(span.start, span.stop)),
                slot_ms=round(1000 * self._book.slot(fragment) / RATE),
                deadline_ns=deadline,
                source_text=source_text,
                target_text=target_text,
                overlap_ms=round(1000 * self._book.repeats(fragment) / RATE),
            )

    def replied(self, fragment: Fragment, reply: DubReply, now: int) -> bool:
        """The service answered; False if no dub came of it: nothing to dub, or too late."""
        with self._lock:
            if reply.voice is not None:
                self._length_limit.record(fragment.length_s, reply.round_trip_s)
            if not self._book.heard(fragment.sequence, reply):
                return False
            if reply.voice is None:
                self._book.failed(fragment.sequence, *reply.why_no_dub)
                return False
        # Nobody else changes where a fragment's speech is.
        speech = fragment.speech_start, fragment.speech_stop
        dub = dub_loudness.MatchedVoice(reply.voice)
        if self._match_loudness:
            dub = dub_loudness.matched(self._lock, self._store, self._bed, speech, reply.voice)
        with self._lock:
            if not self._book.replied(fragment.sequence, dub.voice):
                return False
            fragment.speech_lufs, fragment.dub_lufs = dub.speech_lufs, dub.dub_lufs
            if (deadline := self.deadline_ns(fragment)) is not None:
                fragment.margin_ms = round((deadline - now) / 1e6, 1)
            return True

    def call_failed(self, fragment: Fragment, error: StsError, waited_s: float) -> None:
        """The service gave no dub, after so long."""
        late = error.code == "TIMEOUT"
        with self._lock:
            if late:  # shorter fragments from now on
                self._length_limit.record(fragment.length_s, waited_s * _LATE_FACTOR)
            outcome = Outcome.LATE if late else Outcome.FAILED
            self._book.failed(fragment.sequence, outcome, error.code, waited_s)

    def failed(self, fragment: Fragment, outcome: Outcome, reason: str) -> None:
        """The fragment will not be dubbed."""
        with self._lock:
            self._book.failed(fragment.sequence, outcome, reason)

    def next_stretch(self) -> Stretch | None:
        """The next dub to be brought to another tempo, by the caller and outside the lock."""
        with self._lock:
            return self._book.next_stretch()

    def stretched(self, task: Stretch, voice: Float) -> None:
        """What `next_stretch` asked for is done."""
        with self._lock:
            self._book.stretched(task, voice)

    def deadline_ns(self, fragment: Fragment) -> int | None:
        """Until when the reply of a fragment is of use, on the monotonic clock."""
        due = self._timeline.due_ns(samples_to_ns(fragment.deadline - BLOCK))
        return None if due is None else due - AUDIO_LEAD_NS - _DEADLINE_MARGIN_NS

    # -- output --------------------------------------------------------------------------

    def set_output(self, tracks: Tracks) -> None:
        """What the output takes from now on; one without picture takes them from a key frame on."""
        with self._lock:
            self._scheduler.set_output(tracks)

    def poll(self, now: int) -> tuple[Batch, int | None]:
        """What is due, and when the next is."""
        with self._lock:
            self._queues.note()
            batch = self._scheduler.poll(now)
            self._background.forget(self._scheduler.position or 0)
            for fragment in batch.decided:
                assert fragment.outcome is not None
                self._outcomes[fragment.outcome] += 1
                first = fragment.dub.start if fragment.dub else fragment.span.speech_start
                fragment.air_ns = self._timeline.due_ns(samples_to_ns(first))
                if fragment.dub:
                    self._tap("dub", fragment.dub.start, fragment.dub.faded())
            for block in batch.audio:
                self._tap("output", block.start, block.samples)
            return batch, self._scheduler.next_due_ns()

    # -- views ---------------------------------------------------------------------------

    @property
    def drained(self) -> bool:
        """True when the input is over and everything has left."""
        with self._lock:
            return self._scheduler.drained

    def view(self) -> CoreView:
        """All that is told of the core, at one moment."""
        with self._lock:
            return CoreView(
                self._intake.has_video,
                self._intake.has_audio,
                self._intake.video_config,
                self._scheduler.first_picture(),
                self._scheduler.resuming,
                self._intake.av_error_s,
                self._intake.audio_gap_samples,
                self._bed.substituted,
                self._length_limit.longest_s,
                dict(self._outcomes),
                self._queues.depth(),
                dict(self._queues.peak),
            )
