"""Questions to the speech service before a stream starts: is it there, can it do this?"""

from __future__ import annotations

import time

import httpx2

from dubcast.config import Settings, StreamSettings, StsClientSettings
from dubcast.contract.sts import LanguagesReply, VoicesReply
from dubcast.errors import ConfigError, StsError

_TIMEOUT_S = 3.0
_POLL_S = 0.3


def is_ready(sts: StsClientSettings) -> bool:
    """True if the service answers that it is ready."""
    try:
        reply = httpx2.get(f"{sts.url}/readyz", timeout=_TIMEOUT_S, trust_env=False)
    except httpx2.HTTPError:
        return False
    return reply.status_code == 200


def refuse_foreign(sts: StsClientSettings) -> None:
    """Raise ConfigError if something that is no speech service answers at its address."""
    try:
        reply = httpx2.get(f"{sts.url}/readyz", timeout=_TIMEOUT_S, trust_env=False)
    except httpx2.ConnectError:
        return  # nobody is there
    except httpx2.HTTPError as error:
        raise ConfigError(_foreign(sts.url, f"it does not answer ({type(error).__name__})")) from (
            error
        )
    state = reply.text.strip()
    if state not in _STATES:
        raise ConfigError(_foreign(sts.url, f"/readyz gives HTTP {reply.status_code}"))


def _foreign(url: str, what: str) -> str:
    return (
        f"what listens at {url} is no speech service: {what}; "
        "end it, or set sts.url (and sts_server.port) to a free port"
    )


def wait_until_ready(sts: StsClientSettings, patience_s: float) -> bool:
    """Wait for the service at most `patience_s` seconds; whether it became ready."""
    end = time.monotonic() + patience_s
    while not is_ready(sts):
        if time.monotonic() > end:
            return False
        time.sleep(_POLL_S)
    return True


def check_policy(sts: StsClientSettings, policy: StreamSettings) -> None:
    """Raise ConfigError, listing what there is, if the service lacks the languages or the voice.

    Languages are compared without the region: `pt` is `pt-BR`. Raises StsError if the service does
    not answer as the contract says.
    """
    pairs = LanguagesReply.model_validate_json(_get(sts, "/api/v1/languages")).pairs
    wanted = (_primary(policy.source_language), _primary(policy.target_language))
    if wanted not in {(_primary(pair.source), _primary(pair.target)) for pair in pairs}:
        known = ", ".join(sorted(f"{pair.source} to {pair.target}" for pair in pairs))
        raise ConfigError(
            f"cannot dub from {policy.source_language!r} to {policy.target_language!r}; "
            f"the service offers: {known}"
        )
    voices = VoicesReply.model_validate_json(_get(sts, "/api/v1/voices")).voices
    names = sorted(v.name for v in voices if _primary(v.language) == wanted[1])
    if policy.voice != "default" and policy.voice not in names:
        raise ConfigError(
            f"unknown voice {policy.voice!r} for {policy.target_language}; "
            f"there are: {', '.join(['default', *names])}"
        )


def check_here(settings: Settings) -> None:
    """The same for every policy in `settings`, for the service that this machine will run.

    Asks the providers before they are loaded, so nothing has to run yet. Raises ConfigError.
    """
    from dubcast.sts.build import offered

    offer = offered(settings)
    for name in (None, *settings.orchestrator.streams):
        policy = settings.stream if name is None else settings.stream_policy(name)
        try:
            _, target = offer.pair(policy.source_language, policy.target_language)
            offer.voice(policy.voice, target)
        except StsError as error:
            where = "stream" if name is None else f"orchestrator.streams.{name}.policy"
            raise ConfigError(f"{where}: {error}") from error


def _primary(language: str) -> str:
    return language.replace("_", "-").partition("-")[0].lower()


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
