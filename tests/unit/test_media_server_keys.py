"""The keys of dubcast's own parts, and queries without keys."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dubcast.config import MediaServerSettings, Secret
from dubcast.mediaserver.keys import Purpose, derived, own_keys, with_key, without_keys

KEY = Secret("k-1")


def test_each_purpose_has_a_key_of_its_own() -> None:
    made = {derived(Secret("a-secret"), one).get_secret_value() for one in Purpose}
    assert len(made) == len(Purpose)
    assert all(len(one) == 32 and set(one) & set(":/@?&=% ") == set() for one in made)
    assert not made & {derived(Secret("another"), one).get_secret_value() for one in Purpose}
    assert "a-secret" not in "".join(made)


def test_a_key_that_is_set_wins() -> None:
    settings = MediaServerSettings.model_validate({"api_key": "mine", "roles_key": "ours"})
    keys = own_keys(settings, Secret("a-secret"))
    assert (keys.api.get_secret_value(), keys.roles.get_secret_value()) == ("mine", "ours")
    assert keys.callback == derived(Secret("a-secret"), Purpose.CALLBACK)


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("rtmp://h:1935/live/a/in", "rtmp://h:1935/live/a/in?key=k-1"),
        ("rtmp://h/live/a/in?x=1", "rtmp://h/live/a/in?x=1&key=k-1"),
        ("rtsp://[::1]:8554/live/a/in", "rtsp://dubcast:k-1@[::1]:8554/live/a/in"),
        (
            "srt://h:8890?streamid=read:live/a/in",
            "srt://h:8890?streamid=read:live/a/in:dubcast:k-1",
        ),
        ("http://h:8888/live/a/out/index.m3u8", "http://h:8888/live/a/out/index.m3u8?key=k-1"),
    ],
)
def test_every_protocol_has_a_place_for_a_key(url: str, expected: str) -> None:
    assert with_key(url, KEY) == expected
    assert with_key(url, None) == url


@pytest.mark.parametrize(
    ("query", "left"),
    [
        ("key=a&lang=es", "lang=es"),
        ("lang=es%26x&KEY=a&token=b&jwt=c&pass=d&user=e", "lang=es%26x"),
        ("key=a", ""),
        ("k%65y=a&flag&lang=a+b", "flag&lang=a+b"),
        ("", ""),
    ],
)
def test_a_query_without_its_keys(query: str, left: str) -> None:
    assert without_keys(query) == left


@given(st.text(max_size=60), st.text(max_size=60))
def test_no_spelling_of_a_query_keeps_a_key(before: str, after: str) -> None:
    assert "s3ntinel" not in without_keys(f"{before}&key=s3ntinel&{after}")
