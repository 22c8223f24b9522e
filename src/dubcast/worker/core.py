"""The worker's core behind one lock: what arrives, what is cut, what leaves.

No I/O, no clock, no threads of its own: the edges call it with what happened and when, from
whichever thread they are, and carry out what it returns.
"""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from dubcast.audio.fragmenter import Span
from dubcast.audio.pcm import RATE, Float, Int16, samples_to_ns
from dubcast.audio.store import AudioStore
from dubcast.audio.vad import SpeechModel
from dubcast.clock import ns_to_s, s_to_ns
from dubcast.config import StreamSettings
from dubcast.contract.worker import Outcome
from dubcast.separation.gate import SpeechGate
from dubcast.worker.av_offset import PlacementLog
from dubcast.worker.background import Background
from dubcast.worker.block_renderer import BlockRenderer, Replacing
from dubcast.worker.dubs import DubDesk, Media
from dubcast.worker.fallback import FallbackPolicy, may_dub
from dubcast.worker.fragment import Fragment
from dubcast.worker.fragment_length import FragmentLengthLimit
from dubcast.worker.fragments import FragmentBook
from dubcast.worker.intake import Intake, SpeechCutter
from dubcast.worker.planner import Planner
from dubcast.worker.scheduler import (
    Batch,
    OutputScheduler,
    Tracks,
    VideoUnit,
)
from dubcast.worker.sound_policy import make_bed, make_fragmenter, make_mixer
from dubcast.worker.timeline import Timeline

# Beyond the delay the store keeps what a late decision or a burst may still need.
_STORE_MARGIN_S = 7

# Sound comes in pieces of up to so long: what is longer is a stall.
_STALLED_S = 0.5

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

    def __init__(self, scheduler: OutputScheduler, book: FragmentBook, dubs: DubDesk) -> None:
        self._scheduler = scheduler
        self._book = book
        self._dubs = dubs
        self.peak: Counter[str] = Counter()

    def depth(self) -> dict[str, int]:
        return {
            "video_units": self._scheduler.held,
            "fragments_open": self._book.open,
            "fragments_inflight": self._dubs.under_way,
        }

    def note(self) -> None:
        """To be called before what waits is taken."""
        for queue, value in self.depth().items():
            self.peak[queue] = max(self.peak[queue], value)


class WorkerCore:
    """Everything a stream's media passes through between the two pipelines. Thread-safe.

    The one owner of its fragments: what comes from the speech service is written within the lock
    (`dubs`); whoever holds a `Fragment` outside only reads it, and only once it is decided.
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
        self._tap = tap or (lambda stem, start, samples: None)
        self._timeline = Timeline(s_to_ns(policy.delay_s), started_ns)
        self._store = AudioStore(round((policy.delay_s + _STORE_MARGIN_S) * RATE))
        fragments = policy.fragments
        match = fragments.mode == "fixed" or policy.duration_policy == "match"
        self._clausewise = not match
        self._length_limit = FragmentLengthLimit(
            policy.delay_s, fragments.max_s, clausewise=self._clausewise
        )
        gate = SpeechGate()
        self._cutter = SpeechCutter(
            *(vad, make_fragmenter(fragments), gate),
            *(fragments.vad_threshold, policy.delay_s + _STORE_MARGIN_S),
        )
        self._bed = make_bed(policy)
        self._background = Background(self._bed, gate)
        separates = policy.separation.separator != "off"
        covers = self._background.covers if separates else None
        fallback = FallbackPolicy(policy, covers)
        self._book = FragmentBook(
            Planner(policy.max_shift_s, policy.max_tempo, match=match),
            lambda: self._cutter.quiet_until,
            may_dub=may_dub(policy.separation, covers),
            quietest=self._store.quietest,
            bridges=fallback.bridges,
        )
        self.dubs = DubDesk(
            *(self._lock, self._media()),
            *(self._book, self._length_limit),
            match_loudness=policy.match_loudness,
            clausewise=self._clausewise,
        )
        replacing = Replacing(fallback, self._background.removed)
        mixer = make_mixer(policy, self._bed)
        renderer = BlockRenderer(self._store, mixer, self._book, replacing)
        self._scheduler = OutputScheduler(self._timeline, renderer)
        self._intake = Intake(self._timeline, self._store, self._scheduler.session_began)
        self.placements = PlacementLog(policy.delay_s + _STORE_MARGIN_S)
        self._sound_ns = started_ns  # when sound came last
        self._outcomes: Counter[Outcome] = Counter()
        self._queues = _Queues(self._scheduler, self._book, self.dubs)

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
            self._sound_ns = now
            start, samples = placed
            begun, position = self._cutter.quiet_until, start + len(samples)
            longest = round(self._length_limit.longest_s * RATE)
            longest = self.dubs.second_try.longest(longest, begun, position, now)
            return self._added(self._cutter.cut(start, samples, longest), position, now)

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
            ended = self._intake.end_session()
            spans = self._cutter.flush() if ended else []
            return [self._book.add(span, self._run_id) for span in spans]

    def _cut_off(self, now: int) -> list[Fragment]:
        """What was being said when the sound stopped coming, cut when it would have been had that
        gone on: once the sound returns its time may be over. Chunks of a grid go on where it is."""
        stalled_s = ns_to_s(now - self._sound_ns)
        if not self._clausewise or stalled_s < _STALLED_S:
            return []
        if self._cutter.open / RATE + stalled_s < self._length_limit.longest_s:
            return []
        return [self._book.add(span, self._run_id) for span in self._cutter.flush()]

    def _added(self, spans: Sequence[Span], position: int, now: int) -> list[Fragment]:
        """`position`: how far the sound has come."""
        added = []
        following = [*(span.start for span in spans[1:]), self._cutter.quiet_until]
        for span, begins in zip(spans, following, strict=False):
            goes_on = self._clausewise and begins == span.stop
            after = position - span.stop if goes_on else 0
            join = self.dubs.second_try.joins(span, now)
            added.append(self._book.add(span, self._run_id, join=join, heard_after=after))
        return added

    def _media(self) -> Media:
        cutter = self._cutter
        return Media(self._timeline, self._store, self._bed, cutter.speech_in, cutter.sure_from)

    # -- output --------------------------------------------------------------------------

    def set_output(self, tracks: Tracks) -> None:
        """What the output takes from now on; one without picture takes them from a key frame on."""
        with self._lock:
            self._scheduler.set_output(tracks)

    def poll(self, now: int) -> tuple[Batch, int | None]:
        """What is due, and when the next is; also what is to be dubbed, of sound that stays out."""
        with self._lock:
            self._queues.note()
            batch = self._scheduler.poll(now)
            batch.cut = self._cut_off(now)
            self._background.forget(self._scheduler.position or 0)
            for fragment in batch.decided:
                assert fragment.outcome is not None
                if not fragment.beginning:
                    self._outcomes[fragment.outcome] += 1
                self._count_speech(fragment)
                first = fragment.dub.start if fragment.dub else fragment.span.speech_start
                fragment.air_ns = self._timeline.due_ns(samples_to_ns(first))
                if fragment.dub:
                    self._tap("dub", fragment.dub.start, fragment.dub.faded())
            for block in batch.audio:
                self._tap("output", block.start, block.samples)
            return batch, self._scheduler.next_due_ns()

    def _count_speech(self, fragment: Fragment) -> None:
        """How much of it is speech, and how much of that nobody's words were recognized in."""
        first, last = fragment.span.start + fragment.overlap, fragment.span.stop
        fragment.speech = self._cutter.speech_in(first, last)
        within = [(max(start, first), min(stop, last)) for start, stop in fragment.unheard]
        unheard = sum(self._cutter.speech_in(*one) for one in within)
        fragment.unheard_speech = min(unheard, fragment.speech)

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
