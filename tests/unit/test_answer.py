"""The reply to one call: how long it had, and how long more of it is waited for."""

from __future__ import annotations

import random
from dataclasses import dataclass, field

import pytest

from dubcast.breaker import Verdict
from dubcast.clock import NS_PER_S
from dubcast.config import StreamSettings, StsClientSettings
from dubcast.contract.stream_reply import MEDIA_TYPE, encode
from dubcast.errors import StsError
from dubcast.testing import virtual_loop
from dubcast.testing.clock import VirtualClock
from dubcast.testing.sts_streams import Pieces, Says, frames
from dubcast.testing.virtual_loop import VirtualLoop
from dubcast.worker.answer import CallAnswer
from dubcast.worker.clause_stream import ClauseStream
from dubcast.worker.endpoint import Endpoint
from dubcast.worker.retries import RetryBudget
from dubcast.worker.sts_client import StsClient
from worker_fakes import RAW, REQUEST, work

WHOLE = frames(RAW, (Says("um dois", 1.0, (0, 3900), "one two"),))


@dataclass
class Called:
    """A call whose first words were due so long after it was sent; a streamed reply comes."""

    due_s: float
    clock: VirtualClock = field(default_factory=VirtualClock)

    def __post_init__(self) -> None:
        stream = ClauseStream(REQUEST, lambda progress: None)
        asked = work(round(self.due_s * NS_PER_S), clausewise=True)
        now = self.clock.monotonic_ns
        self.answer = CallAnswer(REQUEST, asked, stream, now, streams=None, timeout_s=None)
        self.answer.begins(MEDIA_TYPE)

    def comes(self, pieces: Pieces) -> None:
        self.answer.feed(b"".join(encode(frame, pcm) for frame, pcm in pieces))


@pytest.mark.parametrize(
    ("due_s", "took_s", "slowest"), [(4.0, 1.0, 0.25), (1.0, 0.99, 0.99), (0.3, 0.5, 0.5)]
)
def test_how_slow_it_was_is_by_the_time_it_had_or_should_have_had(
    due_s: float, took_s: float, slowest: float
) -> None:
    """That a fragment had waited here is no fault of the service."""
    one = Called(due_s)
    one.clock.advance(took_s)
    one.comes(WHOLE)
    assert one.answer.slowest == pytest.approx(slowest)


def test_the_end_of_a_body_is_hardly_waited_for_once_all_of_the_reply_is_here() -> None:
    one = Called(4.0)
    one.comes(WHOLE[:-1])
    assert not one.answer.has_ended
    assert one.answer.patience_s() > 3
    one.comes(WHOLE[-1:])
    assert one.answer.has_ended
    assert one.answer.patience_s() < 0.5
    assert one.answer.end() is not None


def test_what_goes_on_with_other_words_says_nothing_about_who_was_asked_last() -> None:
    """The fault is of the endpoint that broke off; the spare is well."""
    one = Called(4.0)
    one.comes(WHOLE[:3])
    again = CallAnswer(
        *(REQUEST, one.answer._work, one.answer._stream, one.clock.monotonic_ns),
        streams=None,
        timeout_s=None,
    )
    with pytest.raises(StsError) as in_one_piece:
        again.begins("application/json")
    again.begins(MEDIA_TYPE)
    other = frames(RAW, (Says("outra coisa", 1.0, (0, 3900), "one two"),))
    with pytest.raises(StsError) as in_other_words:
        again.feed(b"".join(encode(frame, pcm) for frame, pcm in other))
    settings = StsClientSettings.model_validate({"url": "http://127.0.0.1:9"})
    spare = Endpoint(settings.url, settings, {}, one.clock.monotonic_ns, random.Random(1))
    for caught in (in_one_piece, in_other_words):
        assert caught.value.code == "OTHER_REPLY"
        assert spare.verdict(caught.value, 4.0) is Verdict.OURS


def test_a_fragment_that_cannot_be_asked_for_is_an_error_like_any_other() -> None:
    loop = VirtualLoop()
    settings = StsClientSettings.model_validate({"url": "http://127.0.0.1:9"})
    client = StsClient(settings, "demo", StreamSettings(), loop.monotonic_ns, budget=RetryBudget())

    async def main() -> None:
        with pytest.raises(StsError, match="fragment_id") as caught:
            await client.dub(work(4 * NS_PER_S, fragment_id="of no use"))
        assert (caught.value.code, caught.value.retryable) == ("INVALID_INPUT", False)
        await client.close()

    virtual_loop.run(main(), loop)
