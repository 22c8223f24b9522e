"""The judge of the soak can tell good from bad, and the schedule is what the seed says."""

from collections import Counter
from pathlib import Path

import numpy as np
import pytest

from bench.soak import judge, short
from bench.soak.faults import FAULTS, schedule
from bench.soak.judge import Part, Seconds
from dubcast.measure.figures import judge as judge_all
from dubcast.measure.flashbeep import SyncPoint
from dubcast.measure.playing import Ends, Played
from dubcast.measure.probe import ProbeReport, Sync, Track
from dubcast.measure.stage import Sample, Usage
from dubcast.measure.timing import track_timing

S = 1_000_000_000


def arrivals(step_s: float, seconds: float, *, without: tuple[float, float] = (0, 0)) -> np.ndarray:
    times = np.arange(0, seconds, step_s)
    times = times[(times < without[0]) | (times >= without[1])]
    return (7 * S + times * S).astype(np.int64)


def test_seconds_without_a_track_are_bad() -> None:
    video, audio = arrivals(1 / 30, 100), arrivals(0.0213, 100, without=(40.2, 43.9))
    found = judge.seconds(video, audio, 107 * S)
    assert found == Seconds(100, (41, 42))
    assert judge.seconds(audio, video, 107 * S) == found
    assert judge.outages(found.bad) == [(41, 2)]


def test_what_is_owed_after_the_last_tag_is_bad() -> None:
    track = arrivals(0.03, 50)
    assert judge.seconds(track, track, 60 * S) == Seconds(53, (50, 51, 52))
    assert judge.seconds(track, track[:0], 60 * S) == Seconds(0, ())


def test_a_slope_needs_time_and_is_seen_through_noise() -> None:
    rng = np.random.default_rng(1)
    at = np.arange(0, 3600, 5.0)
    noise = rng.normal(0, 0.3, len(at))
    flat = list(zip(at, 140 + noise, strict=True))
    grows = list(zip(at, 140 + noise + at / 3600 * 3, strict=True))
    assert judge.slope_mb_per_h(flat[:300]) is None
    assert abs(judge.slope_mb_per_h(flat) or 9) < 0.5
    assert judge.slope_mb_per_h(grows) == pytest.approx(3, abs=0.5)


def test_drift_is_a_minute_against_the_first() -> None:
    still = [SyncPoint(t, 0.5 + t % 2) for t in range(0, 600, 5)]
    assert judge.drift_ms(still) == pytest.approx(0, abs=1.01)
    assert judge.drift_ms([*still, *(SyncPoint(600 + t, 30.5) for t in range(5))]) >= 29
    assert judge.drift_ms([]) is None


def part(**changes: object) -> Part:
    base = Part("c", 1, 10, Seconds(600, ()), Seconds(600, (5, 6)), {"a 1": 0.1}, 1.0, 30, 0, 0)
    return Part.from_dict({**base.as_dict(), **changes})


def verdict(*parts: Part) -> dict[str, bool | None]:
    judged = judge.figures(parts)
    return {one.key: one.ok for one in judge_all(judged, judge.BARS)}


def test_parts_are_judged_together_and_one_bad_part_is_seen() -> None:
    assert set(verdict(part(), part()).values()) <= {True, None}
    whole = judge.figures([part(), part(air={"count": 600, "bad": [3]})])
    assert whole["minutes"] == 20
    assert whole["good_seconds_share"] == pytest.approx(1 - 1 / 1200, abs=1e-6)
    assert whole["struck_longest_outage_s"] == 2
    bad = {
        "good_seconds_share": part(air={"count": 600, "bad": [3]}),
        "rss_slope_mb_per_h_max": part(slopes={"a 1": 0.1, "b 2": 1.5}),
        "av_drift_ms": part(drift_ms=25.0),
        "zombies": part(zombies=1),
        "left_behind": part(left_behind=1),
    }
    for key, one in bad.items():
        assert verdict(part(), one)[key] is False, key


def test_nothing_measured_is_not_met() -> None:
    assert verdict(part(slopes={"a 1": None}))["rss_slope_mb_per_h_max"] is False


def test_the_schedule_has_every_fault_once_before_any_twice() -> None:
    strikes = list(schedule(3, 7200))
    assert strikes == list(schedule(3, 7200)) != list(schedule(4, 7200))
    pauses = np.diff([strike.at_s for strike in strikes])
    assert pauses.min() >= 60
    assert pauses.max() <= 180.1
    first = Counter(strike.name for strike in strikes[: len(FAULTS)])
    assert set(first) == set(FAULTS)


# the short soak


def memory(*sizes: float) -> list[Sample]:
    return [Sample(30.0 * k, 0.0, size) for k, size in enumerate(sizes)]


def test_growth_counts_from_when_memory_has_settled() -> None:
    filling, settled = [50.0 + 2 * k for k in range(10)], [100.0] * 80
    assert short.growth(memory(*filling, *settled)) == 0
    assert short.growth(memory(*filling, *settled, *[110.0] * 30)) == pytest.approx(0.1)
    assert short.growth(memory(*settled[:30])) == 0  # too short to tell


def track(gap_at: int | None = None) -> Track:
    frames = [33.0 * k + (100 if gap_at is not None and k >= gap_at else 0) for k in range(900)]
    timing = track_timing(frames)
    assert timing is not None
    return Track("x", 0.0, 30.0, timing)


def looped(report: ProbeReport, source: ProbeReport, grows: float) -> dict[str, bool | None]:
    samples = {"worker": memory(*[100.0] * 60, *[100.0 + grows] * 40)}
    played = Played(Ends(Path("a"), Path("b")), (), Usage(0.1, 100.0, 0.5, 0.2), samples)
    found = short.figures_of(report, source, played, 30)
    return {one.key: one.ok for one in judge_all(found, short.BARS) if one.bar}


def test_the_short_soak_tells_good_from_bad() -> None:
    points = [SyncPoint(5.0 * k, 0.5) for k in range(120)]
    sync = Sync(points, 0.5, 0.5, 0.0, 120, 120, 0, 0)
    whole = ProbeReport(1800, track(), track(), sync, None)
    assert all(looped(whole, whole, 0).values())
    holed = ProbeReport(1800, track(), track(gap_at=500), sync, None)
    assert looped(holed, whole, 0)["output_gap_added_ms"] is False
    assert looped(holed, holed, 0)["output_gap_added_ms"] is True  # the source's own
    assert looped(whole, whole, 8)["rss_growth_max"] is False
    deaf = ProbeReport(1800, track(), None, None, None)
    missed = looped(deaf, whole, 0)
    assert missed["av_points"] is missed["av_offset_max_abs_ms"] is False
    assert missed["output_gap_added_ms"] is False
