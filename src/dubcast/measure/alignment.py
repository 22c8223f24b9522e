"""Which access units of the source are in the output, in order. Pure.

Equal content does not identify a unit (flat pictures repeat), so sequences are aligned: units
that are unique on both sides are the fixed points, their longest increasing run is kept, and
the blocks between are filled in by position and by longest common subsequence.
"""

from __future__ import annotations

from bisect import bisect_left
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

# A block larger than this (product of its sides) is filled from its two ends only.
_MAX_TABLE = 1_000_000
_PROJECTIONS = 4
_CANDIDATES = 32
_CODE_SEED = 7

Pair = tuple[int, int]


@dataclass(frozen=True)
class Alignment:
    """Matched (output index, source index) pairs and what did not match.

    The output may start after the source and end before it: what lies outside of the first and
    last match is not missing. `changed`: another content at the same place; `reordered`: the
    same content at another place. `ambiguous`: the picture repeats, so another alignment is
    as good as this one.
    """

    pairs: list[Pair]
    missing: int
    changed: int
    extra: int
    reordered: int
    ambiguous: bool

    @property
    def exact(self) -> bool:
        """Whether the output is one contiguous run of the source, unchanged."""
        faults = self.missing + self.changed + self.extra + self.reordered
        return bool(self.pairs) and not faults


def align(source: Sequence[bytes], output: Sequence[bytes]) -> Alignment:
    """Align two sequences of content hashes."""
    anchors = _increasing(_unique_pairs(source, output))
    ambiguous = False
    if not anchors and source and output:
        anchors, ambiguous = _best_diagonal(source, output)
    if not anchors:
        return Alignment([], 0, 0, len(output), 0, False)
    pairs = _fill(source, output, anchors)
    return _count(source, output, pairs, ambiguous)


def _unique_pairs(source: Sequence[bytes], output: Sequence[bytes]) -> list[Pair]:
    """Pairs whose content occurs exactly once on both sides, in output order."""
    in_source, in_output = Counter(source), Counter(output)
    where = {item: j for j, item in enumerate(source) if in_source[item] == 1}
    return [(i, where[x]) for i, x in enumerate(output) if in_output[x] == 1 and x in where]


def _increasing(pairs: list[Pair]) -> list[Pair]:
    """The longest subsequence whose source indices increase."""
    tails: list[int] = []
    ends: list[int] = []
    before: list[int] = []
    for index, (_, j) in enumerate(pairs):
        place = bisect_left(tails, j)
        before.append(ends[place - 1] if place else -1)
        tails[place:] = [j, *tails[place + 1 :]] if place < len(tails) else [j]
        ends[place:] = [index, *ends[place + 1 :]] if place < len(ends) else [index]
    chosen = []
    at = ends[-1] if ends else -1
    while at >= 0:
        chosen.append(pairs[at])
        at = before[at]
    return chosen[::-1]


def _best_diagonal(source: Sequence[bytes], output: Sequence[bytes]) -> tuple[list[Pair], bool]:
    """The offset with the most equal units, and whether another is as good.

    Only reached when nothing is unique. Contents become random signs and offsets are scored by
    correlation, so that a long still picture costs n log n and not n squared.
    """
    scores = _offset_scores(source, output)
    # Rounded: of equally good offsets the first is taken, not the luckiest rounding error.
    best_first = np.argsort(-np.round(scores), kind="stable")[:_CANDIDATES]
    counted = []
    for offset in (best_first - (len(output) - 1)).tolist():
        pairs = _equal_on(source, output, offset)
        counted.append((len(pairs), pairs))
    most, chosen = max(counted, key=lambda item: item[0])
    return chosen, sum(count == most for count, _ in counted) > 1 and most > 0


def _offset_scores(source: Sequence[bytes], output: Sequence[bytes]) -> NDArray[np.float64]:
    """About how many units are equal, by offset source - output from -(len(output) - 1) on."""
    random = np.random.default_rng(_CODE_SEED)
    codes: dict[bytes, int] = {}
    left = [codes.setdefault(item, len(codes)) for item in source]
    right = [codes.setdefault(item, len(codes)) for item in output]
    size = 1 << (len(left) + len(right)).bit_length()
    total = np.zeros(len(left) + len(right) - 1)
    for _ in range(_PROJECTIONS):
        signs = random.choice((-1.0, 1.0), len(codes))
        spectrum = np.fft.rfft(signs[left], size)
        spectrum *= np.fft.rfft(signs[right][::-1], size)
        total += np.fft.irfft(spectrum, size)[: len(total)]
    return total / _PROJECTIONS


def _equal_on(source: Sequence[bytes], output: Sequence[bytes], offset: int) -> list[Pair]:
    low, high = max(0, -offset), min(len(output), len(source) - offset)
    return [(i, i + offset) for i in range(low, high) if output[i] == source[i + offset]]


def _fill(source: Sequence[bytes], output: Sequence[bytes], anchors: list[Pair]) -> list[Pair]:
    """Anchors, and the equal units before, between and after them."""
    pairs = _head(source, output, anchors[0])
    for (i, j), (next_i, next_j) in pairwise(anchors):
        pairs.append((i, j))
        if next_i - i > 1 and next_j - j > 1:
            pairs += _block(source, output, (i + 1, next_i), (j + 1, next_j))
    pairs.append(anchors[-1])
    return pairs + _tail(source, output, anchors[-1])


def _head(source: Sequence[bytes], output: Sequence[bytes], first: Pair) -> list[Pair]:
    i, j = first
    reach = min(i, j)
    return [
        (i - k, j - k) for k in range(reach, 0, -1) if output[i - k] == source[j - k]
    ]  # fmt: skip


def _tail(source: Sequence[bytes], output: Sequence[bytes], last: Pair) -> list[Pair]:
    i, j = last
    reach = min(len(output) - i, len(source) - j)
    return [(i + k, j + k) for k in range(1, reach) if output[i + k] == source[j + k]]


def _block(source: Sequence[bytes], output: Sequence[bytes], rows: Pair, cols: Pair) -> list[Pair]:
    """Matches within output[rows] and source[cols] (half-open ranges)."""
    (i, i_end), (j, j_end) = rows, cols
    if i_end - i == j_end - j:
        return [(i + k, j + k) for k in range(i_end - i) if output[i + k] == source[j + k]]
    front = []
    while i < i_end and j < j_end and output[i] == source[j]:
        front.append((i, j))
        i, j = i + 1, j + 1
    back = []
    while i < i_end and j < j_end and output[i_end - 1] == source[j_end - 1]:
        i_end, j_end = i_end - 1, j_end - 1
        back.append((i_end, j_end))
    middle = []
    if (i_end - i) * (j_end - j) <= _MAX_TABLE:
        middle = _common(output[i:i_end], source[j:j_end])
    return [*front, *((i + a, j + b) for a, b in middle), *back[::-1]]


def _common(left: Sequence[bytes], right: Sequence[bytes]) -> list[Pair]:
    """Index pairs of a longest common subsequence."""
    table = [[0] * (len(right) + 1) for _ in range(len(left) + 1)]
    for a in range(len(left) - 1, -1, -1):
        for b in range(len(right) - 1, -1, -1):
            same = left[a] == right[b]
            table[a][b] = table[a + 1][b + 1] + 1 if same else max(table[a + 1][b], table[a][b + 1])
    pairs, a, b = [], 0, 0
    while a < len(left) and b < len(right):
        if left[a] == right[b]:
            pairs.append((a, b))
            a, b = a + 1, b + 1
        elif table[a + 1][b] >= table[a][b + 1]:
            a += 1
        else:
            b += 1
    return pairs


@dataclass(frozen=True)
class _Hole:
    """Output and source indices between two neighbouring matches, or beyond the outermost."""

    output: list[int]
    source: list[int]
    inner: bool


def _holes(source_len: int, output_len: int, pairs: list[Pair]) -> list[_Hole]:
    """Everything unmatched. At the ends only as much source as there is output: it may be cut."""
    (i, j), (i_end, j_end) = pairs[0], pairs[-1]
    found = [_Hole(list(range(i)), list(range(max(0, j - i), j)), False)]
    for (a, b), (next_a, next_b) in pairwise(pairs):
        if next_a - a > 1 or next_b - b > 1:
            found.append(_Hole(list(range(a + 1, next_a)), list(range(b + 1, next_b)), True))
    after = output_len - i_end
    last = list(range(j_end + 1, min(source_len, j_end + after)))
    return [*found, _Hole(list(range(i_end + 1, output_len)), last, False)]


def _moved(
    source: Sequence[bytes], output: Sequence[bytes], holes: list[_Hole]
) -> tuple[set[int], set[int]]:
    """Unmatched output and source indices that hold the same content, at different places."""
    spare: dict[bytes, list[int]] = {}
    for hole in holes:
        for j in hole.source:
            spare.setdefault(source[j], []).append(j)
    moved_out, moved_source = set(), set()
    for hole in holes:
        for i in hole.output:
            if waiting := spare.get(output[i]):
                moved_out.add(i)
                moved_source.add(waiting.pop())
    return moved_out, moved_source


def _count(
    source: Sequence[bytes], output: Sequence[bytes], pairs: list[Pair], ambiguous: bool
) -> Alignment:
    """Sort what lies beside the matched pairs into changed, missing, extra and reordered."""
    holes = _holes(len(source), len(output), pairs)
    moved_out, moved_source = _moved(source, output, holes)
    changed = missing = extra = 0
    for hole in holes:
        alien = sum(i not in moved_out for i in hole.output)
        lost = sum(j not in moved_source for j in hole.source)
        same_place = min(alien, lost)
        changed += same_place
        extra += alien - same_place
        missing += lost - same_place if hole.inner else 0
    return Alignment(pairs, missing, changed, extra, len(moved_out), ambiguous)
