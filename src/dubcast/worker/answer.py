"""The reply to one call, in one piece or clause by clause, as the service likes. Pure but for the
clock that it is given.

A reply in one piece has until the fragment's first words are due, one that is streamed until its
last clause is; each piece of it is a sign of life.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from dubcast.breaker import FAIR_TIME_S
from dubcast.clock import ns_to_s
from dubcast.contract.stream_reply import MEDIA_TYPE
from dubcast.contract.sts import StsRequest
from dubcast.worker import reply_check
from dubcast.worker.clause_stream import ClauseStream
from dubcast.worker.work import DubReply, StreamEnd, Work

MIN_TIMEOUT_S = 0.2
# When all of a reply is here its body ends at once, or the connection is not used again.
_END_S = 0.1


def last_due_ns(work: Work, stream: ClauseStream) -> int:
    """Until when more of a fragment is of use, by what is known of its clauses."""
    clauses = stream.clauses
    return work.of_use_until_ns(clauses[-1].start_ms) if clauses else work.last_due_ns


class CallAnswer:
    """Of one call. `streams`: whether the endpoint streams, if that is known."""

    def __init__(
        self,
        request: StsRequest,
        work: Work,
        stream: ClauseStream,
        now: Callable[[], int],
        *,
        streams: bool | None,
        timeout_s: float | None,
    ) -> None:
        """`timeout_s`: the longest wait for a reply in one piece, and for each piece of others."""
        self._request = request
        self._work = work
        self._stream = stream
        self._now = now
        self._timeout_s = timeout_s
        self._asks = work.clausewise
        self.streamed = work.clausewise and streams is not False
        self._began_ns = now()
        self._whole = bytearray()
        self._come = stream.come
        self.slowest = 0.0  # the largest share of its time that a part of it took
        stream.connect()

    @property
    def headers(self) -> Mapping[str, str]:
        return {"Accept": f"{MEDIA_TYPE}, application/json"} if self._asks else {}

    @property
    def why_late(self) -> str:
        waited_s = ns_to_s(self._now() - self._began_ns)
        if not self._stream.clauses:
            return f"no reply within {waited_s:.1f} s"
        clauses = f"{self._stream.come} of {len(self._stream.clauses)} clauses"
        return f"{clauses} within {waited_s:.1f} s"

    @property
    def until_ns(self) -> int:
        """Until when more of it is of use, on the monotonic clock."""
        if not self.streamed:
            return self._work.deadline_ns
        return last_due_ns(self._work, self._stream)

    @property
    def lives(self) -> bool:
        return self.streamed

    @property
    def has_ended(self) -> bool:
        return self.streamed and self._stream.done is not None

    def patience_s(self) -> float:
        if self.has_ended:
            return _END_S
        now = self._now()
        left_s = ns_to_s(self.until_ns - now)
        if self._timeout_s is None:
            return left_s
        waited_s = 0.0 if self.streamed else ns_to_s(now - self._began_ns)
        return min(left_s, self._timeout_s - waited_s)

    def begins(self, media_type: str) -> None:
        kind = media_type.partition(";")[0].strip().lower()
        self.streamed = self._asks and kind == MEDIA_TYPE
        if not self.streamed and self._stream.clauses:
            raise reply_check.other_reply("the reply goes on in one piece")

    def feed(self, data: bytes) -> None:
        if not self.streamed:
            self._whole += data
            limit = reply_check.longest_body(self._request)
            if len(self._whole) > limit:
                raise reply_check.invalid_reply(f"the reply is larger than {limit} bytes")
            return
        self._stream.feed(data)
        for clause in self._stream.clauses[self._come : self._stream.come]:
            self._took(self._work.due_ns(clause.start_ms))
        self._come = self._stream.come

    def end(self) -> DubReply | StreamEnd:
        took_s = ns_to_s(self._now() - self._began_ns)
        if not self.streamed:
            response, voice = reply_check.checked(bytes(self._whole), self._request)
            self._took(self._work.deadline_ns)
            return DubReply(response, voice, took_s)
        done, heard = self._stream.end(), self._stream.heard
        if not self._stream.clauses:
            self._took(self._work.deadline_ns)
        return StreamEnd(done, took_s, heard.left_alone if heard else None)

    def _took(self, due_ns: int) -> None:
        """A part is here that was due then."""
        had_s = max(ns_to_s(due_ns - self._began_ns), FAIR_TIME_S)
        self.slowest = max(self.slowest, ns_to_s(self._now() - self._began_ns) / had_s)
