"""Providers by name: what there is, what is refused, and how it is told."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from distributions import forget, install

from dubcast.config import ModelsSettings, ProviderSettings, Settings
from dubcast.errors import ConfigError, MissingPartError
from dubcast.models.manifest import load_manifest
from dubcast.models.store import ModelStore
from dubcast.sts.build import needed_models
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

KINDS: dict[str, Any] = {
    "hear": HearProvider,
    "asr": AsrProvider,
    "mt": MtProvider,
    "tts": TtsProvider,
    "fit": FitProvider,
}
HEAD = """
from dubcast.sts.providers.interface import *
from dubcast.sts.providers.registry import Registration
"""
MUTE = f"""{HEAD}
class Mute(TtsProvider):
    def __init__(self, setup):
        self.capabilities = TtsCapabilities(setup.model or "none")
    def run(self, batch):
        return []

PROVIDER = Registration(create=Mute, offers=lambda setup: Mute(setup).capabilities)
"""

Install = Callable[..., None]


@pytest.fixture
def package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Install]:
    """Installs a package of one module with entry points."""
    monkeypatch.syspath_prepend(str(tmp_path))

    def package(name: str, source: str, *entries: str) -> None:
        lines = [f'"{entry}" = "{name}:PROVIDER"' for entry in entries]
        head = f'[project]\nname = "{name}"\nversion = "1"\n'
        table = f'[project.entry-points."{registry.GROUP}"]\n'
        install(tmp_path, head + table + "\n".join(lines), {f"{name}.py": source})

    yield package
    forget(tmp_path)


def _setup(tmp_path: Path, model: str | None = None) -> registry.Setup:
    return registry.Setup(ModelStore(ModelsSettings(dir=tmp_path / "models")), model)


def _settings(**providers: str) -> Settings:
    return Settings.model_validate({"sts_server": {"providers": providers}})


def test_the_settings_defaults_are_registered() -> None:
    defaults = ProviderSettings().model_dump()
    assert {f"{stage}.{name}" for stage, name in defaults.items()} <= set(registry.BUILT_IN)
    assert all(defaults[stage] in registry.names(kind) for stage, kind in KINDS.items())


# Which languages or voices it has stands in the model that it is given, or in the settings.
TOLD = {"mt.ctranslate2", "mt.libretranslate", "tts.openai"}


@pytest.mark.parametrize("entry", sorted(set(registry.BUILT_IN) - TOLD))
def test_what_is_offered_needs_no_model(entry: str, tmp_path: Path) -> None:
    stage, _, name = entry.partition(".")
    offer = registry.offers(KINDS[stage], Capabilities, name, _setup(tmp_path))
    assert offer.model
    known = load_manifest().models
    assert all(model in known for model in registry.find(KINDS[stage], name).models)


@pytest.mark.parametrize("stage", KINDS)
def test_an_unknown_provider_is_told_with_those_that_there_are(stage: str) -> None:
    known = ", ".join(registry.names(KINDS[stage]))
    assert ProviderSettings().model_dump()[stage] in known
    with pytest.raises(ConfigError) as caught:
        registry.find(KINDS[stage], "nothing")
    assert str(caught.value) == (
        f"sts_server.providers.{stage} = 'nothing': no such provider; there are: {known}"
    )


def test_a_package_s_provider_stands_beside_ours(package: Install, tmp_path: Path) -> None:
    package("mute_voice", MUTE, "tts.mute")
    assert registry.names(TtsProvider) == ["kokoro", "mute", "openai", "piper"]
    made = registry.create(TtsProvider, "mute", _setup(tmp_path))
    assert type(made).__module__ == "mute_voice"
    # Without models of its own it gets the one that is named, and no other's default.
    assert made.capabilities.model == "none"
    assert registry.create(TtsProvider, "mute", _setup(tmp_path, "x")).capabilities.model == "x"
    assert needed_models(_settings(tts="mute")) == {"whisper-base"}
    with pytest.raises(ConfigError, match="there are: kokoro, mute"):
        registry.find(TtsProvider, "nothing")


def test_a_provider_is_only_had_for_its_stage(package: Install) -> None:
    package("mute_voice", MUTE, "tts.mute")
    with pytest.raises(ConfigError, match=r"providers\.mt = 'mute': no such provider"):
        registry.find(MtProvider, "mute")


def test_another_package_s_fault_is_told_and_hurts_no_other(
    package: Install, tmp_path: Path
) -> None:
    package("broken_voice", "import a_library_that_is_not_there", "tts.broken")
    package("mute_voice", MUTE, "tts.mute")
    registry.create(TtsProvider, "mute", _setup(tmp_path))
    with pytest.raises(MissingPartError) as caught:
        registry.create(TtsProvider, "broken", _setup(tmp_path))
    assert "package broken_voice cannot be imported" in str(caught.value)
    assert "a_library_that_is_not_there" in str(caught.value)
    assert "there are: broken, kokoro, mute" in str(caught.value)


def test_a_name_that_two_register_is_refused(package: Install) -> None:
    package("mute_voice", MUTE, "tts.kokoro")
    with pytest.raises(ConfigError, match="by dubcast itself and by package mute_voice"):
        registry.find(TtsProvider, "kokoro")


def test_what_is_no_registration_or_of_another_stage_is_refused(
    package: Install, tmp_path: Path
) -> None:
    package("odd_voice", "PROVIDER = 1", "tts.odd")
    package("mute_voice", MUTE, "mt.mute")
    with pytest.raises(ConfigError, match="odd_voice is no Registration"):
        registry.find(TtsProvider, "odd")
    with pytest.raises(ConfigError, match="made a Mute, which is no MtProvider"):
        registry.create(MtProvider, "mute", _setup(tmp_path))
    with pytest.raises(ConfigError, match="TtsCapabilities, which is no MtCapabilities"):
        registry.offers(MtProvider, MtCapabilities, "mute", _setup(tmp_path))


def test_a_model_is_a_folder_or_a_name_and_must_be_there(tmp_path: Path) -> None:
    own = tmp_path / "my-model"
    own.mkdir()
    setup = _setup(tmp_path, str(own))
    assert (setup.folder(), setup.model_name) == (own, "my-model")
    with pytest.raises(MissingPartError, match="dubcast models pull whisper-base"):
        registry.create(AsrProvider, "whisper", _setup(tmp_path))
    with pytest.raises(MissingPartError, match="none is named"):
        _setup(tmp_path).folder()


def test_voices_come_from_the_manifest(tmp_path: Path) -> None:
    offer = registry.offers(TtsProvider, TtsCapabilities, "kokoro", _setup(tmp_path))
    assert (offer.model, len(offer.voices)) == ("kokoro-82m-int8", 41)
    assert {voice.name for voice in offer.voices if voice.default} == {"af_heart", "pf_dora"}
