"""Puts the service together from the settings: providers, their models, device and threads."""

from __future__ import annotations

import importlib.util
from dataclasses import replace

from dubcast import log
from dubcast.config import Settings, cache_dir
from dubcast.errors import MissingPartError
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
    TtsCapabilities,
    TtsProvider,
)
from dubcast.sts.providers.registry import Device, Setup


def build_engine(settings: Settings) -> Engine:
    """An engine with the providers of the settings, not yet loaded.

    Raises ConfigError if a provider is unknown, MissingPartError if a model is not in the store, or
    what says numbers is not installed.
    """
    if importlib.util.find_spec("num2words") is None:
        raise MissingPartError("num2words is missing: pip install 'dubcast[sts]'")
    chosen, device = settings.sts_server.providers, _device(settings)
    plain = _plain(settings, device)
    providers = Providers(
        hear=registry.create(HearProvider, chosen.hear, plain),
        asr=registry.create(AsrProvider, chosen.asr, _asr(settings, device)),
        mt=registry.create(MtProvider, chosen.mt, _mt(settings, device)),
        tts=registry.create(TtsProvider, chosen.tts, _tts(settings, device)),
        fit=registry.create(FitProvider, chosen.fit, plain),
    )
    engine = Engine(providers, inbox_limit=settings.sts_server.max_pending)
    if device == "cuda":
        gauge = engine.metrics.gpu_memory
        engine.metrics.look = lambda: gauge.set(registry.gpu_memory_used())
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
        (None, registry.find(MtProvider, chosen.mt)),  # a folder, where it needs one
        (server.tts_model, registry.find(TtsProvider, chosen.tts)),
        (None, registry.find(FitProvider, chosen.fit)),
    )
    own = {model for named, one in stages for model in ([named] if named else one.models[:1])}
    return own | {model for _, one in stages for model in one.beside}


def _plain(settings: Settings, device: Device = "cpu") -> Setup:
    limit = settings.sts_server.gpu_memory_gb
    return Setup(ModelStore(settings.models), device=device, gpu_memory_gb=limit)


def _asr(settings: Settings, device: Device = "cpu") -> Setup:
    server = settings.sts_server
    return replace(_plain(settings, device), model=server.asr_model, threads=server.asr_threads)


def _mt(settings: Settings, device: Device = "cpu") -> Setup:
    return replace(_plain(settings, device), model=settings.sts_server.mt_model)


def _tts(settings: Settings, device: Device = "cpu") -> Setup:
    server = settings.sts_server
    return replace(_plain(settings, device), model=server.tts_model, threads=server.tts_threads)
