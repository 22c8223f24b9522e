"""Questions to the speech service before a stream starts: is it there, can it do this?"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TypeVar

import httpx2
from pydantic import BaseModel, ValidationError

from dubcast.config import Settings, StreamSettings, StsClientSettings, without_key
from dubcast.contract.sts import LanguagesReply, VoicesReply
from dubcast.errors import ConfigError, StsError
from dubcast.policy_check import why_not

_TIMEOUT_S = 3.0
_POLL_S = 0.3
_LANGUAGES = "/api/v1/languages"
_Reply = TypeVar("_Reply", bound=BaseModel)


def is_ready(sts: StsClientSettings) -> bool:
    """True if the service answers that it is ready."""
    try:
        reply = httpx2.get(f"{sts.url}/readyz", timeout=_TIMEOUT_S, trust_env=False)
    except httpx2.HTTPError:
        return False
    return reply.status_code == 200


def refuse_foreign(sts: StsClientSettings) -> None:
    """Raise ConfigError if what answers at the service's address is something else.

    Nobody there, or a service that is not ready yet or wants a key, is no fault.
    """
    try:
        ready = httpx2.get(f"{sts.url}/readyz", timeout=_TIMEOUT_S, trust_env=False)
        if ready.status_code == 503:
            return
        reply = httpx2.get(f"{sts.url}{_LANGUAGES}", timeout=_TIMEOUT_S, trust_env=False)
    except httpx2.ConnectError:
        return
    except httpx2.HTTPError as error:
        raise _foreign(sts, f"it does not answer ({type(error).__name__})") from error
    if reply.status_code == 200:
        _read(LanguagesReply, reply.content, sts)
    elif reply.status_code not in {401, 403, 429, 503}:
        raise _foreign(sts, f"{_LANGUAGES} gives HTTP {reply.status_code}")


def _foreign(sts: StsClientSettings, what: str) -> ConfigError:
    return ConfigError(
        f"what listens at {sts.url} is no speech service: {what}; "
        "end it, or set sts.url and sts_server.port to a free port"
    )


def _read(model: type[_Reply], body: bytes, sts: StsClientSettings) -> _Reply:
    try:
        return model.model_validate_json(body)
    except ValidationError:
        raise _foreign(sts, "its replies are not of the contract") from None


def wait_until_ready(
    sts: StsClientSettings, patience_s: float, alive: Callable[[], bool] = lambda: True
) -> bool:
    """Wait for the service at most `patience_s` seconds; whether it became ready.

    Not a moment longer than what serves it is `alive`.
    """
    end = time.monotonic() + patience_s
    while not is_ready(sts):
        if time.monotonic() > end or not alive():
            return False
        time.sleep(_POLL_S)
    return True


def check_policy(sts: StsClientSettings, policy: StreamSettings) -> None:
    """Raise ConfigError, listing what there is, if the service lacks the languages or the voice.

    Raises StsError if the service does not answer as the contract says.
    """
    languages = _read(LanguagesReply, _get(sts, _LANGUAGES), sts)
    voices = _read(VoicesReply, _get(sts, "/api/v1/voices"), sts)
    refused = why_not(policy, languages, voices)
    if refused:
        raise ConfigError(refused)


def check_settings(settings: Settings) -> None:
    """`check_policy` for every policy in `settings`, each named. Raises ConfigError, StsError."""
    for where, policy in settings.policies().items():
        try:
            check_policy(settings.sts, policy)
        except ConfigError as error:
            raise ConfigError(f"{where}: {error}") from error


def check_here(settings: Settings) -> None:
    """Check every policy in `settings` for the service that this machine will run.

    Asks the providers before they are loaded, so nothing has to run yet. Raises ConfigError.
    """
    from dubcast.sts.build import offered

    offer = offered(settings)
    for where, policy in settings.policies().items():
        refused = offer.refusal(policy.source_language, policy.target_language, policy.voice)
        if refused:
            raise ConfigError(f"{where}: {refused}")


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
            f"the speech service at {sts.url} did not answer: "
            f"{without_key(str(error), sts.api_key)}",
            retryable=True,
        ) from error
    return reply.content
