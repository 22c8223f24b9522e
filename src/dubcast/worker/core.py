"""The worker's core behind one lock: what arrives, what is cut, what leaves.

No I/O, no clock, no threads of its own: the edges call it with what happened and when, from
whichever thread they are, and carry out what it returns.
"""

from __future__ import annotations

import math
import threading
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from dubcast.audio.bed import DuckedOriginal, StoredBed
from dubcast.audio.duck import Ducker
from dubcast.audio.fragmenter import PAD, FixedFragmenter, Fragmenter, Span, SpeechFragmenter
from dubcast.audio.loudness import HOP, SILENT, integrated
from dubcast.audio.match import SpeechLevel, gain_between
from dubcast.audio.mix import Mixer
from dubcast.audio.normalise import NormalisedMixer, Normaliser
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
from dubcast.audio.vad import WINDOW, SpeechModel, VadStream
from dubcast.clock import NS_PER_S, s_to_ns
from dubcast.config import FragmentSettings, StreamSettings
from dubcast.separation.gate import SpeechGate
from dubcast.worker.fallback import FallbackPolicy, may_dub
from dubcast.worker.fragment_length import FragmentLengthLimit
from dubcast.worker.fragments import Fragment, FragmentBook, Outcome, State, Stretch
from dubcast.worker.overlap_wait import OverlapWait
from dubcast.worker.planner import Planner
from dubcast.worker.rebase import Rebaser, Track
from dubcast.worker.scheduler import (
    AUDIO_LEAD_NS,
    BLOCK,
    Batch,
    OutputScheduler,
    Replacing,
    VideoUnit,
)
from dubcast.worker.timeline import Timeline

# Beyond the delay the store keeps what a late decision or a burst may still need.
_STORE_MARGIN_S = 7
_FARTHEST_NS = 10 * NS_PER_S
# The background is needed from when it comes until it leaves: no more is held of it.
_BACKGROUND_MARGIN_S = 1
# Removed before a fragment's padding, if the one before does not border on it.
_FARTHER = ms_to_samples(70)
# A shorter part of a span says too little about the speech in it.
_LEAST_SEPARATED = 0.5
_DEADLINE_MARGIN_NS = 60_000_000

# Takes a stem's name (original, background, dub, output), a stream position in samples, and
# samples: int16 (frames, 2), or float32 (frames,) for the dub. It must not block.
Tap = Callable[[str, int, Int16 | Float], None]


@dataclass(frozen=True)
class Work:
    """What the speech service needs for one fragment."""

    fragment: Fragment
    audio: Int16  # mono, 48 kHz
    slot_ms: int
    context: tuple[str, str]
    deadline_ns: int
    overlap_ms: int = 0  # of its start; said already in the fragment that the context is of


class WorkerCore:
    """Everything a stream's media passes through between the two pipelines. Thread-safe."""

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
        self.budget = FragmentLengthLimit(policy.delay_s, policy.fragments.max_s)
        self._tap = tap or (lambda stem, start, samples: None)
        self._bed = make_bed(policy)
        self._gate = SpeechGate()
        has_background = self._has_background if policy.separation.separator != "off" else None
        allowed = may_dub(policy.separation, has_background)
        planner = Planner(policy.max_shift_s, policy.max_tempo, match=match)
        self._book = FragmentBook(planner, lambda: self._fragmenter.quiet_until, may_dub=allowed)
        self._overlap_wait = OverlapWait()
        self._scheduler = OutputScheduler(
            self._timeline,
            self._store,
            make_mixer(policy, self._bed),
            self._book,
            Replacing(FallbackPolicy(policy, has_background), self._removed),
        )
        self.outcomes: Counter[str] = Counter()
        self._peak: Counter[str] = Counter()
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
            dts_ns = self._to_stream_time("video", dts, now)
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
            pts_ns = self._to_stream_time("audio", pts, now)
            self.has_audio = True
            placed = self._placer.place(ns_to_samples(pts_ns), block)
            block = placed.samples
            if not len(block):
                return []
            self.audio_gap_samples += max(placed.gap, 0)
            self._store.write(placed.start, block)
            self._tap("original", placed.start, block)
            self._timeline.extend(samples_to_ns(placed.start + len(block)))
            if not self.has_video:
                self._timeline.arrived(samples_to_ns(placed.start), now)
            return self._cut(placed.start, block)

    def background(self, start: int, background: Int16, speech_share: Float) -> None:
        """The separated background, (frames, 2), of [start, start + frames) came, in time order.

        `speech_share`: speech over mix in dB, one value for each 10 ms that ended within it.
        """
        with self._lock:
            self._bed.write(start, background)
            self._gate.shares(start, speech_share)
        self._tap("background", start, background)

    def input_ended(self) -> list[Fragment]:
        """The session is over; returns what speech was still open."""
        with self._lock:
            if not self._timeline.connected:
                return []
            self._timeline.end_session()
            self._placer.restart()
            spans = list(self._fragmenter.flush())
            return [self._book.add(span, self._run_id) for span in spans]

    def _to_stream_time(self, track: Track, ts: int, now: int) -> int:
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
        windows = list(self._vad.feed(start, block))
        for window in windows:
            self._gate.vad(window.start, WINDOW, window.probability)
        spans += self._fragmenter.feed(windows, longest)
        return [self._book.add(span, self._run_id) for span in spans]

    # -- speech service ------------------------------------------------------------------

    def patience_s(self, fragment: Fragment, now: int) -> float:
        """How long a fragment should wait before it is sent, at most, for the reply to the one
        before, whose words it repeats. To be asked once, in order.
        """
        length_s = (fragment.span.stop - fragment.span.start) / RATE
        with self._lock:
            deadline = self.deadline_ns(fragment)
            assert deadline is not None
            round_trip = s_to_ns(self.budget.round_trip_s(length_s))
            pending = self._book.overlap_pending(fragment)
            return (
                self._overlap_wait.until(now, round_trip, deadline, pending=pending) - now
            ) / NS_PER_S

    def send(self, fragment: Fragment) -> Work | None:
        """Take a fragment to the service; None if it was decided or failed meanwhile."""
        with self._lock:
            if fragment.state is not State.WAITING:
                return None
            fragment.step("send")
            self._note_depth()
            span = fragment.span
            deadline = self.deadline_ns(fragment)
            assert deadline is not None
            return Work(
                fragment,
                mono(self._store.read(span.start, span.stop)),
                round(1000 * self._book.slot(fragment) / RATE),
                self._book.context(fragment),
                deadline,
                round(1000 * self._book.repeats(fragment) / RATE),
            )

    def replied(self, fragment: Fragment, voice: Float, now: int) -> bool:
        """The dub came; False if it was too late."""
        if self._policy.match_loudness:
            voice = voice * np.float32(self._matching_gain(fragment, voice))
        with self._lock:
            deadline = self.deadline_ns(fragment)
            if deadline is not None:
                fragment.margin_ms = round((deadline - now) / 1e6, 1)
            return self._book.replied(fragment.sequence, voice)

    def next_stretch(self) -> Stretch | None:
        """The next dub to be brought to another tempo, by the caller and outside the lock."""
        with self._lock:
            return self._book.next_stretch()

    def stretched(self, task: Stretch, voice: Float) -> None:
        """What `next_stretch` asked for is done."""
        with self._lock:
            self._book.stretched(task, voice)

    def _removed(self, fragment: Fragment) -> tuple[int, int] | None:
        """Where the background replaces the original around a dub; None: it is not there.

        A voice begins before it is found and rings after it: the gate says how long. But never
        into what may be the next fragment, or was the one before, which may not be dubbed.
        """
        span = fragment.span
        padded = span.speech_start - span.start >= PAD
        spoken = max(span.stop - PAD, span.speech_start + 1)
        self._gate.speech(span.speech_start, spoken)
        first = self._gate.around(span.speech_start)[0] if padded else span.start
        last = min(self._gate.around(spoken - 1)[1], span.slot_stop)
        first, last = max(first, span.start - _FARTHER), max(last, span.stop)
        return (first, last) if self._bed.covered(first, last) == last - first else None

    def _has_background(self, span: Span) -> bool:
        return self._bed.covered(span.start, span.stop) == span.stop - span.start

    def _matching_gain(self, fragment: Fragment, voice: Float) -> float:
        """What brings the dub to the loudness of the speech; the lock is taken per hop only."""
        start, stop = fragment.speech_start, fragment.speech_stop
        with self._lock:
            covered = self._bed.covered(start, stop)
        separated = covered >= _LEAST_SEPARATED * (stop - start)
        if separated:
            stop = start + covered
        level = SpeechLevel()
        for at in range(start, stop - HOP + 1, HOP):
            with self._lock:
                original = self._store.read(at, at + HOP)
                background = self._bed.read(at, at + HOP) if separated else None
            level.feed(original, background)
        speech, dub = level.lufs, integrated(voice)
        gain = gain_between(speech, dub)
        if speech != SILENT and dub != SILENT:
            fragment.speech_lufs = round(speech, 1)
            fragment.dub_lufs = round(dub + 20 * math.log10(gain), 1)
        return gain

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
            self._note_depth()
            batch = self._scheduler.poll(now)
            self._gate.forget(self._scheduler.position or 0)
            for fragment in batch.decided:
                assert fragment.outcome is not None
                self.outcomes[fragment.outcome.value] += 1
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

    @property
    def resuming(self) -> bool:
        """True while the output is at its short delay after a crash."""
        return self._scheduler.resuming

    @property
    def av_error_s(self) -> float:
        """Audio placed against its PTS, smoothed, in seconds (+: audio early)."""
        return self._placer.error_samples / RATE

    @property
    def unseparated_samples(self) -> int:
        """Samples of bed for which no background was there in time."""
        return self._bed.substituted

    def depth(self) -> dict[str, int]:
        """How much waits where."""
        with self._lock:
            return self._depth()

    def peak(self) -> dict[str, int]:
        """The most that ever waited, where."""
        with self._lock:
            return dict(self._peak)

    def _depth(self) -> dict[str, int]:
        return {
            "video_units": self._scheduler.held,
            "fragments_open": self._book.open,
            "fragments_inflight": self._book.count(State.INFLIGHT),
        }

    def _note_depth(self) -> None:
        for queue, value in self._depth().items():
            self._peak[queue] = max(self._peak[queue], value)

    def output_delay_s(self, unit: VideoUnit, now: int) -> float:
        """How long after its arrival `unit` leaves at `now`, in seconds."""
        due = self._timeline.due_ns(unit.dts_ns)
        assert due is not None
        return (now - due + self._timeline.delay_ns) / NS_PER_S


def make_bed(policy: StreamSettings) -> StoredBed:
    """The bed: the separated background, the ducked original where there is none."""
    capacity = round((policy.delay_s + _BACKGROUND_MARGIN_S) * RATE)
    fade = ms_to_samples(policy.crossfade_ms)
    return StoredBed(capacity, DuckedOriginal(policy.duck_db), fade)


def make_mixer(policy: StreamSettings, bed: StoredBed) -> Mixer | NormalisedMixer:
    """The mixer that the policy asks for."""
    duck, peak = policy.ducking, policy.true_peak_dbtp
    attack, release = ms_to_samples(duck.attack_ms), ms_to_samples(duck.release_ms)
    ducker = Ducker(attack, release, duck.depth_db, duck.threshold_db) if duck.enabled else None
    fade = ms_to_samples(policy.crossfade_ms)
    mixer = Mixer(bed, policy.bg_gain, policy.dub_gain, fade, ducker, peak)
    if policy.target_lufs is None:
        return mixer
    return NormalisedMixer(mixer, Normaliser(policy.target_lufs, peak))


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
