"""Puts the service together from the settings: providers, their models, device and threads."""

from __future__ import annotations

import importlib.util

from dubcast.config import Settings
from dubcast.errors import MissingPartError
from dubcast.models.store import ModelStore
from dubcast.sts.engine import Engine, Providers
from dubcast.sts.offer import Offer
from dubcast.sts.providers import registry
from dubcast.sts.providers.interface import (
    AsrProvider,
    Capabilities,
    FitProvider,
    HearProvider,
    MtCapabilities,
    MtProvider,
    TtsCapabilities,
    TtsProvider,
)
from dubcast.sts.providers.registry import Setup


def build_engine(settings: Settings) -> Engine:
    """An engine with the providers of the settings, not yet loaded.

    Raises ConfigError if a provider is unknown, MissingPartError if a model is not in the store, or
    what says numbers is not installed.
    """
    if importlib.util.find_spec("num2words") is None:
        raise MissingPartError("num2words is missing: pip install 'dubcast[sts]'")
    chosen = settings.sts_server.providers
    plain = _plain(settings)
    providers = Providers(
        hear=registry.create(HearProvider, chosen.hear, plain),
        asr=registry.create(AsrProvider, chosen.asr, _asr(settings)),
        mt=translation(settings),
        tts=registry.create(TtsProvider, chosen.tts, _tts(settings)),
        fit=registry.create(FitProvider, chosen.fit, plain),
    )
    return Engine(providers, inbox_limit=settings.sts_server.max_pending)


def translation(settings: Settings) -> MtProvider:
    """The provider that translates, not yet loaded. Raises as `build_engine`."""
    return registry.create(MtProvider, settings.sts_server.providers.mt, _mt(settings))


def offered(settings: Settings) -> Offer:
    """What the service of these settings will offer: nothing is loaded, no model is needed.

    Raises ConfigError if a provider is unknown or offers what another stage's would.
    """
    chosen = settings.sts_server.providers
    asr = registry.offers(AsrProvider, Capabilities, chosen.asr, _asr(settings))
    mt = registry.offers(MtProvider, MtCapabilities, chosen.mt, _mt(settings))
    tts = registry.offers(TtsProvider, TtsCapabilities, chosen.tts, _tts(settings))
    return Offer.of(asr, mt, tts)


def needed_models(settings: Settings) -> set[str]:
    """The models in the manifest without which this service cannot start. Raises as `offered`."""
    server, chosen = settings.sts_server, settings.sts_server.providers
    stages = (
        (None, registry.find(HearProvider, chosen.hear)),
        (server.asr_model, registry.find(AsrProvider, chosen.asr)),
        (None, registry.find(MtProvider, chosen.mt)),  # says itself what it needs
        (server.tts_model, registry.find(TtsProvider, chosen.tts)),
        (None, registry.find(FitProvider, chosen.fit)),
    )
    own = {model for named, one in stages for model in ([named] if named else one.models[:1])}
    return own | {model for _, one in stages for model in one.beside}


def _plain(settings: Settings) -> Setup:
    return Setup(ModelStore(settings.models), device=settings.sts_server.device)


def _asr(settings: Settings) -> Setup:
    server = settings.sts_server
    return Setup(ModelStore(settings.models), server.asr_model, server.device, server.asr_threads)


def _mt(settings: Settings) -> Setup:
    server = settings.sts_server
    return Setup(ModelStore(settings.models), server.mt_model, server.device)


def _tts(settings: Settings) -> Setup:
    server = settings.sts_server
    return Setup(ModelStore(settings.models), server.tts_model, server.device, server.tts_threads)
