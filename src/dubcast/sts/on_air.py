"""Which streams are on air at this service, since when, and how much each sends. Pure."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field

# A stream that has sent nothing for so long is not on air here any more.
GONE_S = 30.0
_WINDOW_S = 20.0
# How much of the time somebody speaks on a stream of which nothing is known.
_USUAL = 0.8


@dataclass
class _Stream:
    """`start_s`: when the audio of its first fragment began; `sent`: (when, seconds of audio)."""

    start_s: float
    sent: deque[tuple[float, float]] = field(default_factory=deque)

    def rate(self, now_s: float) -> float:
        """Seconds of audio that it sends in a second; 1 at most, however many it sends at once.

        Of the time before it was there, what is usual.
        """
        since_s = now_s - _WINDOW_S
        while len(self.sent) > 1 and self.sent[0][0] <= since_s:
            self.sent.popleft()
        # A fragment is sent when its audio has ended.
        seconds = sum(min(audio_s, max(at_s - since_s, 0.0)) for at_s, audio_s in self.sent)
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

    def sent(self, stream_id: str, audio_s: float, now_s: float) -> None:
        """A stream sent a fragment; from the first one on it is on air."""
        stream = self._streams.setdefault(stream_id, _Stream(now_s - audio_s))
        stream.sent.append((now_s, audio_s))

    def forget(self, now_s: float) -> None:
        """Streams that send no more are not on air."""
        last = {name: one.sent[-1][0] for name, one in self._streams.items()}
        for name, at_s in last.items():
            if at_s <= now_s - GONE_S:
                del self._streams[name]

    def rates(self, stream_id: str, now_s: float) -> tuple[float, float]:
        """What those before a stream send together, and what it sends, in seconds of audio in a
        second.

        One that is not on air comes last, and is expected to send what the others do.
        """
        before = 0.0
        for name, stream in self._streams.items():
            rate = stream.rate(now_s)
            if name == stream_id:
                return before, rate
            before += rate
        return before, before / len(self._streams) if self._streams else _USUAL
