"""Clock, log redaction, identity, state table, budget, as-run log, status window."""

from __future__ import annotations

import json
import random
import stat
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest
import structlog

from dubcast import log
from dubcast.audio.fragmenter import Span
from dubcast.config import LogSettings
from dubcast.contract.ids import is_stream_id, stream_id_of_ingest
from dubcast.log import redact_url
from dubcast.metrics import WorkerMetrics
from dubcast.statusd import StatusServer
from dubcast.testing.clock import VirtualClock
from dubcast.worker import asrun
from dubcast.worker.budget import LONGEST_S, MIX_LEAD_S, SHORTEST_S, FragmentBudget
from dubcast.worker.fragments import Fragment, Outcome
from dubcast.worker.state import WorkerState, next_state


def test_the_virtual_clock_never_goes_back() -> None:
    clock = VirtualClock()
    clock.advance(1.5)
    assert clock.monotonic_ns() == 1_500_000_000
    with pytest.raises(ValueError, match="cannot go back"):
        clock.advance(-1)


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("rtmp://a.example/live2/abcd-key", "rtmp://a.example/live2/***"),
        ("rtmps://user:pw@a.example:443/x/key?s=1", "rtmps://a.example:443/x/***"),
        ("rtmp://127.0.0.1:1935/live/demo/in?key=canary", "rtmp://127.0.0.1:1935/live/demo/in"),
        ("http://127.0.0.1:8000/x?token=canary", "http://127.0.0.1:8000/x"),
        ("/plain/path.flv", "/plain/path.flv"),
    ],
)
def test_urls_lose_what_may_be_a_secret(url: str, shown: str) -> None:
    assert redact_url(url) == shown


@pytest.fixture
def own_log(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr(log, "_BASE", {})
    yield
    structlog.reset_defaults()


@pytest.mark.usefixtures("own_log")
def test_a_key_amid_words_is_not_logged(capsys: pytest.CaptureFixture[str]) -> None:
    log.setup(LogSettings(format="json"), "worker")
    said = (
        "rtmp2sink0: cannot connect to rtmp://live.example/app/SECRET: refused (rtmp://[x/SECRET)"
    )
    log.get("input").warning("output lost", reason=said, url="rtmp://live.example/app/SECRET")
    line = json.loads(capsys.readouterr().err)
    assert "SECRET" not in json.dumps(line)
    assert "cannot connect to rtmp://live.example/app/***" in line["reason"]
    assert line["url"] == "rtmp://live.example/app/***"


@pytest.mark.parametrize("good", ["a", "demo", "a-b_c9", "0" * 64])
def test_good_stream_ids(good: str) -> None:
    assert is_stream_id(good)
    assert stream_id_of_ingest(f"live/{good}/in") == good


@pytest.mark.parametrize("bad", ["", "A", "-a", "a/b", "a b", "a\n", "é", "0" * 65, ".."])
def test_bad_stream_ids(bad: str) -> None:
    assert not is_stream_id(bad)
    assert stream_id_of_ingest(f"live/{bad}/in") is None


def test_final_states_stay_and_unlisted_pairs_are_errors() -> None:
    assert next_state(WorkerState.LIVE, "refuse") is WorkerState.REFUSED
    assert next_state(WorkerState.REFUSED, "input_up") is WorkerState.REFUSED
    assert next_state(WorkerState.LIVE, "stop") is WorkerState.STOPPED
    with pytest.raises(ValueError, match="input_up in live"):
        next_state(WorkerState.LIVE, "input_up")


def fed(delay_s: float, base_s: float, slope: float, count: int = 40) -> FragmentBudget:
    """A budget after `count` fragments of a service with this cost, as long as it allowed."""
    budget, rng = FragmentBudget(delay_s), random.Random(1)
    for _ in range(count):
        length = min(rng.uniform(1.0, 8.0), budget.longest_s)
        budget.record(length, base_s + slope * length)
    return budget


@pytest.mark.parametrize("delay_s", [5, 8, 15])
@pytest.mark.parametrize(("base_s", "slope"), [(0.2, 0.05), (0.6, 0.6), (1.2, 0.4), (0.3, 1.2)])
def test_the_longest_fragment_meets_its_deadline_and_wastes_little(
    delay_s: float, base_s: float, slope: float
) -> None:
    longest = fed(delay_s, base_s, slope).longest_s
    room = delay_s - MIX_LEAD_S
    shortest = min(SHORTEST_S, 0.4 * room)
    best = min(max((room - base_s) / (1 + slope), shortest), LONGEST_S)
    assert longest <= best + 0.05
    assert longest >= best - 0.7


def test_a_slow_service_gets_shorter_fragments() -> None:
    assert fed(8, 0.3, 1.5).longest_s < fed(8, 0.3, 0.5).longest_s < fed(8, 0.2, 0.05).longest_s


def test_short_fragments_do_not_make_the_limit_shorter_and_shorter() -> None:
    """Each costs a second whatever its length: a ratio would take that for slowness."""
    budget = FragmentBudget(8)
    for _ in range(40):
        budget.record(1.2, 1.0 + 0.5 * 1.2)
    assert budget.longest_s > 3.5


def test_one_slow_reply_does_not_cut_the_fragments_short_for_ever() -> None:
    budget = fed(8, 0.3, 0.3)
    before = budget.longest_s
    budget.record(3, 7.0)
    for _ in range(40):
        budget.record(random.Random(2).uniform(1, before), 1.0)
    assert budget.longest_s >= before - 0.7


def test_a_timeout_shortens_the_next_fragments() -> None:
    budget = FragmentBudget(8)
    before = budget.longest_s
    budget.record(before, 5.0)
    assert budget.longest_s < before - 0.5


def test_an_overloaded_service_is_not_sent_ever_more_and_shorter_fragments() -> None:
    budget = FragmentBudget(8)
    for _ in range(20):
        budget.record(2.0, 9.0)
    assert budget.longest_s == SHORTEST_S
    assert FragmentBudget(3).longest_s < 1.5  # but a short delay leaves no choice


def test_a_set_maximum_is_kept() -> None:
    assert FragmentBudget(15, fixed_s=2.0).longest_s == 2.0


def test_the_as_run_log_is_private_and_one_object_a_line(tmp_path: Path) -> None:
    log = asrun.AsRunLog(tmp_path / "asrun", "demo")
    fragment = Fragment(3, "run-3", Span(48_000, 96_000, 52_800, 100_000))
    fragment.outcome, fragment.transcript = Outcome.LATE, "Olá"
    log.write(asrun.record(fragment))
    log.write(asrun.record(fragment))
    log.close()
    lines = log.path.read_text(encoding="utf-8").splitlines()
    assert [json.loads(line)["sequence_number"] for line in lines] == [3, 3]
    assert json.loads(lines[0])["source_start_s"] == 1.1
    assert "Olá" in lines[0]
    assert stat.S_IMODE(log.path.stat().st_mode) == 0o600


def test_the_as_run_log_says_how_a_dub_was_placed() -> None:
    fragment = Fragment(3, "run-3", Span(48_000, 96_000, 52_800, 100_000))
    fragment.hear(200, 900)
    fragment.tempo, fragment.shift, fragment.backlog = 1.123456, 4800, 24_000
    entry = asrun.record(fragment)
    assert (entry["source_start_s"], entry["source_end_s"]) == (1.2, 1.9)
    assert (entry["tempo"], entry["placed_shift_s"], entry["backlog_s"]) == (1.1235, 0.1, 0.5)
    assert asrun.record(Fragment(4, "run-4", fragment.span))["backlog_s"] is None


def test_the_status_window_answers_and_closes_twice() -> None:
    metrics = WorkerMetrics("demo")
    metrics.up.labels("demo").set(1)
    window = StatusServer("127.0.0.1", 0, lambda: {"state": "live"}, metrics.registry)
    window.start()
    base = f"http://127.0.0.1:{window.port}"
    with urllib.request.urlopen(f"{base}/status", timeout=5) as reply:
        assert json.load(reply) == {"state": "live"}
    with urllib.request.urlopen(f"{base}/metrics", timeout=5) as reply:
        assert b'dubcast_stream_up{stream="demo"} 1.0' in reply.read()
    window.close()
    window.close()
