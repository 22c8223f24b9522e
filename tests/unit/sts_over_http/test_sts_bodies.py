"""Bodies of fragments over HTTP: what is taken in either form, and what is refused and how."""

from __future__ import annotations

import base64
import json
from collections.abc import AsyncIterator
from typing import Any

import httpx2
import pytest

from dubcast.contract import fragment_form
from dubcast.contract.sts import MAX_BODY_BYTES, StsErrorBody
from sts_fakes import Script, request
from sts_http import JSON, URL, body_of, error_of, post


async def test_camel_case_names_are_accepted(client: httpx2.AsyncClient) -> None:
    data = json.loads(body_of())
    audio = data["audio"]
    data["audio"] = {
        "format": "pcm_s16le",
        "sampleRate": audio["sample_rate_hz"],
        "channels": 1,
        "durationMs": audio["duration_ms"],
        "dataBase64": audio["data_base64"],
    }
    assert (await post(client, json.dumps(data).encode())).status_code == 200


BAD_AUDIO: dict[str, tuple[dict[str, Any], str]] = {
    "length": ({"duration_ms": 700}, "duration_ms is 700 but the data holds 500 ms"),
    "rate too low": ({"sample_rate_hz": 4000}, "sample_rate_hz"),
    "rate too high": ({"sample_rate_hz": 400_000}, "sample_rate_hz"),
    "rate does not agree": ({"sample_rate_hz": 48_000}, "the data holds 167 ms"),
    "channels": ({"channels": 3}, "channels"),
    "not base64": ({"data_base64": "no base64!"}, "not valid base64"),
    "half a sample": ({"data_base64": base64.b64encode(bytes(16_001)).decode()}, "whole number"),
    "format": ({"format": "mp3"}, "format"),
    "too short": ({"duration_ms": 50, "data_base64": "AAAA"}, "duration_ms"),
    "too long": ({"duration_ms": 31_000}, "duration_ms"),
    "no audio": ({"data_base64": ""}, "holds 0 ms"),
}


@pytest.mark.parametrize("case", BAD_AUDIO)
async def test_bad_audio_is_refused(client: httpx2.AsyncClient, script: Script, case: str) -> None:
    changes, words = BAD_AUDIO[case]
    body = error_of(await post(client, body_of(**changes)), 422, "INVALID_INPUT")
    assert words in body.error.message
    assert body.fragment_id == "f1"
    assert not body.error.retryable
    assert script.calls == {}


BAD_FIELDS: dict[str, tuple[dict[str, Any], str]] = {
    "unknown source": ({"config": {"source_language": "xx"}}, "en -> pt-BR"),
    "unknown target": ({"config": {"target_language": "tlh"}}, "pt-BR -> en"),
    "same language": ({"config": {"target_language": "en"}}, "there are"),
    "unknown voice": ({"config": {"voice_profile": "nobody"}}, "default, pf_dora, pm_alex"),
    "voice of another language": ({"config": {"voice_profile": "ef_dora"}}, "pm_alex"),
    "unknown field": ({"config": {"voise": "x"}}, "config.voise"),
    "stream id": ({"stream_id": "../etc"}, "stream_id"),
    "fragment id": ({"fragment_id": "a b"}, "fragment_id"),
    "timeout": ({"timeout_ms": 1}, "timeout_ms"),
    "tempo": ({"config": {"max_tempo": 9}}, "max_tempo"),
}


@pytest.mark.parametrize("case", BAD_FIELDS)
async def test_bad_fields_are_refused(client: httpx2.AsyncClient, case: str) -> None:
    changes, words = BAD_FIELDS[case]
    body = error_of(await post(client, body_of(changes)), 422, "INVALID_INPUT")
    assert words in body.error.message


@pytest.mark.parametrize("raw", [b"", b"{", b"\xff\xfe", b'{"a": 1'])
async def test_what_is_not_json_is_refused(client: httpx2.AsyncClient, raw: bytes) -> None:
    body = error_of(await post(client, raw), 400, "INVALID_INPUT")
    assert body.fragment_id is None


@pytest.mark.parametrize("raw", [b"[]", b"null", b'"x"', b"1", b"[" * 5000 + b"]" * 5000])
async def test_json_of_another_shape_is_refused(client: httpx2.AsyncClient, raw: bytes) -> None:
    reply = await post(client, raw)
    assert reply.status_code in (400, 422)
    assert StsErrorBody.model_validate_json(reply.content).error.code == "INVALID_INPUT"


async def test_the_binary_form_is_the_same_fragment(
    client: httpx2.AsyncClient, script: Script
) -> None:
    kind = {"content-type": f"{fragment_form.MEDIA_TYPE}; v=1"}
    reply = await post(client, fragment_form.encode(request()), **kind)
    assert reply.status_code == 200
    assert (await post(client, body_of())).content == reply.content
    assert len(script.calls["tts"]) == 1


@pytest.mark.parametrize(
    ("body", "status", "words"),
    [
        (b"\0\0\0\2[", 400, "a header of 2 bytes"),
        (b"\0\0\0\2no", 400, "not JSON"),
        (b"\0\0\0\x14" + b'{"fragment_id":"f1"}', 422, "stream_id"),
        (b"\0\1\0\0" + b"[" * 65536, 422, "more than 10000 values"),
    ],
)
async def test_a_binary_form_that_is_none_is_refused(
    client: httpx2.AsyncClient, body: bytes, status: int, words: str
) -> None:
    reply = await post(client, body, **{"content-type": fragment_form.MEDIA_TYPE})
    told = error_of(reply, status, "INVALID_INPUT")
    assert words in told.error.message
    assert told.fragment_id == ("f1" if words == "stream_id" else None)


async def test_another_content_type_is_refused(client: httpx2.AsyncClient) -> None:
    reply = await post(client, body_of(), **{"content-type": "audio/wav"})
    assert "audio/wav" in error_of(reply, 415, "INVALID_INPUT").error.message


async def test_a_declared_body_of_20_mib_is_refused(client: httpx2.AsyncClient) -> None:
    error_of(await post(client, b"x" * 20 * 1024 * 1024), 413, "INVALID_INPUT")


async def test_a_declared_length_is_enough_to_refuse(client: httpx2.AsyncClient) -> None:
    reply = await post(client, b"{}", **{"content-length": str(MAX_BODY_BYTES + 1)})
    error_of(reply, 413, "INVALID_INPUT")


async def test_a_body_is_cut_off_while_it_is_read(
    client: httpx2.AsyncClient, script: Script
) -> None:
    sent = 0

    async def endless() -> AsyncIterator[bytes]:
        nonlocal sent
        while sent < 40 * MAX_BODY_BYTES:
            sent += 1024 * 1024
            yield bytes(1024 * 1024)

    reply = await client.post(URL, content=endless(), headers=JSON)
    error_of(reply, 413, "INVALID_INPUT")
    # The reason reaches a client that still sends, but not one that sends for ever.
    assert sent <= 6 * MAX_BODY_BYTES
    assert client.service.admission.pending == 0  # type: ignore[attr-defined]


async def test_a_body_of_millions_of_values_is_refused_before_it_is_parsed(
    client: httpx2.AsyncClient,
) -> None:
    """To parse 16 MiB of brackets takes 13 s, in which nothing else of the process runs."""
    raw = b'{"fragment_id": "f1", "x": [' + b"[]," * 1_000_000 + b"1]}"
    body = error_of(await post(client, raw), 422, "INVALID_INPUT")
    assert "more than 10000 values" in body.error.message


async def test_texts_full_of_commas_are_no_reason_to_refuse(client: httpx2.AsyncClient) -> None:
    text = ",[{" * 666
    context = {"context": {"source_text": text, "target_text": text}}
    assert (await post(client, body_of(context))).status_code == 200


@pytest.mark.parametrize(
    ("name", "told"), [("f1", "f1"), ("x" * 200, "x" * 128), (7, None), (None, None)]
)
async def test_what_is_wrong_otherwise_is_still_told_its_name(
    client: httpx2.AsyncClient, name: object, told: str | None
) -> None:
    reply = await post(client, json.dumps({"fragment_id": name, "x": 1}).encode())
    assert error_of(reply, 422, "INVALID_INPUT").fragment_id == told


async def test_a_fragment_that_fails_later_is_told_its_name(client: httpx2.AsyncClient) -> None:
    reply = await post(client, body_of({"fragment_id": "f9", "config": {"voice_profile": "none"}}))
    assert error_of(reply, 422, "INVALID_INPUT").fragment_id == "f9"
