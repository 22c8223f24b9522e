"""What is told of a destination, without its keys. Pure."""

from __future__ import annotations

from dubcast.config import SRT, srt_secrets


def without_secret(line: str, *urls: str) -> str:
    """The line with each URL, and each telling part of it, blotted out."""
    for url in urls:
        for part in _telling(url):
            if len(part) > 3:
                line = line.replace(part, "***")
    return line


def _telling(url: str) -> tuple[str, ...]:
    if url.startswith(SRT):
        return url, *srt_secrets(url)
    app, _, key = url.rpartition("/")
    return url, app, key, key.partition("?")[0]


ASK = "is the key right, is the event live?"


def slow(taken_mbit: float, arrived_mbit: float, lag_s: float) -> str:
    """How slow a destination is."""
    return f"takes {taken_mbit:.1f} of {arrived_mbit:.1f} Mbit/s, {lag_s:.1f} s behind"
