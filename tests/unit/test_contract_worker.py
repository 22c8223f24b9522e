"""The words between a worker and those who read it: names on the wire, and what is tolerated."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from pydantic import ValidationError

from dubcast.contract.worker import (
    AsRunEntry,
    Outcome,
    SpeechAired,
    WorkerState,
    WorkerStatus,
    as_run,
    undubbed_share,
)
from dubcast.demo.page import counted
from dubcast.measure.asrun import speech_seconds
from dubcast.run_result import RunResult

LEFT = Outcome.LEFT_ALONE
ENTRY = AsRunEntry(
    fragment_id="run-3",
    sequence_number=3,
    source_start_s=1.5,
    source_end_s=2.5,
    outcome=Outcome.DUBBED,
    transcript="Olá",
    dub_start_s=1.6,
    dub_end_s=2.7,
)


def test_the_names_of_the_status_are_these() -> None:
    told = WorkerStatus(stream_id="demo", state=WorkerState.LIVE).model_dump(mode="json")
    assert set(told) == {
        *("stream_id", "run_id", "state", "reason", "message", "since_s", "delay_s", "resuming"),
        *(
            "stuck_s",
            "input",
            "output",
            "separation",
            "dubbing",
            "dumps_dropped_samples",
            "fragments",
            "left_alone",
            "speech_s",
            "undubbed_speech_share",
        ),
        *("sts", "longest_fragment_s", "depth", "peak"),
    }
    assert set(told["input"]) == {"sessions", "video", "audio", "placement_error_ms"}
    assert set(told["output"]) == {"restarts", "av_offset_ms", "delivered_s", "b_frames"}
    assert told["state"] == "live"


def test_the_names_of_an_as_run_entry_are_these() -> None:
    assert set(json.loads(ENTRY.model_dump_json())) == {
        *("fragment_id", "sequence_number", "source_start_s", "source_end_s", "outcome"),
        *(
            "reason",
            "fallback",
            "language",
            "transcript",
            "translated_text",
            "tempo",
            "placed_shift_s",
        ),
        *("backlog_s", "dub_start_s", "dub_end_s", "speech_lufs", "dub_lufs", "air_ns"),
        *("stages_ms", "round_trip_ms", "deadline_margin_ms", "on_air"),
        *("clause", "clauses", "beginning", "begins_late_s", "speech_s", "unheard_s"),
    }


def test_a_status_survives_the_wire() -> None:
    status = WorkerStatus(
        stream_id="demo",
        state=WorkerState.LIVE,
        fragments={Outcome.NO_SPEECH: 2},
        depth={"video_units": 3},
        peak={"video_units": 3, "output_s": 0.5},
    )
    wire = status.model_dump_json()
    assert WorkerStatus.model_validate_json(wire) == status
    assert json.loads(wire)["peak"] == {"video_units": 3, "output_s": 0.5}
    assert '"video_units":3,' in wire  # a count stays a whole number


def test_a_newer_worker_may_say_more_but_not_another_state() -> None:
    told = {"stream_id": "demo", "state": "live", "mood": "good"}
    assert WorkerStatus.model_validate(told).state is WorkerState.LIVE
    assert WorkerStatus.read(told) == WorkerStatus.model_validate(told)
    assert WorkerStatus.read({**told, "state": "degraded"}) is None
    assert WorkerStatus.read({}) is WorkerStatus.read(None) is None


@pytest.mark.parametrize("outcome", Outcome)
def test_the_original_is_right_only_where_nothing_is_to_be_dubbed(outcome: Outcome) -> None:
    assert outcome.original_is_right == (outcome in ("no_speech", "left_alone"))


def test_a_log_is_read_line_by_line(tmp_path: Path) -> None:
    lines = ENTRY.model_dump_json() + "\n" + ENTRY.moved(2).model_dump_json() + "\n"
    first, second = as_run(lines)
    assert first == ENTRY
    assert (second.source_start_s, second.source_end_s) == (3.5, 4.5)
    assert second.dub_span_s == (3.6, 4.7)
    assert as_run("") == []
    with pytest.raises(ValidationError):
        as_run('{"fragment_id": "run-4", "seq')


def test_what_has_no_dub_has_none_on_another_timeline_either() -> None:
    bare = ENTRY.model_copy(update={"dub_start_s": None, "dub_end_s": None})
    assert bare.moved(5).dub_span_s is None
    assert bare.moved(5).source_start_s == 6.5


@pytest.mark.parametrize(
    ("outcome", "aired"),
    [
        (outcome, SpeechAired.UNDUBBED)
        for outcome in Outcome
        if outcome not in (Outcome.DUBBED, LEFT)
    ]
    + [(Outcome.DUBBED, SpeechAired.DUBBED), (LEFT, SpeechAired.LEFT_ALONE)],
)
def test_speech_without_a_dub_counts_whatever_the_reason(
    outcome: Outcome, aired: SpeechAired
) -> None:
    assert ENTRY.model_copy(update={"outcome": outcome}).aired is aired


def test_speech_in_which_no_words_were_recognised_has_no_dub() -> None:
    dubbed = ENTRY.model_copy(update={"speech_s": 6.0, "unheard_s": 3.5})
    assert dubbed.aired_s == {SpeechAired.DUBBED: 2.5, SpeechAired.UNDUBBED: 3.5}
    late = dubbed.model_copy(update={"outcome": Outcome.LATE})
    assert late.aired_s == {SpeechAired.UNDUBBED: 6.0}
    assert undubbed_share(speech_seconds([dubbed, late])) == round(9.5 / 12, 4)


def test_the_undubbed_share_is_of_the_speech_that_was_to_be_dubbed() -> None:
    seconds = {SpeechAired.DUBBED: 9.0, SpeechAired.UNDUBBED: 1.0, SpeechAired.LEFT_ALONE: 90.0}
    assert undubbed_share(seconds) == 0.1
    assert undubbed_share({SpeechAired.LEFT_ALONE: 3.0}) is None


def test_a_clause_goes_on_with_the_one_before_if_both_are_dubbed() -> None:
    next_one = ENTRY.model_copy(update={"clause": 1, "clauses": 2})
    assert next_one.goes_on(ENTRY)
    assert not ENTRY.goes_on(None)
    assert not next_one.goes_on(ENTRY.model_copy(update={"fragment_id": "run-2"}))
    assert not next_one.goes_on(ENTRY.model_copy(update={"dub_start_s": None}))
    assert (ENTRY.number, next_one.number) == ("3", "3.2")


def test_the_beginning_of_what_is_dubbed_late_is_nothing_of_its_own() -> None:
    beginning = ENTRY.model_copy(update={"outcome": Outcome.LATE, "beginning": True})
    assert ENTRY.to_be_dubbed
    assert ENTRY.ends_fragment
    assert not beginning.to_be_dubbed
    assert not beginning.ends_fragment
    result = RunResult()
    for entry in (beginning, ENTRY):
        result.fragment(entry)
    assert (result.spoken, result.dubbed) == (1, 1)
    assert counted([beginning, ENTRY]) == "1 of 1 fragments of speech dubbed"
