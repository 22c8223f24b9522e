"""Signatures of hooks: HMAC-SHA256 over `id.timestamp.body`, as Standard Webhooks has it. Pure.

A hook that is forged, altered, too old or seen before is not believed.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
from collections import OrderedDict

ID_HEADER = "webhook-id"
TIMESTAMP_HEADER = "webhook-timestamp"
SIGNATURE_HEADER = "webhook-signature"
MAX_SKEW_S = 60
_REMEMBERED = 4096  # ids; far more than a minute of hooks


def sign(secret: str, message_id: str, timestamp: int, body: bytes) -> str:
    """The value of the signature header."""
    signed = f"{message_id}.{timestamp}.".encode() + body
    digest = hmac.new(secret.encode(), signed, hashlib.sha256).digest()
    return "v1," + base64.b64encode(digest).decode()


class Verifier:
    """Checks signatures and remembers ids for as long as their timestamps are believed."""

    def __init__(self, secret: str) -> None:
        self._secret = secret
        self._seen: OrderedDict[str, int] = OrderedDict()

    def refusal(
        self, message_id: str, timestamp: str, signature: str, body: bytes, now_s: int
    ) -> str | None:
        """Why the message is not believed, or None. `now_s` is wall time, as the header is.

        The same id again is "duplicate": the sender's retry of what has already arrived.
        """
        if not message_id or len(message_id) > 64 or not timestamp.isascii():
            return "malformed"
        if not timestamp.isdigit() or len(timestamp) > 12:
            return "malformed"
        # Signed first, so that the clock and the ids can be tried only by who holds the secret.
        expected = sign(self._secret, message_id, int(timestamp), body)
        if not hmac.compare_digest(expected.encode(), signature.encode()):
            return "signature"
        if abs(now_s - int(timestamp)) > MAX_SKEW_S:
            return "stale"
        if message_id in self._seen:
            return "duplicate"
        self._remember(message_id, now_s)
        return None

    def _remember(self, message_id: str, now_s: int) -> None:
        self._seen[message_id] = now_s
        while self._seen:
            oldest, seen_s = next(iter(self._seen.items()))
            if len(self._seen) <= _REMEMBERED and now_s - seen_s <= 2 * MAX_SKEW_S:
                return
            del self._seen[oldest]
