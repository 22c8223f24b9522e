"""How long a service asks to be left alone. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from email.utils import parsedate_to_datetime

from dubcast.breaker import LONGEST_HOLD_S


def retry_after_s(headers: Mapping[str, str]) -> float | None:
    """Seconds, from either form of Retry-After, at most `LONGEST_HOLD_S`; None without one.

    The date form is measured against the reply's own Date: our wall clock has no say.
    """
    text = headers.get("Retry-After")
    if text is None:
        return None
    try:
        if text.strip().isdecimal():
            return min(float(text), LONGEST_HOLD_S)
        until, sent = parsedate_to_datetime(text), parsedate_to_datetime(headers["Date"])
        return min(max((until - sent).total_seconds(), 0.0), LONGEST_HOLD_S)
    except (ValueError, KeyError, TypeError, OverflowError):
        return None
