"""Where each dub begins and how fast it is spoken. Pure; positions and lengths in samples.

A dub begins with the speech it replaces, later only while the dub before still speaks; how much
later the next one must begin is the *backlog*. The tempo is the least constant one at which this
dub and those that follow, as far as they are known, begin nearly in time (a taut string through
the room that there is), so that it changes little from one to the next. Up to COMFORT that is
all; beyond, the backlog is the buffer, and only what would pass its bound is spoken faster still,
but for a small share of the time that is spent on beginning in time. What even the highest tempo
cannot bring in under the bound is not dubbed.
"""

from __future__ import annotations

import math
from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass

from dubcast.audio.pcm import RATE, ms_to_samples

# Measured, dubs into Portuguese last 1.03-1.14 times as long as what they replace.
_FIRST_RATIO = 1.1
_LEARNING = 1 / 8
UNHURRIED = 0.95
COMFORT = 1.15
# A dub that would end before its speaker is spoken slowly, and slower than that, though never
# drawled, only where a hole would be left in the speech else. Where dubs take less time than usual
# the speaker is slow, and any hole longer than a pause is filled; where not, one dub is short by
# chance, and only what is missed is. The slower the speaker, the slower his dub may be: heard by
# Whisper, nine minutes of dubs are understood at 0.75 as well as at 0.85 (chrF 64.4 and 63.8).
# Pauses made longer instead gain nothing: within a clause the voices make hardly any.
SLOWEST, SLOW = 0.75, 0.85
_SLOW_SPEAKER = 1.05  # dubs to what they replace; with each 0.01 less they may be 0.01 slower
_HOLE = ms_to_samples(200), ms_to_samples(800)
BANDS = (0.95, 1.0, 1.05, 1.1, 1.15, 1.2, 1.25)  # limits of the tempo's distribution
_GAP = ms_to_samples(30)  # between two dubs, as between two sentences in a hurry
# A dub may begin 400 ms after its speech; aiming at less leaves room for what is not foreseen.
_AIM = ms_to_samples(100)
# What would begin later than this is worth hurrying for, while this much of the last minute's
# dubs was hurried; where that cannot be, beginning so late is still in time: a voice comes up to
# 70 ms after its dub begins. Over 40 programmes of fast sport it brings the share of dubs in time
# from 96 % (worst 88 %) to 98 % (92 %), for 4 % of the time.
_PUNCTUAL = ms_to_samples(300), ms_to_samples(365)
_HURRY_SHARE = 0.05
_HURRY_WINDOW = 60 * RATE
_LOOK_AHEAD = 3
# What is dropped in favour of the dub before must be this much shorter.
_CHEAPER = 0.5
_ROUNDING = 0.002


@dataclass(frozen=True)
class Utterance:
    """A fragment as the planner sees it.

    `onset`: where its dub should begin; `speech`: length of what it replaces; `natural`: length of
    its dub at tempo 1, None while the dub is not there; of that, `breath` at its end is silent.
    `inner`: it goes on where the one before has ended, a clause within a fragment: nobody hears
    whether it begins in time.
    """

    onset: int
    speech: int
    natural: int | None = None
    inner: bool = False
    breath: int = 0


@dataclass(frozen=True)
class Placing:
    """Where a dub goes. `start` None: it is not dubbed, for `reason`.

    `shift`: begins so much after its onset. `backlog`: the next begins so much late.
    """

    start: int | None
    shift: int = 0
    backlog: int = 0
    reason: str = ""


class Planner:
    """Plans dubs in order. `quiet_until` is where the next speech may begin at the earliest,
    beyond the utterances that are given.

    `match`: dubs are as long as their fragment and are placed with it; else they have their
    natural length. Not thread-safe.
    """

    def __init__(self, max_backlog_s: float, max_tempo: float, *, match: bool) -> None:
        self.match = match
        self._bound = round(max_backlog_s * RATE)
        self._aim = min(_AIM, self._bound)
        self._fastest = max_tempo
        self._comfort = min(COMFORT, max_tempo)
        self._gap = 0 if match else _GAP
        self._ratio = _FIRST_RATIO
        self._hurried = 0.0  # share of the dubbed time that was spoken faster than COMFORT
        self.free = 0  # the first position at which nothing speaks any more

    def learn(self, utterance: Utterance) -> None:
        """The natural length of a dub became known: what is still to come will be alike."""
        if utterance.natural is not None and utterance.speech > 0:
            ratio = min(max(utterance.natural / utterance.speech, 0.5), 2.0)
            self._ratio += (ratio - self._ratio) * _LEARNING

    def slot(self, onset: int, free: int, next_onset: int) -> int:
        """Room for the dub of speech that begins at `onset`, if the dubs before end at `free`.

        To the next speech (or as far as it is known to be quiet), and what the backlog allows:
        what does not fit there at the highest tempo, the planner could not place either.
        """
        return max(next_onset + self._bound - self._gap - max(onset, free), 0)

    def tempo(self, line: Sequence[Utterance], free: int, quiet_until: int) -> float:
        """The tempo for the first of `line`, when the dubs before it end at `free`."""
        first = line[0]
        start = max(first.onset, free)
        if self.match:
            return min(max(self._natural(first) / first.speech, UNHURRIED), self._fastest)
        wanted = self._least(line, start, quiet_until, self._aim, heard=True)
        forced = self._least(line, start, quiet_until, self._bound)
        forced = max(forced, self._punctual(line, start, quiet_until))
        if wanted < 1:
            wanted = min(max(wanted, self._lasting(line, start, quiet_until)), 1.0)
        return min(max(min(wanted, self._comfort), forced), self._fastest)

    def after(self, utterance: Utterance, free: int, tempo: float) -> int:
        """Where the next dub may begin, after `utterance` at `tempo`."""
        start = max(utterance.onset, free)
        if start - utterance.onset > self._bound:
            return free  # it will not be dubbed
        return start + round(self._natural(utterance) / tempo) + self._gap

    def place(
        self, line: Sequence[Utterance], length: int, quiet_until: int, overlap: int = 0
    ) -> Placing:
        """Place the dub of the first of `line`, `length` long as it will sound, for good.

        `overlap`: it crossfades so much with the one before and the one after.
        """
        onset = line[0].onset
        start = max(onset, self.free - overlap)
        if start - onset > self._bound:
            return Placing(None, reason="previous_dub_too_long")
        free = start + length + self._gap
        backlog = self._backlog(line, free - overlap, quiet_until)
        if backlog is None:
            return Placing(None, reason="dub_too_long")
        self.free = free
        hurry = self._natural(line[0]) > (self._comfort + _ROUNDING) * length
        self._hurried += (hurry - self._hurried) * length / (length + _HURRY_WINDOW)
        return Placing(start, start - onset, backlog)

    def _backlog(self, line: Sequence[Utterance], free: int, quiet_until: int) -> int | None:
        """How late the next dub begins; None: too late, and this one is the one to leave out.

        One much shorter that follows is left out instead, if that is enough.
        """
        late = max(free - _next_onset(line, 0, quiet_until), 0)
        if late <= self._bound:
            return late
        if len(line) > 1 and line[1].speech < _CHEAPER * line[0].speech:
            late = max(free - _next_onset(line, 1, quiet_until), 0)
            if late <= self._bound:
                return late
        return None

    def _least(
        self,
        line: Sequence[Utterance],
        start: int,
        quiet_until: int,
        late: int,
        *,
        heard: bool = False,
    ) -> float:
        """The least constant tempo at which each of the next begins at most `late` late; `heard`:
        each whose beginning is heard as such. None is spoken faster only to wait for another's
        onset.
        """
        least, length, seen, useful = 0.0, 0, 0, math.inf
        for i, utterance in enumerate(line):
            length += self._natural(utterance)
            room = _next_onset(line, i, quiet_until) - start - (i + 1) * self._gap
            useful = min(useful, length / max(room, 1))
            if heard and _goes_on(line, i):
                continue
            least = max(least, min(length / max(room + late, 1), useful))
            seen += 1
            if seen == _LOOK_AHEAD:
                break
        return least

    def _punctual(self, line: Sequence[Utterance], start: int, quiet_until: int) -> float:
        """The tempo at which the next can still begin in time; 0: not to be hurried for."""
        if self._hurried >= _HURRY_SHARE or _goes_on(line, 0):
            return 0.0
        next_onset = _next_onset(line, 0, quiet_until)
        least = (self._least(line[:1], start, next_onset, late) for late in _PUNCTUAL)
        return next((tempo for tempo in least if tempo <= self._fastest), 0.0)

    def _lasting(self, line: Sequence[Utterance], start: int, quiet_until: int) -> float:
        """The highest tempo at which the first of `line`, and what is one with it for the ear,
        leave no hole in the speech that they replace. Nothing begins later for it."""
        slower_by = _SLOW_SPEAKER - self._ratio
        hole = _HOLE[0] if slower_by > 0 else _HOLE[1]
        slowest = min(max(SLOW - slower_by, SLOWEST), SLOW)
        lasting, length = math.inf, 0
        for i, utterance in enumerate(line):
            length += self._natural(utterance)
            voice = length - utterance.breath
            speech = utterance.onset + utterance.speech - start - i * self._gap
            room = _next_onset(line, i, quiet_until) - start - (i + 1) * self._gap
            tempo = max(voice / max(speech, 1), length / max(room, 1))
            is_hole = speech - voice / UNHURRIED > hole
            lasting = min(lasting, max(tempo, slowest if is_hole else UNHURRIED))
            if not _goes_on(line, i):
                break
        return lasting

    def _natural(self, utterance: Utterance) -> int:
        if utterance.natural is not None:
            return utterance.natural
        return round(utterance.speech * self._ratio)


def _goes_on(line: Sequence[Utterance], index: int) -> bool:
    """Whether the utterance after `index` is one with it for the ear."""
    return index + 1 < len(line) and line[index + 1].inner


def _next_onset(line: Sequence[Utterance], index: int, quiet_until: int) -> int:
    """Where the utterance after `index` begins, or the earliest place where it may."""
    if index + 1 < len(line):
        return line[index + 1].onset
    return max(quiet_until, line[index].onset)


def band(tempo: float) -> str:
    """The band of `tempo` in its distribution, for a label: `1.05-1.10`, `over 1.25`."""
    # A ratio of two lengths in samples is off by a few millionths.
    at = bisect_right(BANDS, round(tempo, 3) - 1e-9)
    if at == 0:
        return f"under {BANDS[0]:.2f}" if round(tempo, 3) < BANDS[0] else _between(0)
    return f"over {BANDS[-1]:.2f}" if at == len(BANDS) else _between(at - 1)


def _between(at: int) -> str:
    return f"{BANDS[at]:.2f}-{BANDS[at + 1]:.2f}"
