"""The providers by stage and name: those in this package, and those that other packages register.

A provider's module has a `Registration`; its entry point is named `<stage>.<name>`. A package
registers its own in the group `dubcast.sts.providers`. Only the module that is asked for is
imported.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cache
from importlib.metadata import EntryPoint, entry_points
from pathlib import Path
from typing import Any, Literal, TypeVar

from dubcast.config import RemoteSettings
from dubcast.errors import ConfigError, MissingPartError
from dubcast.metrics import StsMetrics
from dubcast.models.store import ModelStore
from dubcast.sts.providers import cuda
from dubcast.sts.providers.interface import Capabilities, Provider
from dubcast.sts.synthesis import AskedEngine

GROUP = "dubcast.sts.providers"
BUILT_IN = {
    "hear.silero": "dubcast.sts.providers.hear_silero:PROVIDER",
    "asr.whisper": "dubcast.sts.providers.asr_whisper:PROVIDER",
    "mt.fxtranslate": "dubcast.sts.providers.mt_fxtranslate:PROVIDER",
    "mt.ctranslate2": "dubcast.sts.providers.mt_ctranslate2:PROVIDER",
    "asr.openai": "dubcast.sts.providers.asr_openai:PROVIDER",
    "mt.openai": "dubcast.sts.providers.mt_openai:PROVIDER",
    "mt.libretranslate": "dubcast.sts.providers.mt_libretranslate:PROVIDER",
    "tts.openai": "dubcast.sts.providers.tts_openai:PROVIDER",
    "tts.kokoro": "dubcast.sts.providers.tts_kokoro:PROVIDER",
    "tts.piper": "dubcast.sts.providers.tts_piper:PROVIDER",
    "fit.signalsmith": "dubcast.sts.providers.fit_signalsmith:PROVIDER",
}

Device = Literal["cpu", "cuda"]
P = TypeVar("P", bound=Provider[Any, Any])
C = TypeVar("C", bound=Capabilities)


@dataclass(frozen=True)
class Setup:
    """What a provider is made from.

    `model`: as the settings name it, in the manifest or a folder; the registry puts the
    provider's own default where none is named, and leaves None for a provider without models.
    `engine`: what runs the model, where a provider has a choice. `gpu_memory_gb`: what it may take
    of a GPU's memory. `remote`: the service elsewhere that the settings name for the stage;
    `metrics`: where its calls are counted. `setting`: what names the model, for messages.
    """

    store: ModelStore
    model: str | None = None
    device: Device = "cpu"
    threads: int = 1
    engine: AskedEngine = "auto"
    gpu_memory_gb: float | None = None
    remote: RemoteSettings | None = None
    metrics: StsMetrics | None = None
    setting: str = ""

    @property
    def model_name(self) -> str:
        """The model's name in replies: the last part of a folder."""
        return Path(self._model).name

    def folder(self, *files: str) -> Path:
        """The folder of the model, with these files in it: a folder as it is (`./x`, `/x`), or a
        name in the manifest.

        Raises MissingPartError if it is not in the store, or not in the manifest, or no folder, or
        lacks a file.
        """
        folder = Path(self._model)
        if not folder.is_dir():
            if "/" in self._model:
                raise self.unusable("is no folder")
            if not self.store.knows(self._model):
                raise self.unusable(f"is no folder, and {self.store.not_known(self._model)}")
            return self.store.path(self._model)
        if lacking := [file for file in files if not (folder / file).is_file()]:
            raise self.unusable(f"has no {', '.join(lacking)}")
        return folder

    def unusable(self, why: str) -> MissingPartError:
        """An error about the model that says where it is named."""
        named = f"{self.setting} = " if self.setting else "model "
        return MissingPartError(f"{named}{self._model}: {why}")

    @property
    def _model(self) -> str:
        if self.model is None:
            raise MissingPartError("this provider needs a model, and none is named")
        return self.model


@dataclass(frozen=True)
class Registration:
    """How a provider is had.

    `create`: makes it, not yet loaded; may raise MissingPartError. `offers`: what it will be able
    to do, without loading a model. `models`: names in the manifest that it can run; the first is
    its default. `beside`: what it needs whichever of these it runs. `remote`: the work is done by a
    service elsewhere, and `load` asks that whether it is there. Neither function imports an engine:
    `load` does.
    """

    create: Callable[[Setup], Provider[Any, Any]]
    offers: Callable[[Setup], Capabilities]
    models: tuple[str, ...] = ()
    beside: tuple[str, ...] = ()
    remote: bool = False


def create(kind: type[P], name: str, setup: Setup) -> P:
    """A provider of a stage (`TtsProvider`), not yet loaded.

    Raises ConfigError for a name that is not registered for this stage, and MissingPartError if its
    module cannot be imported or its model is not installed; the message lists what there is.
    """
    registration = find(kind, name)
    provider = registration.create(_with_model(registration, setup))
    if not isinstance(provider, kind):
        made = type(provider).__name__
        raise ConfigError(
            f"provider {kind.stage}.{name} made a {made}, which is no {kind.__name__}"
        )
    return provider


def offers(kind: type[P], of: type[C], name: str, setup: Setup) -> C:
    """What a provider will be able to do, in its stage's terms (`TtsCapabilities`).

    No model is needed. Raises as `create`.
    """
    registration = find(kind, name)
    offer = registration.offers(_with_model(registration, setup))
    if not isinstance(offer, of):
        raise ConfigError(
            f"provider {kind.stage}.{name} offers a {type(offer).__name__}, "
            f"which is no {of.__name__}"
        )
    return offer


def names(kind: type[P]) -> list[str]:
    """The names of a stage's providers."""
    prefix = f"{kind.stage}."
    return sorted(
        {one.name.removeprefix(prefix) for one in _entries() if one.name.startswith(prefix)}
    )


def find(kind: type[P], name: str) -> Registration:
    """A provider's registration. Raises as `create`."""
    where = f"sts_server.providers.{kind.stage} = {name!r}"
    found = [one for one in _entries() if one.name == f"{kind.stage}.{name}"]
    if not found:
        raise ConfigError(f"{where}: no such provider; there are: {', '.join(names(kind))}")
    if len(found) > 1:
        raise ConfigError(f"{where}: registered by {' and by '.join(map(_origin, found))}")
    try:
        registration = found[0].load()
    # Provider border: a package that is not ours may fail in any way while it is imported.
    except Exception as error:
        raise MissingPartError(
            f"{where}: {_origin(found[0])} cannot be imported ({type(error).__name__}: {error}); "
            f"there are: {', '.join(names(kind))}"
        ) from error
    if not isinstance(registration, Registration):
        raise ConfigError(f"{where}: {found[0].value} of {_origin(found[0])} is no Registration")
    return registration


def gpu_missing() -> str | None:
    """Why no provider can have a GPU, or None."""
    return cuda.missing()


def gpu_memory_used() -> float:
    """Bytes of the GPU's memory that are taken, by whomever."""
    return cuda.memory_used()


def _with_model(registration: Registration, setup: Setup) -> Setup:
    default = registration.models[0] if registration.models else None
    return replace(setup, model=setup.model or default)


def _entries() -> list[EntryPoint]:
    own = [EntryPoint(name, value, GROUP) for name, value in BUILT_IN.items()]
    return [*own, *_registered(tuple(sys.path))]


@cache
def _registered(path: tuple[str, ...]) -> tuple[EntryPoint, ...]:
    """What the packages on `path`, which is the interpreter's, register: all of them are read."""
    return tuple(entry_points(group=GROUP))


def _origin(entry: EntryPoint) -> str:
    return f"package {entry.dist.name}" if entry.dist is not None else "dubcast itself"
