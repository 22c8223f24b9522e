"""Live-paced load: when what is sent, which clauses count, and the search for the most streams."""

from __future__ import annotations

import asyncio

import numpy as np
import pytest
from typer.testing import CliRunner

from dubcast.audio.pcm import RATE
from dubcast.cli.main import application
from dubcast.contract.stream_reply import Clause as ClauseFrame
from dubcast.contract.stream_reply import Failed, Heard, PlannedClause, Translated
from dubcast.contract.sts import ErrorDetail, PcmAudio, StsErrorBody
from dubcast.errors import DubcastError
from dubcast.measure import live_load, live_speech
from dubcast.measure.live_load import (
    Answered,
    Clause,
    Level,
    Piece,
    Programme,
    Sending,
    sendings,
)
from dubcast.measure.live_streams import Frames, Target, probed
from dubcast.small_http import Reply, SmallServer

SOUND = np.zeros(10 * RATE, dtype="<i2")


@pytest.fixture
def known() -> Programme:
    """Ten seconds: speech from 1 s to 3 s and from 5 s to 9 s."""
    return live_load.programme(SOUND, [(RATE, 3 * RATE), (5 * RATE, 9 * RATE)])


def test_a_programme_knows_its_fragments_and_their_room(known: Programme) -> None:
    assert [(one.start_s, one.stop_s, one.slot_s) for one in known.pieces] == [
        (1.0, 3.0, 4.0),
        (5.0, 9.0, 5.0),
    ]
    assert known.pieces[0].audio.duration_ms == 2000
    assert (known.seconds, known.speech_s) == (10.0, 6.0)


def test_a_fragment_is_sent_when_it_has_been_said_over_and_over(known: Programme) -> None:
    found = sendings(known, 1, 20.0)
    assert [(one.index, one.start_s, one.stop_s) for one in found] == [
        (0, 1.0, 3.0),
        (1, 5.0, 9.0),
        (0, 11.0, 13.0),
        (1, 15.0, 19.0),
    ]
    assert [one.number for one in found] == [0, 1, 2, 3]


def test_streams_do_not_speak_in_chorus(known: Programme) -> None:
    found = sendings(known, 2, 10.0)
    # The second stream begins in the middle of the programme, and not inside a fragment.
    assert [(one.stream, one.index, one.stop_s) for one in found] == [
        (0, 0, 3.0),
        (1, 1, 4.0),
        (1, 0, 8.0),
        (0, 1, 9.0),
    ]


def test_a_clause_is_due_with_its_words() -> None:
    sending = Sending(0, 0, 0, start_s=10.0, stop_s=16.0)
    # Due at 10 + 8 - 0.2, and at 4 s after that.
    clauses = (Clause(17.7, 0.0), Clause(21.7, 4.0), Clause(21.9, 4.0))
    assert Answered(sending, 16.0, 22.0, clauses).in_time(8.0) == 2


def _answered(stream: int, clauses: int, came_s: float, error: str | None = None) -> Answered:
    sending = Sending(stream, 0, 0, 0.0, 4.0)
    return Answered(sending, 4.0, came_s, (Clause(came_s, 0.0),) * clauses, error)


def test_what_failed_counts_as_many_clauses_as_elsewhere() -> None:
    found = live_load.level(
        3,
        10.0,
        8.0,
        [
            _answered(0, 3, 5.0),
            _answered(1, 0, 4.02, "OVERLOADED"),
            _answered(2, 1, 5.5, "MODEL_ERROR"),  # one of three had come
        ],
    )
    assert (found.clauses, found.in_time) == (9, 4)
    assert (found.failed, found.refused, found.refusal_ms) == (2, 1, 20.0)
    assert found.first_clause_ms == 1250.0
    assert found.errors == {"OVERLOADED": 1, "MODEL_ERROR": 1}
    assert found.goodput == 0.4
    assert found.as_json()["share"] == 0.4444
    assert not found.carried


def test_of_nothing_nothing_is_in_time() -> None:
    assert live_load.level(1, 10.0, 8.0, []).share == 0.0


def test_whole_replies_are_due_with_their_first_words(known: Programme) -> None:
    piece = known.pieces[1]
    assert live_load.timeout_s(piece, 8.0, streamed=True) == pytest.approx(6.8)
    assert live_load.timeout_s(piece, 8.0, streamed=False) == pytest.approx(3.8)
    assert live_load.timeout_s(piece, 1.0, streamed=False) == 0.2


@pytest.mark.parametrize("limit", [1, 2, 5, 8, 13])
def test_the_most_streams_are_found(limit: int) -> None:
    for carried in range(limit + 2):
        asked = []

        async def measure(streams: int, carried: int = carried, asked: list = asked) -> Level:
            asked.append(streams)
            good = 100 if streams <= carried else 90
            return Level(streams, 1.0, 100, good, 0, 0, None, None)

        most, levels = asyncio.run(live_load.most(limit, measure))
        assert most == min(carried, limit)
        assert [one.streams for one in levels] == sorted(asked)
        assert len(set(asked)) == len(asked)
        assert max(asked) <= limit


def test_frames_become_clauses_with_the_time_of_their_words() -> None:
    frames = Frames()
    heard = Heard(fragment_id="a", detected_language="en", speech_start_ms=200)
    planned = (
        PlannedClause(index=0, text="um", source_start_ms=300),
        PlannedClause(index=1, text="dois"),
    )
    first, second, silent = (
        ClauseFrame(index=i, text="x", natural_ms=ms, pause_ms=0, sample_rate_hz=8000)
        for i, ms in ((0, 100), (1, 100), (2, 0))
    )
    assert frames.clause(heard, b"", 1.0) == []
    assert frames.clause(Translated(translated_text="x", clauses=planned), b"", 1.0) == []
    assert frames.clause(first, b"ab", 1.5) == [Clause(1.5, 0.3)]
    assert frames.clause(second, b"ab", 2.0) == [Clause(2.0, 0.2)]  # unknown: the speech's begin
    assert frames.clause(silent, b"", 2.5) == []
    assert frames.error is None
    frames.clause(
        Failed(error=ErrorDetail(code="TIMEOUT", message="late", retryable=True)), b"", 3.0
    )
    assert (frames.error, frames.message) == ("TIMEOUT", "late")


async def test_a_service_that_does_not_dub_is_told_with_its_words() -> None:
    refusal = StsErrorBody(
        error=ErrorDetail(code="INVALID_INPUT", message="cannot dub 'en'", retryable=False)
    )
    body = refusal.model_dump_json().encode()
    server = SmallServer("sts", "127.0.0.1", 0, {"POST": lambda *_: Reply(400, body)})
    server.start()
    sound = PcmAudio(sample_rate_hz=8000, channels=1, duration_ms=100, data=bytes(1600))
    known = Programme((Piece(0.0, 0.1, 0.1, sound),), 0.1)
    try:
        with pytest.raises(DubcastError, match=r"dub: INVALID_INPUT: cannot dub 'en'$"):
            await probed(Target(f"http://127.0.0.1:{server.port}"), known)
    finally:
        server.close()


def test_the_address_of_a_service_is_one() -> None:
    result = CliRunner().invoke(application(), ["bench", "sts", "--url", "10.0.0.7:8000"])
    assert "sts.url = '10.0.0.7:8000': must start with http://" in str(result.exception)


def test_short_fragments_go_together_as_far_as_they_may() -> None:
    spans = [(0, 30), (33, 60), (63, 80), (100, 110), (113, 230)]
    assert live_speech.joined(spans, 70, 5) == [(0, 60), (63, 80), (100, 110), (113, 230)]
    assert live_speech.joined(spans, 70, 20) == [(0, 60), (63, 110), (113, 230)]
    assert live_speech.joined([], 70, 5) == []
