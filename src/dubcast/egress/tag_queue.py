"""What waits for a destination, and what of it is left out when it is too slow. Pure."""

from __future__ import annotations

from collections import deque
from typing import NamedTuple

from dubcast import flv
from dubcast.flv import Tag, is_key, is_media, is_picture

# Beside the tags' own bytes: 16 s at 8 Mbit/s.
MOST_BYTES = 16 * 1024 * 1024


class Waiting(NamedTuple):
    """A tag, and when it was read from the stream (ns)."""

    tag: Tag
    at_ns: int


class TagQueue:
    """Tags in order. Whole groups of pictures are left out, with the sound beside them."""

    def __init__(self, most_bytes: int = MOST_BYTES) -> None:
        self.bytes = 0
        self.skipped = 0  # times that something was left out
        self._most_bytes = most_bytes
        self._tags: deque[Waiting] = deque()
        self._pictured = False  # the stream has pictures: sound alone is no place to go on from
        self._wants_key = False

    def __len__(self) -> int:
        return len(self._tags)

    @property
    def oldest_ns(self) -> int | None:
        """When the tag that is next was read."""
        return self._tags[0].at_ns if self._tags else None

    def push(self, tag: Tag, now_ns: int) -> None:
        """Add a tag; if it is one too many, all that waits is left out up to the next key frame."""
        self._pictured = self._pictured or is_picture(tag)
        if self._wants_key and is_media(tag):
            if not self._is_entry(tag):
                return
            self._wants_key = False
        if self.bytes + len(tag.body) > self._most_bytes:
            self._leave_out(len(self._tags))
            self._wants_key = not self._is_entry(tag)
            if self._wants_key and is_media(tag):
                return
        self._tags.append(Waiting(tag, now_ns))
        self.bytes += len(tag.body)

    def pop(self) -> Waiting:
        one = self._tags.popleft()
        self.bytes -= len(one.tag.body)
        return one

    def skip(self) -> bool:
        """Leave out what is before the newest key frame; False if nothing is to be gained."""
        for index in range(len(self._tags) - 1, 0, -1):
            if self._is_entry(self._tags[index].tag):
                return self._leave_out(index)
        return False

    def _is_entry(self, tag: Tag) -> bool:
        return is_key(tag) if self._pictured else tag.kind == flv.AUDIO

    def _leave_out(self, count: int) -> bool:
        """Leave out the first `count`, but for headers and metadata; True if there were more."""
        first = [self._tags.popleft() for _ in range(count)]
        kept = [one for one in first if not is_media(one.tag)]
        self._tags.extendleft(reversed(kept))
        self.bytes -= sum(len(one.tag.body) for one in first if is_media(one.tag))
        gained = len(kept) < count
        self.skipped += gained
        return gained
