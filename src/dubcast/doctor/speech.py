"""The speech service that is configured: reached, willing, and how far away."""

from __future__ import annotations

import ssl
import time
from dataclasses import dataclass
from urllib.parse import urlsplit

import httpx2

from dubcast.addresses import is_this_machine
from dubcast.config import Secret, StsClientSettings, without_key
from dubcast.doctor.report import Finding

_TIMEOUT_S = 2.0
_SLOW_MS = 200


@dataclass(frozen=True)
class Answer:
    """What came back: a status of /readyz and of a page behind the key, or an error."""

    ready: int = 0
    behind_key: int = 0
    round_trip_ms: float = 0.0
    error: str = ""
    certificate: str = ""  # what is wrong with it


def findings(sts: StsClientSettings) -> list[Finding]:
    """One line for each address of the service."""
    return [judge(url, ask(url, sts.api_key)) for url in (sts.url, *sts.fallback_urls)]


def ask(url: str, key: Secret | None) -> Answer:
    """Ask one service; never raises for what the network does."""
    headers = {"Authorization": f"Bearer {key.get_secret_value()}"} if key else {}
    try:
        with httpx2.Client(base_url=url, timeout=_TIMEOUT_S, trust_env=False) as client:
            ready = client.get("/readyz")
            begun = time.monotonic()  # the connection is there: a round trip alone
            behind = client.get("/api/v1/languages", headers=headers)
            elapsed_ms = (time.monotonic() - begun) * 1000
    except httpx2.HTTPError as error:
        told = without_key(str(error) or type(error).__name__, key)
        return Answer(error=told, certificate=_certificate(error))
    return Answer(ready.status_code, behind.status_code, elapsed_ms)


def judge(url: str, answer: Answer) -> Finding:
    """The line for it. One on this machine may not run yet: `up` and `run` start it."""
    name, elsewhere = f"speech service {url}", not is_this_machine(urlsplit(url).hostname)
    if answer.certificate:
        return Finding(name, False, f"its certificate is refused: {answer.certificate}")
    if answer.error:
        detail = answer.error if elsewhere else "not running: dubcast sts, or dubcast up"
        return Finding(name, False, detail, needed=elsewhere)
    if answer.behind_key in {401, 403}:
        return Finding(name, False, f"HTTP {answer.behind_key}: it refuses the key in sts.api_key")
    if answer.ready == 503:
        return Finding(name, False, "not ready: it is loading, or ending", needed=False)
    if answer.behind_key != 200:
        return Finding(name, False, f"HTTP {answer.behind_key}: this is no speech service")
    far = ", which fragments wait for" if answer.round_trip_ms > _SLOW_MS else ""
    return Finding(name, True, f"{answer.round_trip_ms:.0f} ms away{far}")


def _certificate(error: BaseException | None) -> str:
    """What is wrong with the certificate, if that is why the call failed."""
    while error is not None:
        if isinstance(error, ssl.SSLCertVerificationError):
            return error.verify_message or str(error)
        error = error.__cause__ or error.__context__
    return ""
