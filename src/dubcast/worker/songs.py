"""Whether a song was just before: who sang a moment ago probably still sings. Pure; positions in
samples of the stream.
"""

from __future__ import annotations

from dubcast.audio.pcm import RATE
from dubcast.contract.stream_reply import Heard
from dubcast.contract.sts import LeftAlone, StsResponse

# So long after it a song is still just before: a line or two of it, or a few bars without words.
_LASTS = 10 * RATE
# Of less a service cannot tell whether it is sung.
_LEAST = RATE
_KEPT = 16  # more are never on their way at a time


class Songs:
    """Which of the last fragments were sung, by sequence number, as far as that was told. Not
    thread-safe."""

    def __init__(self) -> None:
        self._told: dict[int, tuple[int, bool]] = {}  # where it stops, whether it is sung

    def heard(self, sequence: int, span: tuple[int, int], heard: Heard | StsResponse) -> None:
        """The service said what it heard in a fragment. Nothing, or words in a language that is
        not dubbed, say neither that somebody sings nor that somebody speaks."""
        if heard.left_alone is LeftAlone.SONG:
            self.note(sequence, span, is_sung=True)
        elif heard.transcript:
            self.note(sequence, span, is_sung=False)

    def note(self, sequence: int, span: tuple[int, int], *, is_sung: bool) -> None:
        """A fragment was told to be sung, or not; of a short one the latter says nothing.

        Neither does a song of which one was just before, since it was taken for one the sooner: who
        preaches in a singing voice would never be dubbed again.
        """
        start, stop = span
        says_nothing = self.just_before(sequence, start) if is_sung else stop - start < _LEAST
        if says_nothing:
            return
        self._told[sequence] = stop, is_sung
        if len(self._told) > _KEPT:
            del self._told[min(self._told)]

    def just_before(self, sequence: int, start: int) -> bool:
        """True if the nearest fragment before that says anything was sung, and not long ago."""
        before = (number for number in self._told if number < sequence)
        stop, is_sung = self._told.get(max(before, default=-1), (0, False))
        return is_sung and start - stop <= _LASTS
