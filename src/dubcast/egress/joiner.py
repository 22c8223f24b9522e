"""From where on a destination is sent the stream, and with what before it. Pure.

A destination begins with a key frame, the headers and the metadata before it, at time 0; what was
read of the stream before matters to nobody, so that joining takes no analysis. While the
destination is being connected the picture group that runs is kept for it.
"""

from __future__ import annotations

from dataclasses import replace

from dubcast import flv
from dubcast.flv import Tag, is_header, is_key, is_media

# A stream without a picture, and one whose picture does not come: sound alone then. Of the stream's
# own time, in ms.
_NO_PICTURE_MS = 1_500
_LATE_PICTURE_MS = 12_000
_MOST_HELD = 16 * 1024 * 1024
_WRAP_MS = 1 << 32
# Sound that belongs before the first picture; more is a clock that was set back.
_BEFORE_MS = 5_000
# Between a server and its reader, or made anew for each connection: no programme.
_OF_THE_CONNECTION = (b"|RtmpSampleAccess", b"onStatus", b"onClearCache")
_METADATA = b"onMetaData"
_LONGEST_NAME = 40  # so far into script data a name is looked for


class Joiner:
    """Takes the stream as it is read, gives what is to be sent, at times that begin at 0.

    Times keep their distances, the tracks' from each other too: there is one constant.
    """

    def __init__(self) -> None:
        self.sent = False  # True when anything was
        self._open = False
        self._metadata: Tag | None = None
        self._headers: dict[int, Tag] = {}
        self._held: list[Tag] = []  # from the latest key frame on, until the destination is there
        self._held_bytes = 0
        self._sound_since: int | None = None
        self._picture = False  # the destination has a key frame
        self._seen_picture = False
        self._last_ms = 0  # the source's time of the latest tag, and ours
        self._at_ms = 0

    def open(self) -> list[Tag]:
        """The destination is there: what it is sent first."""
        self._open = True
        held, self._held = self._held, []
        return [sent for tag in held for sent in self._media(tag)]

    def take(self, tag: Tag) -> list[Tag]:
        """A tag was read: what is sent of it now."""
        if tag.kind == flv.SCRIPT:
            return self._script(tag)
        if is_header(tag):
            self._headers[tag.kind] = tag
            return self._placed(tag) if self.sent else []
        if not tag.body:
            return []
        if self._open:
            return self._media(tag)
        self._hold(tag)
        return []

    def _script(self, tag: Tag) -> list[Tag]:
        name = tag.body[:_LONGEST_NAME]
        if any(one in name for one in _OF_THE_CONNECTION):
            return []
        if _METADATA in name:
            begins = tag.body.index(_METADATA) - 3
            tag = self._metadata = replace(tag, body=tag.body[begins:])
        return self._placed(tag) if self.sent else []

    def _hold(self, tag: Tag) -> None:
        self._note(tag)
        if is_key(tag):
            self._held, self._held_bytes = [tag], len(tag.body)
        elif self._held:
            self._held.append(tag)
            self._held_bytes += len(tag.body)
            if self._held_bytes > _MOST_HELD:
                self._held = []

    def _note(self, tag: Tag) -> None:
        """What tells whether there will be a picture."""
        if tag.kind == flv.VIDEO:
            self._seen_picture = True
        elif self._sound_since is None:
            self._sound_since = tag.dts_ms

    def _media(self, tag: Tag) -> list[Tag]:
        self._note(tag)
        if is_key(tag):
            self._picture = True
        elif tag.kind == flv.VIDEO and not self._picture:
            return []
        if self.sent:
            return self._placed(tag)
        return self._begin(tag) if self._picture or self._sound_alone(tag) else []

    def _sound_alone(self, tag: Tag) -> bool:
        if self._sound_since is None:
            return False
        pictured = self._seen_picture or flv.VIDEO in self._headers
        limit = _LATE_PICTURE_MS if pictured else _NO_PICTURE_MS
        return (tag.dts_ms - self._sound_since) % _WRAP_MS >= limit

    def _begin(self, tag: Tag) -> list[Tag]:
        self.sent = True
        self._last_ms, self._at_ms = tag.dts_ms, 0
        before = [self._metadata, self._headers.get(flv.VIDEO), self._headers.get(flv.AUDIO), tag]
        return [replace(one, dts_ms=0) for one in before if one is not None]

    def _placed(self, tag: Tag) -> list[Tag]:
        """The tag at its time; none where it belongs before the first."""
        half = _WRAP_MS // 2
        step = (tag.dts_ms - self._last_ms + half) % _WRAP_MS - half
        at_ms = self._at_ms + step
        if is_media(tag):
            if at_ms < -_BEFORE_MS:
                at_ms = self._at_ms  # the source's clock was set back: on from where it was
            self._last_ms, self._at_ms = tag.dts_ms, at_ms
        elif abs(step) > _BEFORE_MS:
            at_ms = self._at_ms  # headers and metadata often come with no time of their own
        return [replace(tag, dts_ms=at_ms % _WRAP_MS)] if at_ms >= 0 else []
