"""What was said last, in both languages: the service is told it with the next fragment. Pure."""

from __future__ import annotations

from dubcast.worker.fragment import Fragment

_TEXT = 500  # characters that the service is told of a fragment before
_TEXTS = 16  # kept; more are never on their way at a time


class Said:
    """The texts of the last fragments that have a dub, by sequence number. Not thread-safe."""

    def __init__(self) -> None:
        self._texts: dict[int, tuple[str, str]] = {}

    def note(self, part: Fragment) -> None:
        """A fragment has its dub, or a clause of it has."""
        source, target = self._texts.get(part.sequence, ("", ""))
        source, target = f"{source} {part.transcript}", f"{target} {part.translation}"
        self._texts[part.sequence] = (source.strip()[-_TEXT:], target.strip()[-_TEXT:])
        if len(self._texts) > _TEXTS:
            del self._texts[min(self._texts)]

    def before(self, fragment: Fragment) -> tuple[str, str]:
        """Source and target text of the nearest fragment before it whose dub came in time."""
        before = (number for number in self._texts if number < fragment.sequence)
        return self._texts.get(max(before, default=-1), ("", ""))

    def repeats(self, fragment: Fragment) -> int:
        """How much of its start, in samples, repeats words that are known and have a dub: what
        the fragment before did not get across is not to be left out of this one.
        """
        return fragment.overlap if fragment.sequence - 1 in self._texts else 0
