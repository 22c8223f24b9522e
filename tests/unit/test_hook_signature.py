"""Hooks: signed, believed once, and built without string formatting."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dubcast.config import HOOK_QUERY_ESCAPED, HOOK_SECRET, HOOK_URL, hook_environment
from dubcast.errors import ConfigError
from dubcast.mediaserver.hook import event_body
from dubcast.mediaserver.signature import Verifier, sign

BODY = b'{"path":"live/abc/in"}'
NOW = 1_800_000_000


def refusal(
    *, stamp: str = str(NOW), signature: str | None = None, body: bytes = BODY, now: int = NOW
) -> str | None:
    given_signature = sign("secret", "id-1", NOW, BODY) if signature is None else signature
    return Verifier("secret").refusal("id-1", stamp, given_signature, body, now)


def test_a_good_hook_is_believed_once() -> None:
    verifier = Verifier("secret")
    good = ("id-1", str(NOW), sign("secret", "id-1", NOW, BODY), BODY, NOW)
    assert verifier.refusal(*good) is None
    assert verifier.refusal(*good) == "duplicate"


def test_the_form_is_that_of_standard_webhooks() -> None:
    # Computed apart: printf 'id-1.1800000000.{}' | openssl dgst -sha256 -hmac secret -binary
    expected = "v1,kIzUu4p86W6SWIGDwqzF2SpRHUE1e7EsfD69cIH1EGw="
    assert sign("secret", "id-1", NOW, b"{}") == expected


@pytest.mark.parametrize("age_s", [-61, 61, 3600, -86400])
def test_a_stale_or_early_hook_is_refused(age_s: int) -> None:
    assert refusal(now=NOW + age_s) == "stale"


@pytest.mark.parametrize("age_s", [-60, 0, 60])
def test_a_minute_either_way_is_believed(age_s: int) -> None:
    assert refusal(now=NOW + age_s) is None


def test_an_altered_body_timestamp_or_signature_is_refused() -> None:
    assert refusal(body=BODY + b" ") == "signature"
    assert refusal(stamp=str(NOW + 1)) == "signature"
    assert refusal(signature=sign("other", "id-1", NOW, BODY)) == "signature"
    assert refusal(signature="") == "signature"


@given(st.text(max_size=80), st.text(max_size=20), st.text(max_size=100), st.binary(max_size=50))
def test_nothing_forged_is_believed(
    message_id: str, stamp: str, signature: str, body: bytes
) -> None:
    assert Verifier("secret").refusal(message_id, stamp, signature, body, NOW) is not None


def test_memory_of_ids_is_bounded() -> None:
    verifier = Verifier("secret")

    def again(number: int) -> str | None:
        name = f"id-{number}"
        return verifier.refusal(name, str(NOW), sign("secret", name, NOW, BODY), BODY, NOW)

    assert {again(number) for number in range(6000)} == {None}
    assert again(5999) == again(5999 - 4000) == "duplicate"
    assert again(5999 - 4200) is None  # forgotten


def environment(**changes: str) -> dict[str, str]:
    values = {"MTX_PATH": "live/abc/in", HOOK_URL: "http://h/events", HOOK_SECRET: "s"}
    return {**values, **changes}


def test_the_query_is_unescaped_exactly_once() -> None:
    escaped = hook_environment(environment(MTX_QUERY="lang%3Des%26x%3D%2526"))
    assert json.loads(event_body(escaped))["query"] == "lang=es&x=%26"
    older = hook_environment(environment(MTX_QUERY="lang=es", **{HOOK_QUERY_ESCAPED: "0"}))
    assert json.loads(event_body(older))["query"] == "lang=es"


@given(st.text().filter(lambda text: "\x00" not in text))
def test_any_query_makes_valid_json(query: str) -> None:
    raw = hook_environment(environment(MTX_QUERY=query, **{HOOK_QUERY_ESCAPED: "0"}))
    assert json.loads(event_body(raw))["query"] == query


@pytest.mark.parametrize("name", ["MTX_PATH", HOOK_URL, HOOK_SECRET])
def test_a_missing_variable_is_named(name: str) -> None:
    with pytest.raises(ConfigError, match=name):
        hook_environment(environment(**{name: ""}))


def test_the_secret_is_not_in_the_repr() -> None:
    assert "hunter2" not in repr(hook_environment(environment(**{HOOK_SECRET: "hunter2"})))
