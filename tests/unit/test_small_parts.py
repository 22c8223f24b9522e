"""Clock, log redaction, identity, status window."""

from __future__ import annotations

import json
import urllib.request
from collections.abc import Iterator

import pytest
import structlog

from dubcast import log
from dubcast.config import LogSettings
from dubcast.contract.ids import (
    ingest_path_fault,
    is_output_path,
    is_stream_id,
    stream_id_of_ingest,
)
from dubcast.log import redact_url
from dubcast.metrics import WorkerMetrics
from dubcast.statusd import StatusServer
from dubcast.testing.clock import VirtualClock


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


@pytest.mark.parametrize(
    ("path", "rule"),
    [
        ("live/MyShow/in", "no capital letters"),
        ("live/show", "the id and /in are missing"),
        ("live", "the id and /in are missing"),
        ("", "the first part is live"),
        ("app/show/in", "the first part is live"),
        ("live/programação/in", "without accents"),
        ("live//show/in", "a slash too many"),
        ("live/show/in/", "a slash too many"),
        ("/live/show/in", "a slash too many"),
        ("live/sh.ow/in", "a-z, 0-9, - and _"),
        ("live/my show/in", "a-z, 0-9, - and _"),
        ("live/-show/in", "begins with a letter or a digit"),
        (f"live/{'a' * 65}/in", "at most 64"),
        ("live/show/out", "out is where the dubbed stream comes out"),
        ("live/show/in/1", "more than that"),
        ("live/show/In", "/in"),
        ("live/show/in\n", "/in"),
    ],
)
def test_a_path_that_cannot_be_published_to_says_which_rule_it_breaks(path: str, rule: str) -> None:
    fault = ingest_path_fault(path)
    assert fault is not None
    assert fault.startswith("publish to live/<id>/in: ")
    assert rule in fault


def test_a_good_path_breaks_no_rule() -> None:
    assert ingest_path_fault("live/my-show_2/in") is None
    assert is_output_path("live/a/out")
    assert is_output_path("live/a/out-pt-BR")
    for path in ("live/A/out", "live/a/out-", "live/a/output", "live/a/in", "live/a/out/x"):
        assert not is_output_path(path)
