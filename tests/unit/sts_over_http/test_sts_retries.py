"""A fragment that is sent again over HTTP is computed once."""

from __future__ import annotations

import asyncio
import threading
from typing import Any

import httpx2
import pytest

from sts_fakes import Script, request
from sts_http import admitted, body_of, post


async def test_a_retry_gets_the_same_reply_and_is_not_computed(
    client: httpx2.AsyncClient, script: Script
) -> None:
    first = await post(client, body_of())
    again = await post(client, body_of({"timeout_ms": 3000}))
    assert first.content == again.content
    assert len(script.calls["tts"]) == 1


async def test_a_retry_of_a_fragment_under_way_waits_for_it(
    client: httpx2.AsyncClient, script: Script
) -> None:
    free = threading.Event()
    script.hooks["asr"] = lambda _: free.wait(5)
    first = asyncio.create_task(post(client, body_of()))
    await asyncio.to_thread(script.wait_for, "asr")
    again = asyncio.create_task(post(client, body_of()))
    await admitted(client, 2)
    assert not again.done()
    free.set()
    assert (await first).content == (await again).content
    assert len(script.calls["asr"]) == 1


@pytest.mark.parametrize(
    "changes",
    [
        {"stream_id": "other"},
        {"config": {"voice_profile": "pm_alex"}},
        {"fragment_id": "f2"},
        {"context": {"song_odds": 1.5}},
    ],
)
async def test_another_fragment_is_computed(
    client: httpx2.AsyncClient, script: Script, changes: dict[str, Any]
) -> None:
    await post(client, body_of())
    await post(client, body_of(changes))
    assert len(script.calls["tts"]) == 2


async def test_the_same_id_with_other_audio_is_computed(
    client: httpx2.AsyncClient, script: Script
) -> None:
    await post(client, request(ms=500).model_dump_json().encode())
    await post(client, request(ms=600).model_dump_json().encode())
    assert len(script.calls["tts"]) == 2


async def test_a_caller_that_leaves_does_not_stop_the_computation(
    client: httpx2.AsyncClient, script: Script
) -> None:
    free = threading.Event()
    script.hooks["asr"] = lambda _: free.wait(5)
    first = asyncio.create_task(post(client, body_of()))
    await asyncio.to_thread(script.wait_for, "asr")
    first.cancel()
    with pytest.raises(asyncio.CancelledError):
        await first
    free.set()
    assert (await post(client, body_of())).status_code == 200
    assert len(script.calls["asr"]) == 1
