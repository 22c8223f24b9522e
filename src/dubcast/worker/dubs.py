"""What goes to the speech service, and what comes of it: fragments out, dubs in. Pure.

Its lock is the core's: it is taken for each call, and never held while samples are computed.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from dubcast.audio.bed import StoredBed
from dubcast.audio.pcm import RATE, Float, Int16, mono, ms_to_samples, samples_to_ms, samples_to_ns
from dubcast.audio.store import AudioStore
from dubcast.clock import NS_PER_S, ns_to_s, s_to_ns
from dubcast.contract.stream_reply import Heard
from dubcast.contract.sts import StsResponse
from dubcast.contract.worker import Outcome
from dubcast.errors import StsError
from dubcast.worker.dub_loudness import MatchedVoice, matched, speech_lufs
from dubcast.worker.dub_plan import Stretch
from dubcast.worker.fragment import DECISION_LEAD, LEAST_SPEECH, ClauseSpan, Fragment, State
from dubcast.worker.fragment_length import FragmentLengthLimit
from dubcast.worker.fragments import FragmentBook
from dubcast.worker.overlap_wait import OverlapWait
from dubcast.worker.scheduler import AUDIO_LEAD_NS, BLOCK
from dubcast.worker.second_try import SecondTry
from dubcast.worker.songs import Songs
from dubcast.worker.timeline import Timeline
from dubcast.worker.work import (
    Announced,
    DubReply,
    Progress,
    SpokenClause,
    StreamEnd,
    Work,
)

_DEADLINE_MARGIN_NS = 60_000_000
# How much of the background is taken from what is recognized: 3 dB. Without all of it Whisper errs
# more often than with it, since what the separator does to a voice is worse than music (readers,
# talk and prompts in two languages over music, a crowd, strings and a song, word errors: none 705,
# 0.2 687, 0.3 672, 0.4 687, 0.5 683; all of it a fifth more than none).
_TURNED_DOWN = np.float32(0.3)
# A fragment whose call was given up would have taken longer still.
_LATE_FACTOR = 1.2
# What a service fails at may do with more of it; any other fault is of the service.
_WORTH_A_SECOND_TRY = ("MODEL_ERROR", "INVALID_REPLY", "OTHER_REPLY")
# A clause ends with its speech: so much of the pause that belongs after it is kept at any tempo.
_BREATH_MS = 120


@dataclass(frozen=True)
class Media:
    """What the dubs are made from, and where they go.

    `speech_in(start, stop)`: how much of that is speech. `sure_from(start, stop)`: where in that
    somebody speaks for sure; `stop` if nowhere.
    """

    timeline: Timeline
    store: AudioStore
    bed: StoredBed
    speech_in: Callable[[int, int], int]
    sure_from: Callable[[int, int], int]

    def to_recognize(self, start: int, stop: int) -> Int16:
        """The sound of [start, stop) for the recognizer, (frames,): the background turned down, as
        far as it is there.
        """
        sound = mono(self.store.read(start, stop)).astype(np.float32)
        sound -= _TURNED_DOWN * mono(self.bed.read(start, stop))
        return np.clip(np.rint(sound), -(2**15), 2**15 - 1).astype(np.int16)


@dataclass
class _Call:
    """A fragment that is at the service; positions in samples of the stream.

    `trip_s`: how long before its first words are due it would have to be sent for each of its dubs
    to be in time. `heard_on`: it was sent with what follows.
    """

    start: int
    length_s: float
    speech: tuple[int, int]
    heard_on: bool = False
    clauses: tuple[ClauseSpan, ...] = ()
    trip_s: float = 0.0
    speech_lufs: float | None = None  # once it was measured

    @property
    def span(self) -> tuple[int, int]:
        """All of it, as it was sent."""
        return self.start, self.start + round(self.length_s * RATE)

    def came(self, index: int, waited_s: float) -> None:
        """The dub of a clause is here, so long after the fragment was sent."""
        later = (self.clauses[index].start - self.start) / RATE if index else 0.0
        self.trip_s = max(self.trip_s, waited_s - later)


class DubDesk:
    """Fragments in the order in which they were cut; what comes of them in any. Thread-safe."""

    def __init__(
        self,
        lock: AbstractContextManager[object],
        media: Media,
        book: FragmentBook,
        limit: FragmentLengthLimit,
        *,
        match_loudness: bool,
        clausewise: bool,
    ) -> None:
        """`clausewise`: replies may come clause by clause."""
        self._lock = lock
        self._media = media
        self._book = book
        self._limit = limit
        self._match_loudness = match_loudness
        self._clausewise = clausewise
        self._overlap_wait = OverlapWait()
        self._songs = Songs()
        self.second_try = SecondTry(book, limit, self.deadline_ns, media.speech_in)
        self._calls: dict[int, _Call] = {}  # by sequence number

    @property
    def under_way(self) -> int:
        """Fragments that are at the service."""
        return len(self._calls)

    def patience_s(self, fragment: Fragment, now: int) -> float:
        """How long a fragment should wait before it is sent, at most, for the reply to the one
        before, whose words it repeats. To be asked once, in order.
        """
        with self._lock:
            round_trip = s_to_ns(self._limit.round_trip_s(fragment.length_s))
            deadline = self.deadline_ns(fragment)
            pending = self._book.words_pending(fragment)
            until = self._overlap_wait.until(now, round_trip, deadline, pending=pending)
            return (until - now) / NS_PER_S

    def send(self, fragment: Fragment) -> Work | None:
        """Take a fragment to the service; None if it was decided or failed meanwhile."""
        with self._lock:
            if fragment.state is not State.WAITING:
                return None
            fragment.step("send")
            fragment.awaits_clauses = self._clausewise
            span, said = fragment.span, self._book.said
            source_text, target_text = said.before(fragment)
            around = said.around(fragment, round(self._limit.longest_s * RATE))
            speech = fragment.speech_start, fragment.speech_stop
            self._calls[fragment.sequence] = _Call(
                span.start, fragment.length_s, speech, around.after > 0
            )
            first, last = span.start - around.before, span.stop + around.after
            return Work(
                fragment.id,
                fragment.sequence,
                self._media.to_recognize(first, last),
                slot_ms=round(1000 * self._book.plan.slot(fragment) / RATE),
                deadline_ns=self.deadline_ns(fragment),
                source_text=source_text,
                target_text=target_text,
                overlap_ms=round(1000 * said.repeats(fragment) / RATE),
                song_odds=self._songs.before(fragment.sequence, span.start),
                clausewise=self._clausewise,
                before_ms=samples_to_ms(around.before),
                after_ms=samples_to_ms(around.after),
                before_text=around.text,
            )

    def took(self, fragment: Fragment, progress: Progress, waited_s: float, now: int) -> None:
        """A streamed reply went on, so long after it was asked for."""
        call = self._calls[fragment.sequence]
        if isinstance(progress, SpokenClause):
            self._spoken(call, fragment.sequence, progress, waited_s, now)
            return
        with self._lock:
            if isinstance(progress, Heard):
                self._heard(call, fragment.sequence, progress)
            else:
                call.clauses = _clause_spans(call, progress)
                self._book.split(fragment.sequence, call.clauses)

    def replied(self, fragment: Fragment, reply: DubReply | StreamEnd, now: int) -> bool:
        """The service has answered; False if no dub came with this: it came before in clauses, it
        is too late, or there is nothing to dub."""
        call = self._calls[fragment.sequence]
        if isinstance(reply, DubReply):
            return self._whole(call, fragment, reply, now)
        with self._lock:
            if call.trip_s:
                self._limit.record(call.length_s, call.trip_s)
            parts = self._book.parts(fragment.sequence)
            if parts:  # told once, with what goes on air last
                parts[-1].stages_ms = reply.done.stages_ms.model_dump()
            if reply.done.status == "no_speech":
                self._no_dub(fragment, *reply.why_no_dub, reply.round_trip_s, now)
        return False

    def _whole(self, call: _Call, fragment: Fragment, reply: DubReply, now: int) -> bool:
        with self._lock:
            self._songs.heard(fragment.sequence, call.span[1], reply.response.song_odds)
            if reply.voice is not None:
                self._limit.record(call.length_s, reply.round_trip_s)
            asked = self._book.asked(fragment.sequence)
            if asked is None:
                return False
            response = reply.response
            self._hear(asked, call, response)
            asked.translation = response.translated_text
            asked.stages_ms = response.stages_ms.model_dump()
            asked.round_trip_ms = reply.round_trip_s * 1000
            if reply.voice is None:
                self._no_dub(fragment, *reply.why_no_dub, reply.round_trip_s, now)
                return False
        dub = self._matched(call, reply.voice)
        with self._lock:
            return self._ready(asked, dub, response.tempo, now)

    def call_failed(self, fragment: Fragment, error: StsError, waited_s: float, now: int) -> None:
        """The service gave no dub, or not all of it, after so long."""
        late = error.code == "TIMEOUT"
        with self._lock:
            call = self._calls[fragment.sequence]
            if late:  # shorter fragments from now on
                had_s = waited_s - max(ns_to_s(now - self.deadline_ns(fragment)), 0.0)
                # How long it had is less than it would have taken: no reason to reckon with less.
                least_s = max(had_s * _LATE_FACTOR, self._limit.round_trip_s(call.length_s))
                self._limit.record(call.length_s, max(call.trip_s, least_s))
            outcome = Outcome.LATE if late else Outcome.FAILED
            self._no_dub(fragment, outcome, error.code, waited_s, now)

    def over(self, fragment: Fragment) -> None:
        """The fragment is not at the service any more, however that came."""
        with self._lock:
            self._calls.pop(fragment.sequence, None)

    def failed(self, fragment: Fragment, outcome: Outcome, reason: str) -> None:
        """The fragment will not be dubbed."""
        with self._lock:
            self._book.failed(fragment.sequence, outcome, reason)

    def next_stretch(self) -> Stretch | None:
        """The next dub to be brought to another tempo, by the caller and outside the lock."""
        with self._lock:
            return self._book.plan.next_stretch()

    def stretched(self, task: Stretch, voice: Float) -> None:
        """What `next_stretch` asked for is done."""
        with self._lock:
            self._book.stretched(task, voice)

    def deadline_ns(self, fragment: Fragment) -> int:
        """Until when the dub of a part is of use, on the monotonic clock."""
        at = fragment.span.start - DECISION_LEAD - BLOCK
        due = self._media.timeline.due_ns(samples_to_ns(at))
        assert due is not None  # something has arrived: the fragment
        return due - AUDIO_LEAD_NS - _DEADLINE_MARGIN_NS

    def _no_dub(
        self, fragment: Fragment, outcome: Outcome, reason: str, waited_s: float, now: int
    ) -> None:
        worth = outcome is Outcome.NO_SPEECH or reason in _WORTH_A_SECOND_TRY
        again = self._clausewise and worth
        if not again or not self.second_try.hold(fragment, outcome, reason, now):
            self._book.failed(fragment.sequence, outcome, reason, waited_s)

    def _hear(self, asked: Fragment, call: _Call, heard: Heard | StsResponse) -> None:
        """What was said in a fragment, and where."""
        asked.language, asked.transcript = heard.detected_language, heard.transcript
        asked.hear(heard.speech_start_ms, heard.speech_end_ms, self._media.sure_from)
        call.speech = asked.speech_start, asked.speech_stop

    def _heard(self, call: _Call, sequence: int, heard: Heard) -> None:
        start, stop = call.span
        self._songs.heard(sequence, stop, heard.song_odds)
        asked = self._book.asked(sequence)
        if asked is not None:
            self._hear(asked, call, heard)
            asked.unheard = _spans(call, heard.unheard_ms)
            words = _spans(call, [(word.start_ms, word.end_ms) for word in heard.words])
            asked.gaps = tuple((one[1], other[0]) for one, other in pairwise(words))
            if words and call.heard_on:
                self._book.ends_with(asked, words[-1][1])
                call.speech = asked.speech_start, asked.speech_stop
            stop = asked.span.stop
        self._book.said.heard(sequence, start, stop, heard.words)

    def _spoken(
        self, call: _Call, sequence: int, clause: SpokenClause, waited_s: float, now: int
    ) -> None:
        with self._lock:
            part = self._book.asked(sequence, clause.index)
            if not len(clause.voice):
                # One that is overdue stands for the clauses that came too late, too.
                if part is not None and part.state is State.INFLIGHT:
                    self._book.part_failed(part, Outcome.NO_SPEECH, "", waited_s)
                return
            call.came(clause.index, waited_s)
            if part is None:
                return
            part.round_trip_ms = waited_s * 1000
            part.breath = _breath(clause)
        dub = self._matched(call, _with_breath(clause))
        with self._lock:
            self._ready(part, dub, clause.tempo, now)

    def _matched(self, call: _Call, voice: Float) -> MatchedVoice:
        """A dub as loud as the speech of its fragment: of one clause alone that says little."""
        if not self._match_loudness:
            return MatchedVoice(voice)
        if call.speech_lufs is None:
            media = self._media
            call.speech_lufs = speech_lufs(self._lock, media.store, media.bed, call.speech)
        return matched(call.speech_lufs, voice)

    def _ready(self, part: Fragment, dub: MatchedVoice, tempo: float, now: int) -> bool:
        if not self._book.replied(part, dub.voice, tempo):
            return False
        part.speech_lufs, part.dub_lufs = dub.speech_lufs, dub.dub_lufs
        part.margin_ms = round((self.deadline_ns(part) - now) / 1e6, 1)
        return True


def _clause_spans(call: _Call, clauses: Sequence[Announced]) -> tuple[ClauseSpan, ...]:
    """Where in the stream the sources of the clauses are: one after the other, each long enough to
    be replaced if there is room for that."""
    start, stop = call.speech
    least = min(LEAST_SPEECH, (stop - start) // max(len(clauses), 1))
    spans: list[ClauseSpan] = []
    for i, clause in enumerate(clauses):
        at = call.start + ms_to_samples(clause.start_ms) if i else start
        earliest = spans[-1].start + least if spans else start
        at = max(min(at, stop - (len(clauses) - i) * least), earliest)
        spans.append(ClauseSpan(at, clause.text, clause.source_text))
    return tuple(spans)


def _spans(call: _Call, times_ms: Sequence[tuple[int, int]]) -> tuple[tuple[int, int], ...]:
    """Times in a fragment as positions in the stream."""
    return tuple(
        (call.start + ms_to_samples(start_ms), call.start + ms_to_samples(end_ms))
        for start_ms, end_ms in times_ms
    )


def _breath(clause: SpokenClause) -> int:
    return ms_to_samples(min(clause.pause_ms, _BREATH_MS))


def _with_breath(clause: SpokenClause) -> Float:
    return np.concatenate([clause.voice, np.zeros(_breath(clause), np.float32)])
