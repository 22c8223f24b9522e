"""`dubcast bench sts` against services that answer as they are told."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from typer.testing import CliRunner

from dubcast.audio.pcm import RATE
from dubcast.cli.main import application
from dubcast.measure import live_load, live_streams, speech_models
from dubcast.testing.media import write_wav
from dubcast.testing.sts_server import Reply, ScriptedSts, refusal, success


@pytest.fixture
def spoken(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A sound of 2 s that is taken for a second of speech."""
    file = tmp_path / "spoken.wav"
    write_wav(file, np.zeros((2 * RATE, 1), np.float32), RATE)
    monkeypatch.setattr(speech_models, "speech_spans", lambda *_: [(RATE // 2, 3 * RATE // 2)])
    return file


def _bench(url: str, spoken: Path, *more: str) -> tuple[int, dict[str, Any]]:
    words = ["bench", "sts", "--url", url, "--audio", str(spoken), "--seconds", "5", "--json"]
    result = CliRunner().invoke(application("bench"), [*words, *more])
    assert result.stdout, result.exception
    return result.exit_code, json.loads(result.stdout)


def test_a_quick_service_carries_all_that_are_tried(spoken: Path) -> None:
    with ScriptedSts(lambda request, _: success(request)) as service:
        code, told = _bench(service.url, spoken, "--streams", "2")
    assert (code, told["streams"], told["streamed"]) == (0, 2, False)
    first, second = told["levels"]
    assert (first["clauses"], second["clauses"], second["in_time"]) == (2, 4, 4)
    # Whole replies: all is due with the first word, a second after which the fragment is sent.
    assert {one["timeout_ms"] for one in service.requests[1:]} == {6800}


def test_a_service_that_refuses_carries_none(spoken: Path) -> None:
    def script(request: Mapping[str, Any], call: int) -> Reply:
        overloaded = refusal(503, "OVERLOADED", retryable=True)
        return overloaded if call else success(request)

    with ScriptedSts(script) as service:
        code, told = _bench(service.url, spoken)
    assert (code, told["streams"]) == (1, 0)
    assert told["levels"][0]["refused"] == 2
    assert told["levels"][0]["refusal_ms"] < 1000


def test_a_service_that_is_late_carries_none(spoken: Path) -> None:
    def late(request: Mapping[str, Any], _: int) -> Reply:
        return replace(success(request), wait_s=0.6)

    with ScriptedSts(late) as service:
        code, told = _bench(service.url, spoken, "--delay", "1.5")
    assert (code, told["streams"]) == (1, 0)
    assert told["levels"][0]["failed"] == 0


def test_without_a_service_it_says_so(spoken: Path) -> None:
    words = ["bench", "sts", "--url", "http://127.0.0.1:9", "--audio", str(spoken)]
    result = CliRunner().invoke(application("bench"), words)
    assert "does not dub: ConnectError" in str(result.exception)


def test_what_is_refused_is_asked_again_where_only_the_cost_counts(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(live_streams, "_BETWEEN_S", 0.0)
    known = live_load.programme(np.zeros(RATE, "<i2"), [(0, RATE // 2), (RATE // 2, RATE)])

    def script(request: Mapping[str, Any], call: int) -> Reply:
        overloaded = refusal(503, "OVERLOADED", retryable=True)
        return success(request) if call % 3 == 2 else overloaded

    with ScriptedSts(script) as service:
        answers = asyncio.run(live_streams.one_by_one(live_streams.Target(service.url), known))
    assert [(one.error, len(one.clauses)) for one in answers] == [(None, 1), (None, 1)]
    assert len(service.requests) == 6
