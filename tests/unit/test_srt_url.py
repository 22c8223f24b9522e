"""What an SRT URL says, and what of it nobody is told."""

from __future__ import annotations

import pytest

from dubcast.config import parse_srt_url, srt_secrets
from dubcast.egress import words

URL = "srt://h.example:9000?streamid=publish:live/a/in:u:se=cret&passphrase=of%20ten%20or%20more"


def test_a_url_is_taken_apart() -> None:
    plain, full = (
        parse_srt_url(URL),
        parse_srt_url(URL + "&pbkeylen=32&latency=500&mode=caller&pkt_size=752"),
    )
    assert (plain.host, plain.port, plain.scheme) == ("h.example", 9000, "srt")
    assert plain.stream_id.get_secret_value() == "publish:live/a/in:u:se=cret"
    assert plain.passphrase.get_secret_value() == "of ten or more"
    assert (plain.key_bytes, plain.latency_ms, plain.payload) == (16, 200, 1316)
    assert (full.key_bytes, full.latency_ms, full.payload) == (32, 500, 752)


def test_a_stream_id_of_the_access_control_form_is_no_fragment() -> None:
    one = parse_srt_url("srt://[::1]:9000?streamid=#!::r=live/a,m=publish&latency=100")
    assert one.host == "::1"
    assert one.stream_id.get_secret_value() == "#!::r=live/a,m=publish"
    assert one.latency_ms == 100


@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("srt://host", "host and port"),
        ("srt://:9000", "host and port"),
        ("srt://h:port", "cannot be read"),
        ("srt://h:9000/app/key", "no path"),
        ("srt://user:SECRET@h:9000", "no user"),
        ("srt://h:9000?SECRET=1", "none of streamid"),
        ("srt://h:9000?mode=listener", "mode must be caller"),
        ("srt://h:9000?passphrase=SECRET", "10 to 79"),
        ("srt://h:9000?latency=-1", "latency must be 20 to 60000"),
        ("srt://h:9000?pbkeylen=17", "pbkeylen must be one of 16, 24, 32"),
        ("srt://h:9000?pkt_size=1000", "pkt_size must be one of"),
        ("srt://h:9000?streamid=" + "SECRET" * 100, "longer than 512"),
    ],
)
def test_what_cannot_be_done_is_told_without_the_url(url: str, said: str) -> None:
    with pytest.raises(ValueError, match=said) as caught:
        parse_srt_url(url)
    assert "SECRET" not in str(caught.value)


def test_no_part_of_it_is_told() -> None:
    line = f"it said of {URL}: u:se=cret, of ten or more, of%20ten%20or%20more"
    told = words.without_secret(line.replace("u:se", "publish:live/a/in:u:se"), URL)
    assert told.count("***") >= 4
    assert "se=cret" not in told and "ten" not in told
    assert "se=cret" in srt_secrets(URL)[0]
    assert "cret" not in repr(parse_srt_url(URL)) and "ten" not in repr(parse_srt_url(URL))
