"""Where in a fragment is said what each clause of its translation says. Pure.

The sentences of both texts are laid side by side where there are as many of one as of the other;
within a sentence a clause stands where it stands in the translation, in proportion to the letters,
moved to a border between two words that is near, preferably one where a speaker may breathe.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import accumulate, pairwise

from dubcast.languages.language import Language
from dubcast.languages.sentences import spans
from dubcast.sts.clauses import breaths
from dubcast.sts.providers.interface import Word

Bounds = tuple[float, float]
# A clause begins where its source does, if that is no more than two words further away.
_FURTHER = 10


@dataclass(frozen=True)
class SourceSpan:
    """What a clause translates, and when that is said, in seconds of the fragment."""

    start_s: float
    end_s: float
    text: str | None = None


def source_spans(
    clauses: Sequence[str],
    target: Language,
    words: Sequence[Word],
    source: Language,
    bounds_s: Bounds | None,
) -> list[SourceSpan | None]:
    """The span of each clause: together all of the speech, none before the one before it.

    `words`: of what was said, with times, if the recognizer tells them; `bounds_s`: where the
    speech is. Without both, nothing is known.
    """
    if bounds_s is None and words:
        bounds_s = words[0].start_s, words[-1].end_s
    if bounds_s is None:
        return [None] * len(clauses)
    if len(words) < len(clauses):
        return list(_by_length(clauses, bounds_s))
    counts = _word_borders(clauses, target, [word.text for word in words], source)
    starts = [min(max(words[at].start_s, bounds_s[0]), bounds_s[1]) for at in counts[1:-1]]
    borders = list(accumulate([bounds_s[0], *starts, bounds_s[1]], max))
    return [
        SourceSpan(*times, " ".join(word.text for word in words[begin:end]))
        for times, (begin, end) in zip(pairwise(borders), pairwise(counts), strict=True)
    ]


def _by_length(clauses: Sequence[str], bounds_s: Bounds) -> list[SourceSpan]:
    start_s, end_s = bounds_s
    ends = list(accumulate(map(len, clauses), initial=0))
    times = [start_s + (end_s - start_s) * end / ends[-1] for end in ends]
    return [SourceSpan(*pair) for pair in pairwise(times)]


def _word_borders(
    clauses: Sequence[str], target: Language, words: Sequence[str], source: Language
) -> list[int]:
    """How many words lie before each clause, and before the end; each clause has one at least."""
    translated, said = " ".join(clauses), " ".join(words)
    ends = _ends(words)
    anchors = _anchors(translated, target, said, source)
    begins = {len(said[:at].rstrip()) for at in breaths(said, source)}
    borders = [0]
    for i, position in enumerate(_ends(clauses)[:-1], 1):
        there = _moved(position, anchors)
        far = [abs(end - there) - _FURTHER * (end in begins) for end in ends]
        nearest = far.index(min(far)) + 1
        borders.append(min(max(nearest, borders[-1] + 1), len(words) - (len(clauses) - i)))
    return [*borders, len(words)]


def _ends(parts: Sequence[str]) -> list[int]:
    """Where each part ends in all of them with a space between."""
    return [end - 1 for end in accumulate(len(part) + 1 for part in parts)]


def _anchors(
    translated: str, target: Language, said: str, source: Language
) -> list[tuple[int, int]]:
    """Positions in both texts that belong together: the ends of sentences, if they pair up."""
    there, here = spans(translated, target), spans(said, source)
    if len(there) != len(here):
        there, here = there[-1:], here[-1:]
    return [(0, 0), *((a[1], b[1]) for a, b in zip(there, here, strict=True))]


def _moved(position: int, anchors: Sequence[tuple[int, int]]) -> float:
    """Where in the one text is what is at `position` in the other."""
    for (left, to_left), (right, to_right) in pairwise(anchors):
        if position <= right:
            return to_left + (to_right - to_left) * (position - left) / max(right - left, 1)
    return anchors[-1][1]
