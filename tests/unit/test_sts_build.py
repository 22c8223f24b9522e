"""Each setting of the service changes something; the voices need no model."""

from __future__ import annotations

import importlib.util
import re
from pathlib import Path
from typing import Any

import ctranslate2
import numpy as np
import onnxruntime
import pytest
import structlog
import tokenizers
from typer.testing import CliRunner

from dubcast.config import ModelsSettings, ProviderSettings, Settings
from dubcast.errors import ConfigError, DubcastError, MissingPartError, StsError
from dubcast.languages import catalogue
from dubcast.models.store import ModelStore
from dubcast.sts import build, synthesis
from dubcast.sts.build import build_engine, offered
from dubcast.sts.providers import cuda, tts_kokoro
from dubcast.sts.providers.interface import AsrCapabilities, AsrTask
from dubcast.sts.server import _raise_failure
from holes import store_of_holes
from sts_fakes import Script, fake_engine


def _settings(store: Path, **sts_server: Any) -> Settings:
    return Settings.model_validate({"models": {"dir": store}, "sts_server": sts_server})


def test_the_defaults_name_the_models(tmp_path: Path) -> None:
    engine = build_engine(_settings(store_of_holes(tmp_path)))
    providers = engine.providers
    assert providers.asr.capabilities.model == "whisper-base"
    assert providers.tts.capabilities.model == "kokoro-82m-int8"
    assert len(providers.tts.capabilities.voices) == 41
    assert ("en", "pt-BR") in providers.mt.capabilities.pairs


class Loading(Exception):
    """A model's library was asked to load this; `given` are the arguments."""

    def __init__(self, *args: Any, **named: Any) -> None:
        super().__init__()
        self.given = args, named


def _loading(*args: Any, **named: Any) -> None:
    raise Loading(*args, **named)


def _asked(provider: Any) -> tuple[tuple[Any, ...], dict[str, Any]]:
    with pytest.raises(Loading) as caught:
        provider.load()
    given: tuple[tuple[Any, ...], dict[str, Any]] = caught.value.given
    return given


@pytest.fixture
def a_gpu(monkeypatch: pytest.MonkeyPatch) -> None:
    """A machine that has a GPU, as far as anybody asks."""
    monkeypatch.setattr(build, "keep_gpu_code", lambda folder: None)
    monkeypatch.setattr(cuda, "missing", lambda: None)
    monkeypatch.setattr(cuda, "load_cublas", lambda: None)
    monkeypatch.setattr(cuda, "float_type", lambda: "float16")


@pytest.mark.usefixtures("a_gpu")
def test_the_recognizers_model_threads_and_device_are_obeyed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    own = tmp_path / "my-whisper"
    own.mkdir()
    tokenizer = tokenizers.Tokenizer(tokenizers.models.WordLevel({"<|endoftext|>": 0}))
    tokenizer.save(str(own / "tokenizer.json"))
    for name in ("model.bin", "config.json"):
        (own / name).touch()
    changed = {"asr_model": str(own), "device": "cuda", "asr_threads": 3}
    asr = build_engine(_settings(store_of_holes(tmp_path / "store"), **changed)).providers.asr
    assert asr.capabilities == AsrCapabilities(
        "my-whisper", 32, tells_languages=True, hears_around=True
    )
    asked = []

    def loading(folder: str, **named: Any) -> None:
        asked.append((folder, named["device"], named["compute_type"], named["intra_threads"]))
        raise Loading((), {})

    monkeypatch.setattr(ctranslate2.models, "Whisper", loading)
    with pytest.raises(Loading):
        asr.load()
    # What the GPU cannot do, the CPU does.
    assert asked == [(str(own), "cuda", "float16", 3), (str(own), "cpu", "int8", 3)]
    assert asr.capabilities.batch_max == 4


@pytest.mark.usefixtures("a_gpu")
def test_the_voices_model_threads_and_memory_are_obeyed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    own = tmp_path / "my-kokoro"
    own.mkdir()
    (own / "vocab.json").write_text('{"vocab": {}}')
    (own / "model.onnx").touch()
    changed = {"tts_model": str(own), "device": "cuda", "tts_threads": 5, "gpu_memory_gb": 3.0}
    tts = build_engine(_settings(store_of_holes(tmp_path / "store"), **changed)).providers.tts
    assert (tts.capabilities.model, tts.capabilities.batch_max) == ("my-kokoro", 16)
    limits: list[float | None] = []

    def no_torch(limit_gb: float | None) -> None:
        limits.append(limit_gb)
        raise MissingPartError("torch is missing")

    monkeypatch.setattr(cuda, "torch_on_gpu", no_torch)
    monkeypatch.setattr(onnxruntime, "InferenceSession", _loading)
    (file, options), named = _asked(tts)
    assert limits == [3.0]
    assert Path(file).parent == own
    assert options.intra_op_num_threads == 5
    assert named["providers"] == ["CPUExecutionProvider"]
    assert tts.capabilities.batch_max == 1


@pytest.mark.parametrize(("there", "opened"), [(False, "model.onnx"), (True, "products.onnx")])
def test_the_quicker_network_is_opened_or_it_is_told_that_it_is_missing(
    there: bool, opened: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = store_of_holes(tmp_path)
    if there:
        (ModelStore(ModelsSettings(dir=store)).path("kokoro-82m-int8") / "products.onnx").touch()
    tts = build_engine(_settings(store, tts_engine="onnxruntime")).providers.tts
    monkeypatch.setattr(synthesis, "processor", lambda: "any | avx_vnni")
    monkeypatch.setattr(tts_kokoro, "KokoroInputs", lambda *_: None)
    monkeypatch.setattr(onnxruntime, "InferenceSession", _loading)
    with structlog.testing.capture_logs() as lines:
        (file, _), _ = _asked(tts)
    assert Path(file).name == opened
    told = [one["reason"] for one in lines if one["event"] == "synthesis_slower"]
    assert ["`dubcast models pull`" in one for one in told] == [True] * (not there)


def test_without_a_gpu_the_cpu_is_used_and_the_reason_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(build, "keep_gpu_code", lambda folder: None)
    monkeypatch.setattr(cuda, "missing", lambda: "no GPU here")
    store = store_of_holes(tmp_path)
    with structlog.testing.capture_logs() as lines:
        for device in ("cuda", "auto", "cpu"):
            engine = build_engine(_settings(store, device=device))
            assert engine.providers.asr.capabilities.batch_max == 4
    told = [(one["log_level"], one["event"], one["reason"]) for one in lines]
    assert told == [(level, "on_the_cpu", "no GPU here") for level in ("warning", "info")]


def test_as_many_may_wait_for_a_model_as_are_admitted(tmp_path: Path) -> None:
    engine = build_engine(_settings(store_of_holes(tmp_path), max_pending=7))
    task = AsrTask(np.zeros(16, np.float32), "en")
    for _ in range(7):
        engine.asr.submit(task, "demo", 10**18)
    with pytest.raises(StsError, match="full"):
        engine.asr.submit(task, "demo", 10**18)


def test_an_unknown_or_missing_model_is_a_clear_error(tmp_path: Path) -> None:
    with pytest.raises(MissingPartError, match="dubcast models pull whisper-base"):
        build_engine(_settings(tmp_path))
    with pytest.raises(MissingPartError, match="there are: whisper-base"):
        build_engine(_settings(store_of_holes(tmp_path), tts_model="nothing"))


@pytest.mark.parametrize(
    ("stage", "named", "told"),
    [
        ("asr", {"asr_model": "./own"}, "sts_server.asr_model = ./own"),
        ("tts", {"piper_voices": Path("/own")}, "sts_server.piper_voices = /own"),
        ("mt", {}, "`dubcast models verify` looks at its files"),
    ],
)
def test_a_model_that_a_library_cannot_load_is_named(
    stage: str, named: dict[str, Any], told: str
) -> None:
    engine = fake_engine(Script())
    failed = next(one for one in engine.stages if one.name == stage)
    failed.failure = RuntimeError("bad magic number")
    settings = Settings.model_validate({"sts_server": named})
    kind = MissingPartError if named else DubcastError
    with pytest.raises(kind) as caught:
        _raise_failure(settings, engine)
    assert type(caught.value) is kind
    expected = f"a model cannot be loaded: bad magic number (stage {stage}: {told})"
    assert str(caught.value) == expected


def test_a_missing_library_for_numbers_is_a_clear_error(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    with pytest.raises(MissingPartError, match=r"num2words is missing: pip install"):
        build_engine(_settings(store_of_holes(tmp_path)))


@pytest.mark.parametrize("stage", ProviderSettings.model_fields)
def test_the_provider_of_each_stage_is_the_settings(tmp_path: Path, stage: str) -> None:
    named = _settings(store_of_holes(tmp_path), providers={stage: "nothing"})
    with pytest.raises(ConfigError, match=rf"sts_server\.providers\.{stage} = 'nothing'"):
        build_engine(named)


def test_what_is_offered_is_the_settings_providers(tmp_path: Path) -> None:
    for stage in ("asr", "mt", "tts"):
        with pytest.raises(ConfigError, match=rf"providers\.{stage} = 'nothing'"):
            offered(_settings(tmp_path, providers={stage: "nothing"}))
    named, auto = (("en", "pt-BR"), ("pt-BR", "en")), (("auto", "en"), ("auto", "pt-BR"))
    assert offered(_settings(store_of_holes(tmp_path))).pairs == (*named, *auto)


def test_voices_are_listed_without_models_with_what_gets_them(
    tmp_path: Path, monkeypatch: Any
) -> None:
    import typer

    from dubcast.cli import sts

    monkeypatch.chdir(tmp_path)
    app = typer.Typer()
    sts.register(app)
    result = CliRunner().invoke(app, ["voices"])
    assert result.exit_code == 0
    listed, _, costs = result.stdout.partition("\n\n")
    assert len(listed.splitlines()) == 41
    result = CliRunner().invoke(app, ["voices", "--language", "pt"])
    listed, _, costs = result.stdout.partition("\n\n")
    assert [line.split()[0] for line in listed.splitlines()] == ["pf_dora", "pm_alex", "pm_santa"]
    assert listed.splitlines()[0].split() == ["pf_dora", "pt-BR", "female", "kokoro", "default"]
    assert [line.split()[0] for line in costs.splitlines()] == [
        *("kokoro-82m-int8", "kokoro-voices", "piper-en-us-joe-medium")
    ]
    assert "piper_voices" in CliRunner().invoke(app, ["voices", "--language", "de"]).stderr
    same = CliRunner().invoke(app, ["voices", "--language", "pt_BR"])
    assert same.stdout == result.stdout
    unknown = CliRunner().invoke(app, ["voices", "--language", "klingon"])
    assert re.match("--language klingon: no such language .*, pt-BR, ", str(unknown.exception))


@pytest.mark.parametrize(
    ("given", "tag"),
    [("en", "en"), ("EN-us", "en"), ("pt", "pt-BR"), ("pt_br", "pt-BR"), ("xx", None), ("", None)],
)
def test_language_aliases(given: str, tag: str | None) -> None:
    found = catalogue.find(given)
    assert (found.tag if found else None) == tag


def test_each_target_language_has_a_default_voice(tmp_path: Path) -> None:
    offer = offered(_settings(store_of_holes(tmp_path)))
    (english,), portuguese = offer.direction("en", "pt")
    assert offer.voice("default", portuguese).name == "pf_dora"
    assert offer.voice("default", english).name == "af_heart"
    assert offer.voice("bm_george", english).language == "en-GB"
