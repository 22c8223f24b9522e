"""Which clauses go through Kokoro together, and to which size they are filled up. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from dubcast.sts.providers.interface import Float

# Tokens of a text, frames of its speech (40 in a second): what is longer is rounded up to a
# multiple of the last, and has no graph.
TOKENS = (32, 64, 96, 128, 192)
FRAMES = (60, 90, 130, 190, 280, 400)
WIDTHS = (1, 2, 4, 8, 16)


@dataclass(frozen=True)
class Line:
    """What is spoken: phonemes as the network's numbers, and the voice's style of that length."""

    tokens: tuple[int, ...]
    style: Float


@dataclass(frozen=True)
class Group:
    """Items of one batch by their index, and the size that they are filled up to."""

    members: tuple[int, ...]
    size: int

    @property
    def rows(self) -> list[int]:
        """The members, the last one repeated up to a width that batches have."""
        short = at_least(len(self.members), WIDTHS) - len(self.members)
        return [*self.members, *self.members[-1:] * short]


def grouped(lengths: Sequence[int], sizes: Sequence[int]) -> Iterator[Group]:
    """Items of the same size together, at most as many as the widest batch holds.

    One that is alone joins the next larger size: a batch more costs more than its padding.
    """
    order = sorted(range(len(lengths)), key=lambda i: lengths[i], reverse=True)
    members: list[int] = []
    for i in order:
        size = rounded(lengths[members[0]], sizes) if members else 0
        apart = members and rounded(lengths[i], sizes) < size and len(members) > 1
        if apart or len(members) == WIDTHS[-1]:
            yield Group(tuple(members), size)
            members = []
        members.append(i)
    if members:
        yield Group(tuple(members), rounded(lengths[members[0]], sizes))


def rounded(length: int, sizes: Sequence[int]) -> int:
    """The size that a length is filled up to."""
    return at_least(length, sizes) if length <= sizes[-1] else -(-length // sizes[-1]) * sizes[-1]


def at_least(count: int, sizes: Sequence[int]) -> int:
    """The first of ascending sizes that holds so many."""
    return next(size for size in sizes if size >= count)
