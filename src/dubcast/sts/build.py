"""Puts the service together from the settings: providers, their models, device and threads."""

from __future__ import annotations

import importlib.util
import os
from dataclasses import replace

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
from dubcast.sts.several_voices import joined, together
from dubcast.sts.synthesis import Subject

# What hears, translates and fits holds Python's lock for half of its time.
_MOST_LIGHT_THREADS = 4


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
        mt=registry.create(MtProvider, chosen.mt, _mt(settings)),
        tts=_synthesis(settings),
        fit=registry.create(FitProvider, chosen.fit, plain),
    )
    return Engine(
        providers,
        inbox_limit=settings.sts_server.max_pending,
        light_threads=min(len(os.sched_getaffinity(0)), _MOST_LIGHT_THREADS),
        asr_beam=settings.sts_server.asr_beam,
    )


def offered(settings: Settings) -> Offer:
    """What the service of these settings will offer: nothing is loaded, no model is needed.

    Raises ConfigError if a provider is unknown or offers what another stage's would.
    """
    chosen = settings.sts_server.providers
    asr = registry.offers(AsrProvider, Capabilities, chosen.asr, _asr(settings))
    mt = registry.offers(MtProvider, MtCapabilities, chosen.mt, _mt(settings))
    return Offer.of(asr, mt, _voices(settings))


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


def _synthesis(settings: Settings) -> TtsProvider:
    """The synthesis, with the operator's Piper voices beside its own."""
    return together(
        [registry.create(TtsProvider, name, setup) for name, setup in _speaking(settings)]
    )


def _voices(settings: Settings) -> TtsCapabilities:
    return joined(
        [
            registry.offers(TtsProvider, TtsCapabilities, name, setup)
            for name, setup in _speaking(settings)
        ]
    )


def _speaking(settings: Settings) -> list[tuple[str, Setup]]:
    """The providers of voices: the one that is chosen, then the others. Raises MissingPartError."""
    server, setup = settings.sts_server, _tts(settings)
    found = [(server.providers.tts, setup)]
    if server.piper_voices is not None:
        if not server.piper_voices.is_dir():
            raise MissingPartError(f"sts_server.piper_voices: {server.piper_voices} is no folder")
        found.append(("piper", replace(setup, model=str(server.piper_voices))))
    return found


def voice_subject(settings: Settings) -> Subject | None:
    """What is measured to choose what runs the voice; None where there is no choice.

    Raises as `offered`, and MissingPartError if the model is not installed.
    """
    server = settings.sts_server
    if server.providers.tts != "kokoro" or server.device != "cpu":
        return None
    found = registry.find(TtsProvider, server.providers.tts)
    store = ModelStore(settings.models)
    folder = Setup(store, server.tts_model or found.models[0]).folder()
    return Subject(folder, store.path(found.beside[0]), server.tts_threads)


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
    return Setup(
        ModelStore(settings.models),
        server.tts_model,
        server.device,
        server.tts_threads,
        server.tts_engine,
    )
