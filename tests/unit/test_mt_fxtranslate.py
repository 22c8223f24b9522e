"""The translation provider, with an engine that writes down what it was made of and what it got."""

from __future__ import annotations

import gzip
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from dubcast.config import ModelsSettings, Settings
from dubcast.errors import ConfigError, MissingPartError, StsError
from dubcast.models.manifest import load_manifest
from dubcast.models.store import ModelStore
from dubcast.sts.providers import mt_fxtranslate, registry
from dubcast.sts.providers.interface import MtCapabilities, MtProvider, MtTask
from dubcast.sts.providers.registry import Setup
from holes import store_of_holes

BOTH = ("mozilla-en-pt-base-memory", "mozilla-pt-en-base-memory")


class PanicException(BaseException):
    """What the engine's binding raises when the engine panics."""


class Engine:
    def __init__(self, model: bytes, source: bytes, target: bytes, shortlist: bytes | None) -> None:
        self.made_of = model, source, target, shortlist

    def translate(self, text: str) -> str:
        if "panic" in text:
            raise PanicException("lost")
        return f" <{text}> "


@pytest.fixture(autouse=True)
def engine(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[str]]:
    """An engine in place of the real one; the names of the models that were loaded."""
    module = ModuleType("fxtranslate")
    module.Translator = Engine  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "fxtranslate", module)
    loaded: list[str] = []

    def load(folder: Path) -> Engine:
        loaded.append(folder.parent.name)
        return Engine(b"", b"", b"", None)

    monkeypatch.setattr(mt_fxtranslate, "_loaded", load)
    yield loaded


def _provider(folder: Path, *names: str, model: str | None = None) -> Any:
    setup = Setup(ModelStore(ModelsSettings(dir=store_of_holes(folder, names))), model)
    return registry.create(MtProvider, "fxtranslate", setup)


def _offer(folder: Path) -> MtCapabilities:
    setup = Setup(ModelStore(ModelsSettings(dir=folder)))
    return registry.offers(MtProvider, MtCapabilities, "fxtranslate", setup)


def test_sentences_are_translated_one_by_one(tmp_path: Path) -> None:
    mt = _provider(tmp_path, *BOTH)
    tasks = [MtTask("He came at 3 p.m. today. She left.", "en", "pt-BR"), MtTask("", "pt-BR", "en")]
    assert mt.run(tasks) == ["<He came at 3 p.m. today.> <She left.>", ""]


def test_a_direction_without_a_model_goes_by_way_of_english(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, engine: list[str]
) -> None:
    from dubcast.languages import catalogue
    from dubcast.languages.language import Language, Variety

    spanish = Language("es", (Variety("es", espeak="es"),))
    known = (*(one for one in catalogue.known() if one.tag != "es"), spanish)
    monkeypatch.setattr(catalogue, "known", lambda: known)
    mt = _provider(tmp_path, "mozilla-pt-en-tiny", "mozilla-en-es-tiny")
    assert {("pt-BR", "es"), ("en", "es"), ("pt-BR", "en")} <= mt.capabilities.pairs
    assert mt.run([MtTask("Oi.", "pt-BR", "es")]) == ["<<Oi.>>"]
    assert engine == ["mozilla-pt-en-tiny", "mozilla-en-es-tiny"]


def test_what_is_not_here_is_named_with_the_command_that_gets_it(tmp_path: Path) -> None:
    offer = _offer(store_of_holes(tmp_path, BOTH[:1]))
    assert offer.pairs == {("en", "pt-BR")}
    assert offer.to_get["pt-BR", "en"] == "dubcast models pull --from pt-BR --to en"


def test_without_any_translation_there_is_no_provider(tmp_path: Path) -> None:
    with pytest.raises(MissingPartError, match="run `dubcast models pull`"):
        _provider(tmp_path)


@pytest.mark.parametrize(
    ("wanted", "taken"),
    [(None, "mozilla-en-pt-base-memory"), ("tiny", "mozilla-en-pt-tiny"), ("base", BOTH[0])],
)
def test_the_wanted_architecture_is_taken_where_it_is(
    tmp_path: Path, engine: list[str], wanted: str | None, taken: str
) -> None:
    _provider(tmp_path, *BOTH[:1], "mozilla-en-pt-tiny", model=wanted).load()
    assert engine == [taken]


def test_an_unknown_architecture_is_told(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"mt_model = 'huge'.*tiny, base-memory, base"):
        _provider(tmp_path, *BOTH, model="huge")


def test_unclear_weights_are_told_of_the_directions_that_use_them(tmp_path: Path) -> None:
    both = _offer(store_of_holes(tmp_path / "both", ("bergamot-en-pt", BOTH[0], BOTH[1])))
    assert both.cautions == {}
    alone = _offer(store_of_holes(tmp_path / "alone", ("bergamot-en-pt", BOTH[1])))
    assert list(alone.cautions) == [("en", "pt-BR")]
    assert alone.cautions["en", "pt-BR"].startswith("bergamot-en-pt: its licence is not clear")


def test_a_model_is_loaded_once(tmp_path: Path, engine: list[str]) -> None:
    mt = _provider(tmp_path, *BOTH)
    mt.load()
    mt.run([MtTask("Hi.", "en", "pt-BR"), MtTask("Oi.", "pt-BR", "en")])
    assert sorted(engine) == sorted(BOTH)


def test_a_panic_of_the_engine_is_a_fault_and_not_the_end_of_the_thread(tmp_path: Path) -> None:
    with pytest.raises(RuntimeError, match="panicked: lost"):
        _provider(tmp_path, *BOTH).run([MtTask("panic", "en", "pt-BR")])


def test_another_direction_is_refused(tmp_path: Path) -> None:
    with pytest.raises(StsError, match="cannot translate en into xx"):
        _provider(tmp_path, *BOTH).run([MtTask("Hi.", "en", "xx")])


@pytest.mark.parametrize("shared", [True, False])
def test_an_engine_is_made_of_the_files_packed_or_not(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, shared: bool
) -> None:
    monkeypatch.undo()
    module = ModuleType("fxtranslate")
    module.Translator = Engine  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "fxtranslate", module)
    (tmp_path / "model.bin").write_bytes(b"m")
    (tmp_path / "shortlist.bin.gz").write_bytes(gzip.compress(b"s"))
    words = ["vocab.spm.gz"] if shared else ["source.spm.gz", "target.spm.gz"]
    for name in words:
        (tmp_path / name).write_bytes(gzip.compress(name.encode()))
    engine = mt_fxtranslate._loaded(tmp_path)
    assert engine.made_of == (b"m", words[0].encode(), words[-1].encode(), b"s")


def test_each_shipped_model_has_the_files_that_an_engine_is_made_of() -> None:
    for name, entry in load_manifest().translations.items():
        files = {file.removesuffix(".gz") for file in entry.files}
        own = files & {"vocab.spm", "source.spm", "target.spm"}
        assert own in ({"vocab.spm"}, {"source.spm", "target.spm"}), name
        assert files - own == {"model.bin", "shortlist.bin"}, name


def test_a_service_without_what_its_streams_ask_for_does_not_start(tmp_path: Path) -> None:
    from dubcast.sts.build import offered
    from dubcast.sts.server import _look_at_translations

    store = {"models": {"dir": store_of_holes(tmp_path, BOTH[:1])}}
    asks = {"stream": {"source_language": "pt-BR", "target_language": "en"}, **store}
    for given in (store, {"stream": {"target_language": "pt"}, **store}):
        settings = Settings.model_validate(given)
        _look_at_translations(settings, offered(settings))
    settings = Settings.model_validate(asks)
    with pytest.raises(MissingPartError) as caught:
        _look_at_translations(settings, offered(settings))
    assert str(caught.value) == (
        "no translation from pt-BR to en: run `dubcast models pull --from pt-BR --to en`"
    )
