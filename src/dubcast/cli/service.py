"""Questions to the speech service before a stream starts: is it there, can it do this?"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator

import httpx2
from pydantic import ValidationError

from dubcast.config import Settings, StreamSettings, StsClientSettings
from dubcast.contract.sts import LanguagesReply, VoicesReply
from dubcast.errors import ConfigError, StsError
from dubcast.policy_check import why_not

_TIMEOUT_S = 3.0
_POLL_S = 0.3


def is_ready(sts: StsClientSettings) -> bool:
    """True if the service answers that it is ready."""
    try:
        reply = httpx2.get(f"{sts.url}/readyz", timeout=_TIMEOUT_S, trust_env=False)
    except httpx2.HTTPError:
        return False
    return reply.status_code == 200


def wait_until_ready(
    sts: StsClientSettings, patience_s: float, runs: Callable[[], bool] = lambda: True
) -> bool:
    """Wait for the service at most `patience_s` seconds, while it `runs`; whether it is ready."""
    end = time.monotonic() + patience_s
    while not is_ready(sts):
        if time.monotonic() > end or not runs():
            return False
        time.sleep(_POLL_S)
    return True


def check_policy(sts: StsClientSettings, policy: StreamSettings) -> None:
    """Raise ConfigError, listing what there is, if the service lacks the languages or the voice.

    Raises StsError if the service does not answer as the contract says.
    """
    try:
        languages = LanguagesReply.model_validate_json(_get(sts, "/api/v1/languages"))
        voices = VoicesReply.model_validate_json(_get(sts, "/api/v1/voices"))
    except ValidationError as error:
        message = f"what answers at {sts.url} is not a speech service of dubcast"
        raise StsError("UNAVAILABLE", message, retryable=False) from error
    refused = why_not(policy, languages, voices)
    if refused:
        raise ConfigError(refused)


def check_settings(settings: Settings) -> None:
    """`check_policy` for every policy in `settings`, each named. Raises ConfigError, StsError."""
    for where, policy in _policies(settings):
        try:
            check_policy(settings.sts, policy)
        except ConfigError as error:
            raise ConfigError(f"{where}: {error}") from error


def _policies(settings: Settings) -> Iterator[tuple[str, StreamSettings]]:
    yield "stream", settings.stream
    for name in settings.orchestrator.streams:
        yield f"orchestrator.streams.{name}.policy", settings.stream_policy(name)


def check_here(settings: Settings) -> None:
    """Check every policy in `settings` for the service that this machine will run.

    Asks the providers before they are loaded, so nothing has to run yet. Raises ConfigError.
    """
    from dubcast.sts.build import offered

    offer = offered(settings)
    for where, policy in _policies(settings):
        try:
            _, target = offer.pair(policy.source_language, policy.target_language)
            offer.voice(policy.voice, target)
        except StsError as error:
            raise ConfigError(f"{where}: {error}") from error


def _get(sts: StsClientSettings, path: str) -> bytes:
    headers = {}
    if sts.api_key is not None:
        headers["Authorization"] = f"Bearer {sts.api_key.get_secret_value()}"
    try:
        reply = httpx2.get(f"{sts.url}{path}", headers=headers, timeout=_TIMEOUT_S, trust_env=False)
        reply.raise_for_status()
    except httpx2.HTTPError as error:
        raise StsError(
            "UNAVAILABLE",
            f"the speech service at {sts.url} did not answer: {error}",
            retryable=True,
        ) from error
    return reply.content
