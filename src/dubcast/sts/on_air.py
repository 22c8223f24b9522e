"""Which streams are on air at this service, since when, and how much each sends. Pure."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field

# A stream of which nothing was taken on for so long is not on air here any more.
GONE_S = 30.0
# Who speaks sends a fragment more often than this.
SILENT_S = 9.0
_WINDOW_S = 20.0
# For a stream of which less than so much is taken on, nothing more than that is kept free.
_SERVED = 0.25
# How much of the time somebody speaks on a stream of which nothing is known.
_USUAL = 0.8


@dataclass(frozen=True)
class _Sent:
    """A fragment that was sent when its audio had ended."""

    at_s: float
    audio_s: float
    taken: bool


@dataclass
class _Stream:
    """`start_s`: when the audio of its first fragment began; `taken_s`: when one was last taken."""

    start_s: float
    taken_s: float
    sent: deque[_Sent] = field(default_factory=deque)

    def rate(self, now_s: float) -> float:
        """Seconds of audio that it sends in a second; 1 at most, however many it sends at once.

        Of the time before it was there, what is usual.
        """
        return self._rate(now_s, list(self.sent))

    def kept_free(self, now_s: float) -> float:
        """How much of that is to be reckoned with: all, unless little of it is taken on; and
        nothing while it is silent."""
        if self.is_silent(now_s):
            return 0.0
        taken = self._rate(now_s, [one for one in self.sent if one.taken])
        rate = self.rate(now_s)
        return rate if taken >= _SERVED * rate else taken

    def is_silent(self, now_s: float) -> bool:
        """True if nobody has spoken on it for some time."""
        return self.sent[-1].at_s <= now_s - SILENT_S

    def _rate(self, now_s: float, sent: list[_Sent]) -> float:
        since_s = now_s - _WINDOW_S
        seconds = sum(min(one.audio_s, max(one.at_s - since_s, 0.0)) for one in sent)
        unknown_s = max(0.0, self.start_s - since_s)
        return min((seconds + _USUAL * unknown_s) / _WINDOW_S, 1.0)


class OnAir:
    """The streams in the order in which they came. Times in seconds of any clock."""

    def __init__(self) -> None:
        self._streams: dict[str, _Stream] = {}

    def __len__(self) -> int:
        return len(self._streams)

    def __contains__(self, stream_id: str) -> bool:
        return stream_id in self._streams

    def sent(self, stream_id: str, audio_s: float, now_s: float, *, taken: bool = True) -> None:
        """A stream sent a fragment; from the first one that is taken on it is on air."""
        if taken:
            stream = self._streams.setdefault(stream_id, _Stream(now_s - audio_s, now_s))
            stream.taken_s = now_s
        if stream_id in self._streams:
            sent = self._streams[stream_id].sent
            sent.append(_Sent(now_s, audio_s, taken))
            while sent[0].at_s <= now_s - _WINDOW_S:
                sent.popleft()

    def forget(self, now_s: float) -> None:
        """Streams of which nothing is taken on any more are not on air."""
        for name, stream in list(self._streams.items()):
            if stream.taken_s <= now_s - GONE_S:
                del self._streams[name]

    def speaking(self, now_s: float) -> int:
        """On how many of them somebody speaks."""
        return sum(not stream.is_silent(now_s) for stream in self._streams.values())

    def rates(self, stream_id: str, now_s: float) -> tuple[float, float]:
        """What is kept free for those before a stream, and what it sends itself, in seconds of
        audio in a second.

        One that is not on air comes last, and is expected to send what is usual.
        """
        before = 0.0
        for name, stream in self._streams.items():
            if name == stream_id:
                return before, stream.rate(now_s)
            before += stream.kept_free(now_s)
        return before, _USUAL
