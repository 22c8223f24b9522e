"""Each setting of the service changes something; the voices need no model."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from sts_fakes import Script, fake_engine
from typer.testing import CliRunner

from dubcast.config import ProviderSettings, Settings
from dubcast.errors import ConfigError, MissingPartError
from dubcast.languages import catalogue
from dubcast.models.manifest import load_manifest
from dubcast.sts.app import create_app
from dubcast.sts.build import build_engine, offered


def _installed(tmp_path: Path) -> Path:
    """A store in which every file has its right size (as holes), and nothing else."""
    for name, entry in load_manifest().models.items():
        folder = tmp_path / name / entry.digest
        folder.mkdir(parents=True)
        for file, pin in entry.files.items():
            with (folder / file).open("wb") as out:
                out.truncate(pin.size)
    return tmp_path


def _settings(store: Path, **sts_server: Any) -> Settings:
    return Settings.model_validate({"models": {"dir": store}, "sts_server": sts_server})


def test_the_defaults_name_the_models(tmp_path: Path) -> None:
    engine = build_engine(_settings(_installed(tmp_path)))
    providers = engine.providers
    assert providers.asr.capabilities.model == "whisper-base"
    assert providers.tts.capabilities.model == "kokoro-82m-int8"
    assert len(providers.tts.capabilities.voices) == 54
    assert ("en", "pt-BR") in providers.mt.capabilities.pairs


def test_models_threads_and_device_are_obeyed(tmp_path: Path) -> None:
    store = _installed(tmp_path / "store")
    own = tmp_path / "my-whisper"
    own.mkdir()
    changed = _settings(
        store, asr_model=str(own), device="cuda", asr_threads=3, tts_threads=5, max_pending=7
    )
    engine = build_engine(changed)
    asr: Any = engine.providers.asr
    tts: Any = engine.providers.tts
    assert (asr._folder, asr.capabilities.model) == (own, "my-whisper")
    assert (asr._device, asr._threads) == ("cuda", 3)
    assert (tts._device, tts._threads) == ("cuda", 5)
    assert engine.asr._inbox._limit == 7
    app = create_app(changed, fake_engine(Script()))
    assert app.state.service.admission._limit == 7


def test_an_unknown_or_missing_model_is_a_clear_error(tmp_path: Path) -> None:
    with pytest.raises(MissingPartError, match="dubcast models pull whisper-base"):
        build_engine(_settings(tmp_path))
    with pytest.raises(MissingPartError, match="there are: whisper-base"):
        build_engine(_settings(_installed(tmp_path), tts_model="nothing"))


@pytest.mark.parametrize("stage", ProviderSettings.model_fields)
def test_the_provider_of_each_stage_is_the_settings(tmp_path: Path, stage: str) -> None:
    named = _settings(_installed(tmp_path), providers={stage: "nothing"})
    with pytest.raises(ConfigError, match=rf"sts_server\.providers\.{stage} = 'nothing'"):
        build_engine(named)


def test_what_is_offered_is_the_settings_providers(tmp_path: Path) -> None:
    for stage in ("mt", "tts"):
        with pytest.raises(ConfigError, match=rf"providers\.{stage} = 'nothing'"):
            offered(_settings(tmp_path, providers={stage: "nothing"}))
    assert offered(_settings(tmp_path)).pairs == (("en", "pt-BR"), ("pt-BR", "en"))


def test_voices_are_listed_without_models(tmp_path: Path, monkeypatch: Any) -> None:
    import typer

    from dubcast.cli import sts

    monkeypatch.chdir(tmp_path)
    app = typer.Typer()
    sts.register(app)
    result = CliRunner().invoke(app, ["voices"])
    assert result.exit_code == 0
    assert len(result.stdout.splitlines()) == 54
    result = CliRunner().invoke(app, ["voices", "--language", "pt"])
    names = [line.split()[0] for line in result.stdout.splitlines()]
    assert names == ["pf_dora", "pm_alex", "pm_santa"]


@pytest.mark.parametrize(
    ("given", "tag"),
    [("en", "en"), ("EN-us", "en"), ("pt", "pt-BR"), ("pt_br", "pt-BR"), ("xx", None), ("", None)],
)
def test_language_aliases(given: str, tag: str | None) -> None:
    found = catalogue.find(given)
    assert (found.tag if found else None) == tag


def test_each_target_language_has_a_default_voice() -> None:
    offer = offered(Settings())
    english, portuguese = offer.pair("en", "pt")
    assert offer.voice("default", portuguese).name == "pf_dora"
    assert offer.voice("default", english).name == "af_heart"
    assert offer.voice("bm_george", english).language == "en-GB"
