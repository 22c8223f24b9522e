"""The binary form of a request: the same as the JSON form, and nothing that breaks it."""

from __future__ import annotations

import json
import struct
from typing import Any

import pytest
from pydantic import ValidationError

from dubcast.contract import fragment_form
from dubcast.contract.fragment_form import BadForm
from dubcast.contract.glossary import GlossaryEntry
from dubcast.contract.sts import FragmentConfig, PcmAudio, StsRequest

PCM = bytes(range(250)) * 128
REQUEST = StsRequest(
    fragment_id="f1",
    stream_id="demo",
    sequence_number=7,
    audio=PcmAudio.from_pcm(PCM, 16_000, 1),
    config=FragmentConfig(
        target_language="pt-BR", timings="words", glossary=(GlossaryEntry(term="Vaduz"),)
    ),
    timeout_ms=3000,
)


def _form(header: Any, pcm: bytes = PCM) -> bytes:
    text = json.dumps(header).encode()
    return struct.pack(">I", len(text)) + text + pcm


def _header() -> dict[str, Any]:
    fields: dict[str, Any] = json.loads(REQUEST.model_dump_json())
    del fields["audio"]["data_base64"]
    return fields


def test_what_is_written_is_read() -> None:
    body = fragment_form.encode(REQUEST)
    assert fragment_form.decode(body) == REQUEST
    assert body.endswith(PCM) and len(body) < len(PCM) + 1000


def test_both_forms_are_one_request() -> None:
    assert fragment_form.decode(_form(_header())) == StsRequest.model_validate_json(
        REQUEST.model_dump_json()
    )


def test_the_json_form_carries_base64() -> None:
    audio = json.loads(REQUEST.model_dump_json())["audio"]
    assert set(audio) == {"format", "sample_rate_hz", "channels", "duration_ms", "data_base64"}
    assert StsRequest.model_validate(REQUEST.model_dump()) == REQUEST


@pytest.mark.parametrize(
    "body",
    [b"", b"\0\0", struct.pack(">I", 9) + b"{}", struct.pack(">I", 2**31) + b"{}", b"\0\0\0\2no"],
)
def test_what_is_no_form_is_refused(body: bytes) -> None:
    with pytest.raises(BadForm):
        fragment_form.decode(body)


@pytest.mark.parametrize(
    ("header", "pcm"),
    [
        (_header(), PCM[:-1000]),
        (_header(), PCM[:-1]),
        (_header() | {"timeout_ms": 1}, PCM),
        (_header() | {"audio": None}, PCM),
        (_header() | {"extra": 1}, PCM),
        ([], PCM),
    ],
)
def test_what_breaks_the_contract_is_refused(header: Any, pcm: bytes) -> None:
    with pytest.raises(ValidationError):
        fragment_form.decode(_form(header, pcm))
