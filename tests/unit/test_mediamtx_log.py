"""Lines of MediaMTX as lines of ours: without what makes equal ones differ."""

from __future__ import annotations

import json

import pytest

from dubcast.log_repeats import Repeats
from dubcast.mediaserver.mediamtx_log import Said, said


def line(message: str, level: str = "INF") -> bytes:
    return json.dumps({"timestamp": "t", "level": level, "message": message}).encode() + b"\n"


@pytest.mark.parametrize(
    ("message", "expected"),
    [
        (
            "[RTMP] [conn 192.0.2.1:4711] is publishing to path 'live/a/in', 2 tracks",
            Said("info", "[RTMP] is publishing to path 'live/a/in', 2 tracks", "192.0.2.1"),
        ),
        (
            "[RTSP] [session 5f3a91c2] destroyed: torn down by [::1]:4711",
            Said("info", "[RTSP] destroyed: torn down by [::1]:4711", ""),
        ),
        (
            "[SRT] [conn [2001:db8::7]:99] closed: EOF",
            Said("info", "[SRT] closed: EOF", "[2001:db8::7]"),
        ),
        ("MediaMTX v1.20.1\n, linux, amd64", Said("info", "MediaMTX v1.20.1 , linux, amd64")),
        ("[RTMP] [conn 127.0.0.1:1] opened", None),
        ("[RTSP] [session 5f3a91c2] created by 127.0.0.1:2", None),
    ],
)
def test_who_and_what(message: str, expected: Said | None) -> None:
    assert said(line(message)) == expected


def test_how_grave_it_is() -> None:
    assert said(line("no", "ERR")) == Said("error", "no")
    assert said(b"panic: runtime error\n") == Said("warning", "panic: runtime error")
    for odd in (b"\n", b"[]\n", b'{"level": "INF"}\n', b"\xff\n", b'{"level": [], "message": 1}\n'):
        said(odd)


def test_a_worker_that_looks_every_second_is_one_line_a_minute() -> None:
    now = 0.0
    repeats = Repeats(lambda: now)
    words = "closed: no stream is available on path 'live/a/in'"
    written = 0
    for second in range(180):
        now = float(second)
        for port in (40_000 + second, 50_000 + second):
            one = said(line(f"[RTMP] [conn 127.0.0.1:{port}] {words}"))
            assert one is not None
            written += repeats.left_out({"event": "mediamtx.said", "words": one.words}) is not None
    assert written == 3
