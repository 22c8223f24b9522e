"""Whether a fragment waits for the words of the one before. Pure; times in ns.

A chunk overlaps the one before: the service leaves out what was said in there only if it is told
what that was. A fragment that goes on from the one before is told which words were that one's.
Several are on their way at a time, so that one's transcript may not be there yet. A fragment
waits for it while it is expected early enough for a round trip of its own, and half as much again
for what goes wrong. Where the service is slower than they come, each would have to wait for
longer: one that would wait in vain goes at once, and words may be said twice, or not.
"""

from __future__ import annotations


class OverlapWait:
    """Asked once for each chunk, in order, when it could be sent."""

    def __init__(self) -> None:
        self._expected = 0  # when the reply to the last chunk should be here

    def until(self, now: int, round_trip: int, deadline: int, *, pending: bool) -> int:
        """Until when a chunk waits at most; `now`: not at all.

        `pending`: it overlaps the one before, whose reply is still to come; `round_trip`: what
        is to be reckoned with; `deadline`: when the reply to this chunk has to be here.
        """
        expected = max(self._expected, now)
        latest = deadline - round_trip * 3 // 2
        waits = pending and expected < latest
        self._expected = (expected if waits else now) + round_trip
        # What is overdue by a whole round trip may never come.
        return min(latest, expected + round_trip) if waits else now
