"""Takes jumps out of a session's timestamps, for both tracks alike. Pure.

An encoder that restarts, a wrapped counter, a switched source: timestamps leap by seconds or
days while media keeps coming. Passed on, the leap would empty or fill the delay. So time goes on
where it was, by one *epoch* per leap: a constant that is added to the timestamps of both tracks,
so that their distance stays what it was to the nanosecond. Whichever track leaps first makes the
epoch; the other joins it with its own leap, and until then stays in the one before.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from dubcast.clock import NS_PER_MS, NS_PER_S

Track = Literal["video", "audio"]

# A step this far beyond the time that has passed is a leap, not a hole in the source.
_AHEAD_NS = NS_PER_S
# Steps back up to this are jitter or repeats: the track stands still instead.
_BACK_NS = NS_PER_S // 2
# A track joins an epoch when that puts it this near to where it was.
_REACH_NS = NS_PER_S
# Media that was waited for longer than this was missing: its time has passed, too.
_STALL_NS = NS_PER_S // 2
_LEAST_STEP_NS = NS_PER_MS


@dataclass
class _State:
    """Where a track is: its epoch, its last timestamp as given and as handed out, its rhythm."""

    epoch: int
    given: int
    out: int
    at_ns: int
    step: int = 0


class Rebaser:
    """Continuous timestamps for one session."""

    def __init__(self) -> None:
        self._offsets = [0]
        self._tracks: dict[Track, _State] = {}

    def steady(self, track: Track, ts: int, now: int) -> int:
        """The timestamp `ts` in ns of a packet that arrived at `now`, without leaps.

        For video give the DTS: presentation order goes back and forth by itself. A video DTS
        always grows; an audio one may stand still (the caller drops what overlaps).
        """
        state = self._tracks.get(track)
        if state is None:
            state = self._tracks[track] = self._first(ts, now)
            return state.out
        step, waited = ts - state.given, now - state.at_ns
        if not -_BACK_NS <= step <= waited + _AHEAD_NS:
            state.epoch = self._epoch_for(state, ts, waited)
        elif step > 0:
            state.step = step
        out = ts + self._offsets[state.epoch]
        if track == "video":
            out = max(out, state.out + _LEAST_STEP_NS)
        state.given, state.out, state.at_ns = ts, out, now
        return out

    def offset(self, track: Track) -> int:
        """What was added to the track's last timestamp, but for keeping it growing."""
        return self._offsets[self._tracks[track].epoch]

    def _first(self, ts: int, now: int) -> _State:
        """A track that appears: in the epoch that puts it nearest to the others."""
        others = [state.out + now - state.at_ns for state in self._tracks.values()]
        epochs = range(len(self._offsets))
        place = max(others) if others else ts + self._offsets[-1]
        epoch = min(epochs, key=lambda number: abs(ts + self._offsets[number] - place))
        return _State(epoch, ts, ts + self._offsets[epoch], now)

    def _epoch_for(self, state: _State, ts: int, waited: int) -> int:
        expected = state.out + (waited if waited > _STALL_NS else max(state.step, _LEAST_STEP_NS))
        later = range(state.epoch + 1, len(self._offsets))
        for epoch in reversed(later):
            if abs(ts + self._offsets[epoch] - expected) <= _REACH_NS:
                return epoch
        self._offsets.append(expected - ts)
        return len(self._offsets) - 1
