"""An SRT URL, taken apart. Pure.

`srt://host:port?streamid=...&passphrase=...`, as ffmpeg, OBS and GStreamer have it; what would be
ignored is an error.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from urllib.parse import unquote, urlsplit

from dubcast.config.secret import Secret

SRT = "srt://"
LONGEST_STREAM_ID = 512
PASSPHRASE_LENGTHS = range(10, 80)
_PACKET = 188
_MOST_PACKETS = 7
_LONGEST_LATENCY_MS = 60_000
_KEY_BYTES = (16, 24, 32)
_NONE = Secret("")
_KNOWN = ("streamid", "passphrase", "pbkeylen", "latency", "mode", "pkt_size")


@dataclass(frozen=True)
class SrtAddress:
    """Where a stream is sent by SRT. `latency_ms`: for what is lost to be sent again."""

    host: str
    port: int
    stream_id: Secret = _NONE
    passphrase: Secret = _NONE
    key_bytes: int = 16
    latency_ms: int = 200
    payload: int = _MOST_PACKETS * _PACKET

    scheme = "srt"

    def __repr__(self) -> str:
        return f"SrtAddress(srt://{self.host}:{self.port}?***)"


def parse_srt_url(url: str) -> SrtAddress:
    """Raises ValueError, whose text holds nothing of the URL but names of parameters."""
    # A stream id may hold `#`, which is no fragment here.
    place, _, query = url.strip().partition("?")
    try:
        parts = urlsplit(place)
        host, port = parts.hostname, parts.port
    except ValueError:
        raise ValueError("cannot be read") from None
    if parts.scheme != "srt" or not host or not port:
        raise ValueError("must name host and port, as srt://host:port?streamid=name")
    if parts.path.strip("/") or parts.username:
        raise ValueError("must hold no path and no user: SRT has ?streamid= for them")
    given = dict(_parameters(query))
    if given.get("mode", "caller") != "caller":
        raise ValueError("mode must be caller: a destination is called")
    return SrtAddress(
        *(host, port, _stream_id(given), _passphrase(given)),
        key_bytes=_number(given, "pbkeylen", 16, _KEY_BYTES),
        latency_ms=_number(given, "latency", 200, range(20, _LONGEST_LATENCY_MS + 1)),
        payload=_number(given, "pkt_size", _MOST_PACKETS * _PACKET, range(_PACKET, 1317, _PACKET)),
    )


def srt_secrets(url: str) -> tuple[str, ...]:
    """What of an SRT URL is told nobody: its parameters, as they are written and as they are."""
    values = [item.partition("=")[2] for item in url.partition("?")[2].split("&")]
    return tuple(dict.fromkeys([*values, *map(unquote, values)]))


def _parameters(query: str) -> Iterator[tuple[str, str]]:
    for item in filter(None, query.split("&")):
        name, _, value = item.partition("=")
        if name not in _KNOWN:
            # Not the name itself: of a key with `&` in it, it would be a part.
            raise ValueError(f"has a parameter that is none of {', '.join(_KNOWN)} (& is %26)")
        yield name, unquote(value)


def _stream_id(given: dict[str, str]) -> Secret:
    text = given.get("streamid", "")
    if len(text.encode()) > LONGEST_STREAM_ID:
        raise ValueError(f"streamid is longer than {LONGEST_STREAM_ID} bytes")
    return Secret(text)


def _passphrase(given: dict[str, str]) -> Secret:
    text = given.get("passphrase", "")
    if text and len(text.encode()) not in PASSPHRASE_LENGTHS:
        raise ValueError("passphrase must have 10 to 79 characters")
    return Secret(text)


def _number(
    given: dict[str, str], name: str, otherwise: int, allowed: range | tuple[int, ...]
) -> int:
    text = given.get(name)
    if text is None:
        return otherwise
    if not text.isdecimal() or int(text) not in allowed:
        raise ValueError(f"{name} must be {_told(allowed)}")
    return int(text)


def _told(allowed: range | tuple[int, ...]) -> str:
    if len(allowed) < 10:
        return f"one of {', '.join(map(str, allowed))}"
    return f"{allowed[0]} to {allowed[-1]}"
