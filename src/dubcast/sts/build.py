"""Puts the service together from the settings: providers, their models, device and threads."""

from __future__ import annotations

import importlib.util
import os
from dataclasses import replace
from typing import Any

from dubcast import log
from dubcast.config import Settings, cache_dir
from dubcast.errors import MissingPartError
from dubcast.metrics import StsMetrics
from dubcast.models.store import ModelStore
from dubcast.native import keep_gpu_code
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
    Provider,
    TtsCapabilities,
    TtsProvider,
)
from dubcast.sts.providers.registry import Device, Setup
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
    chosen, device, metrics = settings.sts_server.providers, _device(settings), StsMetrics()
    plain = _plain(settings, device)
    providers = Providers(
        hear=registry.create(HearProvider, chosen.hear, plain),
        asr=registry.create(AsrProvider, chosen.asr, _asr(settings, device, metrics)),
        mt=translation(settings, device, metrics),
        tts=_synthesis(settings, device, metrics),
        fit=registry.create(FitProvider, chosen.fit, plain),
    )
    engine = Engine(
        providers,
        inbox_limit=settings.sts_server.max_pending,
        light_threads=min(len(os.sched_getaffinity(0)), _MOST_LIGHT_THREADS),
        asr_beam=settings.sts_server.asr_beam,
        metrics=metrics,
    )
    if device == "cuda":
        gauge = engine.metrics.gpu_memory
        engine.metrics.looks.append(lambda: gauge.set(registry.gpu_memory_used()))
    return engine


def _device(settings: Settings) -> Device:
    """Where the models run; a GPU that was asked for and is not there is told."""
    asked = settings.sts_server.device
    if asked == "cpu":
        return "cpu"
    keep_gpu_code(cache_dir() / "gpu-code")
    if (reason := registry.gpu_missing()) is None:
        return "cuda"
    note = log.get("gpu").info if asked == "auto" else log.get("gpu").warning
    note("on_the_cpu", reason=reason)
    return "cpu"


def translation(
    settings: Settings, device: Device = "cpu", metrics: StsMetrics | None = None
) -> MtProvider:
    """The provider that translates, not yet loaded. Raises as `build_engine`."""
    name = settings.sts_server.providers.mt
    return registry.create(MtProvider, name, _mt(settings, device, metrics))


def elsewhere(settings: Settings) -> dict[str, Provider[Any, Any]]:
    """The providers whose work is done by a service elsewhere, by stage, not yet loaded.

    Raises as `build_engine`.
    """
    chosen = settings.sts_server.providers
    stages: tuple[tuple[type[Provider[Any, Any]], str, Setup], ...] = (
        (AsrProvider, chosen.asr, _asr(settings)),
        (MtProvider, chosen.mt, _mt(settings)),
        (TtsProvider, chosen.tts, _tts(settings)),
    )
    return {
        kind.stage: registry.create(kind, name, setup)
        for kind, name, setup in stages
        if registry.find(kind, name).remote
    }


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
    own = {
        model
        for named, one in stages
        if not one.remote
        for model in ([named] if named else one.models[:1])
    }
    return own | {model for _, one in stages for model in one.beside}


def unusable_models(settings: Settings) -> dict[str, str]:
    """What is wrong with a model that the settings name and the manifest does not know, by what
    they name. One that translates is asked for what it offers. Raises as `offered`.
    """
    stages: list[tuple[type[Provider[Any, Any]], str, Setup]] = [
        (AsrProvider, settings.sts_server.providers.asr, _asr(settings)),
        *((TtsProvider, name, setup) for name, setup in _speaking(settings)),
    ]
    found = {}
    for kind, name, setup in stages:
        own = setup.model and not setup.store.knows(setup.model)
        if own and not registry.find(kind, name).remote:
            try:
                registry.create(kind, name, setup)
            except MissingPartError as error:
                found[str(setup.model)] = str(error)
    return found


def _synthesis(settings: Settings, device: Device, metrics: StsMetrics) -> TtsProvider:
    """The synthesis, with the operator's Piper voices beside its own."""
    speaking = _speaking(settings, device, metrics)
    return together([registry.create(TtsProvider, name, setup) for name, setup in speaking])


def _voices(settings: Settings) -> TtsCapabilities:
    return joined(
        [
            registry.offers(TtsProvider, TtsCapabilities, name, setup)
            for name, setup in _speaking(settings)
        ]
    )


def _speaking(
    settings: Settings, device: Device = "cpu", metrics: StsMetrics | None = None
) -> list[tuple[str, Setup]]:
    """The providers of voices: the one that is chosen, then the others. Raises MissingPartError."""
    server, setup = settings.sts_server, _tts(settings, device, metrics)
    found = [(server.providers.tts, setup)]
    if server.piper_voices is not None:
        if not server.piper_voices.is_dir():
            raise MissingPartError(f"sts_server.piper_voices: {server.piper_voices} is no folder")
        own = replace(setup, model=str(server.piper_voices), setting="sts_server.piper_voices")
        found.append(("piper", own))
    return found


def voice_subject(settings: Settings) -> Subject | None:
    """What is measured to choose what runs the voice; None where there is no choice.

    Raises as `offered`, and MissingPartError if the model is not installed.
    """
    server = settings.sts_server
    on_gpu = server.device != "cpu" and registry.gpu_missing() is None
    if server.providers.tts != "kokoro" or on_gpu:
        return None
    found = registry.find(TtsProvider, server.providers.tts)
    store = ModelStore(settings.models)
    folder = Setup(store, server.tts_model or found.models[0]).folder()
    return Subject(folder, store.path(found.beside[0]), server.tts_threads)


def _plain(settings: Settings, device: Device = "cpu") -> Setup:
    limit = settings.sts_server.gpu_memory_gb
    return Setup(ModelStore(settings.models), device=device, gpu_memory_gb=limit)


def _asr(settings: Settings, device: Device = "cpu", metrics: StsMetrics | None = None) -> Setup:
    server = settings.sts_server
    return replace(
        _plain(settings, device),
        model=server.asr_model,
        setting="sts_server.asr_model",
        threads=server.asr_threads,
        remote=server.remote.asr,
        metrics=metrics,
    )


def _mt(settings: Settings, device: Device = "cpu", metrics: StsMetrics | None = None) -> Setup:
    server = settings.sts_server
    return replace(
        _plain(settings, device),
        model=server.mt_model,
        setting="sts_server.mt_model",
        remote=server.remote.mt,
        metrics=metrics,
    )


def _tts(settings: Settings, device: Device = "cpu", metrics: StsMetrics | None = None) -> Setup:
    server = settings.sts_server
    return replace(
        _plain(settings, device),
        model=server.tts_model,
        setting="sts_server.tts_model",
        threads=server.tts_threads,
        engine=server.tts_engine,
        remote=server.remote.tts,
        metrics=metrics,
    )
