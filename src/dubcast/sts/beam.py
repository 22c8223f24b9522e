"""How widely recognition searches. Pure.

Five ways instead of one made a fifth fewer word errors in fragments of 8 s of clean speech, tried
offline, and take a quarter to two fifths more of recognition's time, up to a twentieth of the
service's. So it is done where that makes nobody late.
"""

from __future__ import annotations

# What the rest of a fragment's work takes, by experience with two cores: so much, and so much for
# each second of it.
_REST_S = 1.0
_REST_S_PER_S = 0.3


def width(widest: int, left_s: float, audio_s: float, *, is_busy: bool) -> int:
    """How many ways to keep: `widest`, or 1 if the deadline of a fragment of `audio_s` is near
    (`left_s`), or others wait for the service (`is_busy`)."""
    has_time = left_s >= _REST_S + _REST_S_PER_S * audio_s
    return widest if has_time and not is_busy else 1
