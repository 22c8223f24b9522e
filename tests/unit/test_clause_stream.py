"""A streamed reply as the worker takes it: checked, handed on once, over one connection or two."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest

from dubcast.audio.pcm import RATE
from dubcast.contract.stream_reply import Clause, Done, Heard, Translated, encode
from dubcast.contract.sts import StageTimes, StsRequest, WordTime
from dubcast.errors import StsError
from dubcast.testing.sts_server import tone
from dubcast.testing.sts_streams import Pieces, Says, failing, frames
from dubcast.worker.clause_stream import MOST_CLAUSES, ClauseStream, announced
from dubcast.worker.work import Progress, SpokenClause
from worker_fakes import RAW, REQUEST

TWO = (
    Says("um dois", 1.0, (100, 1500), "one two"),
    Says("três", 0.8, (1500, 3900), "three"),
)


def wire(pieces: Pieces) -> bytes:
    return b"".join(encode(frame, pcm) for frame, pcm in pieces)


class Listening:
    """A stream, and what it has handed on."""

    def __init__(self, request: StsRequest = REQUEST) -> None:
        self.told: list[Progress] = []
        self.stream = ClauseStream(request, self.told.append)

    def feed(self, pieces: Pieces) -> None:
        self.stream.feed(wire(pieces))

    @property
    def kinds(self) -> list[str]:
        return [
            str(one.index) if isinstance(one, SpokenClause) else type(one).__name__
            for one in self.told
        ]


WHOLE = ["Heard", "tuple", "0", "1"]


@pytest.mark.parametrize("step", [1000, 100_000])
def test_a_reply_is_handed_on_as_it_comes(step: int) -> None:
    one, data = Listening(), wire(frames(RAW, TWO))
    for at in range(0, len(data), step):
        one.stream.feed(data[at : at + step])
    assert one.kinds == WHOLE
    assert one.stream.end().status == "success"
    clauses = one.told[1]
    assert isinstance(clauses, tuple)
    assert [(c.text, c.source_text, c.start_ms, c.stop_ms) for c in clauses] == [
        ("um dois", "one two", 100, 1500),
        ("três", "three", 1500, 3900),
    ]
    spoken = one.told[2]
    assert isinstance(spoken, SpokenClause)
    assert len(spoken.voice) == RATE
    assert spoken.voice.dtype == np.float32


@pytest.mark.parametrize("broken_after", range(5))
def test_a_second_connection_goes_on_where_the_first_was(broken_after: int) -> None:
    one, pieces = Listening(), frames(RAW, TWO)
    one.feed(pieces[:broken_after])
    one.stream.feed(wire(pieces)[:5])  # in the middle of a frame
    with pytest.raises(StsError, match="broke off") as caught:
        one.stream.end()
    assert caught.value.retryable
    one.stream.connect()
    one.feed(pieces)
    assert one.kinds == WHOLE
    assert one.stream.end().status == "success"


def test_a_second_connection_with_another_translation_is_refused() -> None:
    one = Listening()
    one.feed(frames(RAW, TWO)[:3])
    one.stream.connect()
    with pytest.raises(StsError, match="another translation"):
        one.feed(frames(RAW, [Says("outra coisa"), TWO[1]]))
    assert one.kinds == WHOLE[:3]


def test_a_service_that_fails_in_the_middle_keeps_what_it_said() -> None:
    one = Listening()
    data = b"".join(piece for _, piece in failing(RAW, TWO, "MODEL_ERROR", after=1).pieces)
    with pytest.raises(StsError) as caught:
        one.stream.feed(data)
    assert (caught.value.code, caught.value.retryable) == ("MODEL_ERROR", False)
    assert one.kinds == WHOLE[:3]


def test_what_came_in_one_piece_with_something_bad_is_not_lost() -> None:
    one = Listening()
    with pytest.raises(StsError) as caught:
        one.stream.feed(wire(frames(RAW, TWO)[:3]) + b"\xff" * 8)
    assert caught.value.code == "INVALID_REPLY"
    assert one.kinds == WHOLE[:3]


def test_where_nobody_spoke_nothing_is_announced() -> None:
    one = Listening()
    one.feed(frames(RAW, ()))
    assert one.kinds == ["Heard"]
    assert one.stream.end().status == "no_speech"


def test_a_clause_that_cannot_be_spoken_has_no_sound() -> None:
    one = Listening()
    one.feed(frames(RAW, [TWO[0], Says("—", 0.0)]))
    spoken = one.told[3]
    assert isinstance(spoken, SpokenClause)
    assert len(spoken.voice) == 0


def changed(pieces: Pieces, index: int, **changes: Any) -> Pieces:
    frame, pcm = pieces[index]
    return [*pieces[:index], (frame.model_copy(update=changes), pcm), *pieces[index + 1 :]]


def bad(name: str) -> Pieces:
    good = frames(RAW, TWO)
    many = [Says("a", 0.1)] * (MOST_CLAUSES + 1)
    return {
        "another": changed(good, 0, fragment_id="run-8"),
        "long text": changed(good, 0, transcript="word " * 3000),
        "many": frames(RAW, many)[:2],
        "order": changed(good, 1, clauses=good[1][0].clauses[::-1]),  # type: ignore[union-attr]
        "unannounced": changed(good, 1, clauses=good[1][0].clauses[:1]),  # type: ignore[union-attr]
        "rate": changed(good, 2, sample_rate_hz=24_000),
        "silent": [*good[:2], (good[2][0], bytes(2 * RATE))],
        "clipped": [*good[:2], (good[2][0], b"\xff\x7f" * RATE)],
        "short": frames(RAW, [Says("far too many words for this " * 2, 0.3)]),
        "long": frames(RAW, [Says("um", 14.0)]),
        "long together": frames(RAW, [Says("um", 7.0), Says("dois", 7.0)]),
        "infinite": changed(good, 2, tempo=math.inf),
        "missing": [*good[:3], good[4]],
        "no speech": changed(good, 4, status="no_speech"),
        "no number": changed(good, 4, stages_ms=StageTimes.model_construct(asr=math.inf)),
    }[name]


@pytest.mark.parametrize(
    "name",
    [
        *("another", "long text", "many", "order", "unannounced", "rate", "silent", "clipped"),
        *("short", "long", "long together", "infinite", "missing", "no speech", "no number"),
    ],
)
def test_what_is_no_dub_of_this_fragment_is_an_error(name: str) -> None:
    one = Listening()
    with pytest.raises(StsError) as caught:
        one.feed(bad(name))
    assert caught.value.code == "INVALID_REPLY"


@pytest.mark.parametrize("data", [b"<html>" * 20, bytes(64), b"\xff" * 64])
def test_what_is_no_stream_is_an_error(data: bytes) -> None:
    with pytest.raises(StsError) as caught:
        Listening().stream.feed(data)
    assert caught.value.code == "INVALID_REPLY"


HEARD = Heard(fragment_id="run-7", detected_language="en", speech_start_ms=1000, speech_end_ms=3000)


@pytest.mark.parametrize(
    ("said", "heard"),
    [
        (((0, 500), (600, 900)), ((0, 500), (600, 900))),
        (((0, 2000), (2100, 3000), (2400, 2900)), ((0, 2000), (2100, 2400), (2400, 2900))),
        (((600, 900), (0, 500)), ((600, 600), (600, 600))),
        (((500, 400),), ((500, 500),)),
        (((100, 500), (600, 60_000)), ((100, 500), (600, 4000))),
        (((100, 60_000), (600, 900), (9000, 9500)), ((100, 600), (600, 900), (4000, 4000))),
    ],
)
def test_words_are_one_after_the_other_and_within_what_was_sent(
    said: Sequence[tuple[int, int]], heard: Sequence[tuple[int, int]]
) -> None:
    one = Listening()
    words = tuple(WordTime(text="w", start_ms=start, end_ms=end) for start, end in said)
    one.feed([(HEARD.model_copy(update={"words": words}), b"")])
    (told,) = one.told
    assert isinstance(told, Heard)
    assert tuple((word.start_ms, word.end_ms) for word in told.words) == heard


def test_words_may_be_of_what_follows_the_fragment_in_what_was_sent() -> None:
    config = REQUEST.config.model_copy(update={"after_ms": 1000})
    one = Listening(REQUEST.model_copy(update={"config": config}))
    words = (
        WordTime(text="w", start_ms=2900, end_ms=3500),
        WordTime(text="w", start_ms=3600, end_ms=9000),
    )
    one.feed([(HEARD.model_copy(update={"words": words}), b"")])
    (told,) = one.told
    assert isinstance(told, Heard)
    assert [word.end_ms for word in told.words] == [3500, 4000]


def sources(spans: Sequence[tuple[int, int] | None]) -> list[tuple[int, int]]:
    texts = ("a" * 10, "b" * 30)
    says = [Says(text, 1.0, span) for text, span in zip(texts, spans, strict=True)]
    (_, _), (translated, _), *_ = frames(RAW, says)
    assert isinstance(translated, Translated)
    found = announced(translated.clauses, HEARD, 4000)
    return [(one.start_ms, one.stop_ms) for one in found]


def test_sources_are_taken_as_they_are_told_or_by_the_length_of_the_texts() -> None:
    told = [(1000, 2500), (2500, 3000)]
    assert sources(told) == told
    shares = [(1000, 1500), (1500, 3000)]
    assert sources([None, None]) == shares
    assert sources([told[0], None]) == shares
    assert sources([(1000, 2400), told[1]]) == shares  # not joined
    assert sources([(1000, 900), (900, 3000)]) == shares  # backwards
    assert sources([(1000, 2500), (2500, 4100)]) == [(1000, 2500), (2500, 4000)]


def test_a_clause_and_an_end_are_frames_of_the_contract() -> None:
    kinds = [type(frame) for frame, _ in frames(RAW, TWO)]
    assert kinds == [Heard, Translated, Clause, Clause, Done]
    assert frames(RAW, TWO)[2][1] == tone(1.0, RATE)
