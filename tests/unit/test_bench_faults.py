"""The judge of the faults' bench: known tapes and records give known rows."""

import numpy as np
import pytest

from bench.faults import rows
from bench.faults.rows import Events, Row, tape
from bench.faults.strikes import STRIKES
from dubcast import flv
from dubcast.contract.worker import AsRunEntry, Outcome
from dubcast.measure.flashbeep import SyncPoint

S = 1_000_000_000


def connection(
    start_s: float,
    seconds: float,
    *,
    without_ms: tuple[float, float] = (0, 0),
    step_ms: float = 33.3,
) -> np.ndarray:
    """Rows of both tracks: arrival, kind, DTS. `without_ms`: this DTS range is missing."""
    found = []
    for kind, step in ((flv.VIDEO, step_ms), (flv.AUDIO, 21.3)):
        for dts in np.arange(0, 1000 * seconds, step):
            if not without_ms[0] <= dts < without_ms[1]:
                found.append((round(start_s * S + dts * 1e6), kind, round(dts)))
    return np.array(sorted(found), np.int64)


def test_no_gap_is_none_and_a_hole_is_one_beyond_a_frame() -> None:
    whole = tape([(connection(10, 30), [])])
    assert whole.gap_ms(flv.VIDEO, (12 * S, 38 * S)) == 0
    holed = tape([(connection(10, 30, without_ms=(5000, 5200)), [])])
    assert holed.gap_ms(flv.VIDEO, (12 * S, 38 * S)) == pytest.approx(200, abs=34)
    assert holed.gap_ms(flv.AUDIO, (12 * S, 38 * S)) == pytest.approx(200, abs=22)
    assert holed.gap_ms(flv.VIDEO, (20 * S, 38 * S)) == 0


def test_the_seam_of_the_looped_clip_is_the_source_s_own() -> None:
    source = [flv.Tag(flv.VIDEO, dts, b"") for dts in (0, 33, 67, 115, 148)]
    assert rows.seams_ms(source) == {flv.VIDEO: pytest.approx(48 - 33.5)}
    holed = connection(10, 30, without_ms=(5000, 5030))  # one picture of 33.3 ms
    one_frame = tape([(holed, [])], {flv.VIDEO: 15.0})
    assert one_frame.gap_ms(flv.VIDEO, (12 * S, 38 * S)) == pytest.approx(33, abs=1)
    wider = tape([(holed, [])], {flv.VIDEO: 32.0})
    assert wider.gap_ms(flv.VIDEO, (12 * S, 38 * S)) == 0


def test_a_track_that_ends_is_a_gap() -> None:
    ended = tape([(connection(10, 10), [])])
    assert ended.gap_ms(flv.VIDEO, (12 * S, 30 * S)) >= 9_000
    assert ended.gap_ms(flv.VIDEO, (25 * S, 30 * S)) == 5_000


def test_a_new_connection_is_a_gap_by_what_arrives() -> None:
    killed = tape([(connection(10, 10), []), (connection(22.5, 20), [])])
    assert killed.gap_ms(flv.VIDEO, (15 * S, 40 * S)) == pytest.approx(2500, abs=40)
    assert killed.back_s(20 * S) == pytest.approx(2.5, abs=0.05)
    assert killed.back_s(30 * S) is None
    assert killed.monotone((11 * S, 40 * S))
    back = connection(10, 10)
    back[300:, 2] -= 500
    assert not tape([(back, [])]).monotone((11 * S, 19 * S))


def test_a_stream_is_steady_after_its_last_hole_or_stall() -> None:
    span = (12 * S, 38 * S)
    assert tape([(connection(10, 30), [])]).steady_s(15 * S, span) == 0
    holed = tape([(connection(10, 30, without_ms=(8000, 9000)), [])])
    assert holed.steady_s(15 * S, span) == pytest.approx(4, abs=0.05)
    assert holed.steady_s(20 * S, span) == 0
    assert tape([(connection(10, 10), [])]).steady_s(15 * S, span) == 23  # never again
    late = connection(10, 30)
    late[late[:, 2] > 8000, 0] += 2 * S  # the timestamps go on, the arrivals do not
    stalled = tape([(late, [])])
    assert stalled.gap_ms(flv.VIDEO, span) == 0
    assert stalled.stall_ms(span) == pytest.approx(2020, abs=20)
    assert stalled.steady_s(15 * S, span) == pytest.approx(5, abs=0.05)


def test_an_offset_is_told_where_its_beep_arrived() -> None:
    one = tape([(connection(10, 30), [SyncPoint(3.0, 1.0), SyncPoint(20.0, -25.0)])])
    assert one.av_offset_ms((12 * S, 14 * S)) == 1.0
    assert one.av_offset_ms((29 * S, 31 * S)) == -25.0
    assert one.av_offset_ms((32 * S, 35 * S)) is None


def entry(number: int, outcome: str, air_s: float) -> AsRunEntry:
    return AsRunEntry(
        fragment_id=f"run-{number}",
        sequence_number=number,
        source_start_s=air_s,
        source_end_s=air_s + 2,
        outcome=Outcome(outcome),
        air_ns=round(air_s * S),
    )


def test_fallback_recovery_and_what_is_missing() -> None:
    outcomes = ["dubbed", "dubbed", "failed", "no_speech", "late", "dubbed"]
    entries = [entry(n, outcome, 10.0 + 3 * n) for n, outcome in enumerate(outcomes)]
    events = Events(entries)
    assert events.fallback_onset_ms((12 * S, 40 * S)) == 4000
    assert events.fallback_onset_ms((12 * S, 15 * S)) is None
    assert events.dubbed_again_s(20 * S) == 5
    assert events.dubbed_again_s(30 * S) is None
    assert events.undecided() == 0
    assert Events([*entries[:2], *entries[4:]]).undecided() == 2


def test_a_bar_is_missed_by_more_and_by_nothing_measured() -> None:
    row = Row("x", 0.0, 0.0, recovery_s=5.0, bars={"gap_video_ms": 0, "recovery_s": 4, "calls": 5})
    assert row.missed == ["recovery_s", "calls"]
    row.recovery_s = 3.9
    row.detail["calls"] = 5
    assert row.missed == []
    row.av_offset_after_ms = -25
    row.bars["av_offset_after_ms"] = 20
    assert row.as_dict()["ok"] is False


def test_the_figures_are_those_of_the_rows() -> None:
    found = rows.figures(
        [
            Row("sts_gone", 0.0, 0.0, recovery_s=7.5, detail={"calls": 4}),
            Row("separation_killed", 0.0, 40.0),
            Row("publisher_back", 5000.0, 5000.0, av_offset_after_ms=0.4, restarts=0),
            Row("worker_killed", 3000.0, 3000.0, recovery_s=2.9, restarts=1),
            Row("control", 0.0, 0.0),
        ]
    )
    assert found["sts_fault_gap_max_ms"] == 40
    assert found["calls_to_dead_sts_60s"] == 4
    assert found["sts_back_recovery_s"] == 7.5
    assert found["publisher_back_same_worker"] is True
    assert found["worker_kill_recovery_s"] == 2.9
    assert found["adopt_s"] is None
    assert found["faults_missed"] == 0


def test_rows_measured_anew_take_the_places_of_the_old() -> None:
    old = [Row("a", recovery_s=9, bars={"recovery_s": 5}), Row("b", restarts=0, commit="1")]
    fresh = [Row("a", recovery_s=4, bars={"recovery_s": 5}), Row("c")]
    found = rows.renewed([row.as_dict() for row in old], fresh)
    assert [row.name for row in found] == ["a", "b", "c"]
    assert found[0].recovery_s == 4
    assert found[1] == old[1]


def test_every_fault_of_the_service_and_of_separation_is_allowed_no_gap() -> None:
    for name, strike in STRIKES.items():
        if name.startswith(("sts_", "separation_", "orchestrator_")):
            assert strike.bars["gap_video_ms"] == strike.bars["gap_audio_ms"] == 0, name
