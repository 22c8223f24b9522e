"""The language of a stream goes along with its fragments, where it is to be heard."""

from __future__ import annotations

import time
from typing import Any

import pytest

from dubcast.config import StreamSettings, StsClientSettings
from dubcast.testing.sts_server import Reply, ScriptedSts, success
from dubcast.worker.retries import RetryBudget
from dubcast.worker.sts_client import StsClient
from worker_fakes import work

S = 1_000_000_000
HEARD = {"detected_language": "es", "language_probability": 0.9}
SPEECH = {"speech_start_ms": 0, "speech_end_ms": 1000}


async def _contexts(source: str, told: dict[str, Any]) -> list[dict[str, str]]:
    """The contexts of four fragments, whose replies tell so much."""

    def script(request: dict[str, Any], call: int) -> Reply:
        return success(request, **told)

    with ScriptedSts(script) as server:
        one = StsClient(
            StsClientSettings.model_validate({"url": server.url}),
            "demo",
            StreamSettings(source_language=source),
            time.monotonic_ns,
            budget=RetryBudget(),
        )
        for _ in range(4):
            await one.dub(work(time.monotonic_ns() + 4 * S))
        await one.close()
    return [request["context"] for request in server.requests]


async def test_a_fragment_brings_the_language_that_the_stream_was_heard_to_speak() -> None:
    contexts = await _contexts("auto", {**HEARD, **SPEECH})
    # Two seconds of it tell; older services do not know the field, and get none before.
    assert [context.get("language") for context in contexts] == [None, None, None, "es"]


@pytest.mark.parametrize(
    ("source", "told"),
    [
        ("en", {**HEARD, **SPEECH}),
        ("auto", {"detected_language": "es", **SPEECH}),
        ("auto", HEARD),
    ],
)
async def test_it_brings_none_where_the_source_is_named_or_nothing_was_heard(
    source: str, told: dict[str, Any]
) -> None:
    contexts = await _contexts(source, told)
    assert [context.get("language") for context in contexts] == [None] * 4
