"""The real engine, with real weights that a local server gives out as Mozilla does: packed."""

from __future__ import annotations

import gzip
import hashlib
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from dubcast.config import ModelsSettings, Settings
from dubcast.errors import MissingPartError
from dubcast.languages import catalogue
from dubcast.languages.language import Language, Variety
from dubcast.models.manifest import Manifest, load_manifest
from dubcast.models.mozilla import mozilla_models
from dubcast.models.pull import pull
from dubcast.models.pull_translations import pull_translations
from dubcast.models.store import ModelStore
from dubcast.sts.providers import registry
from dubcast.sts.providers.interface import MtProvider, MtTask
from dubcast.sts.providers.registry import Setup

sys.path.insert(0, str(Path(__file__).parents[1] / "unit"))
from file_server import FileServer, serving

WEIGHTS = "bergamot-en-pt"
FILES = {"model.bin": "model", "shortlist.bin": "lex", "vocab.spm": "vocab"}


def _weights() -> Path:
    try:
        return ModelStore(Settings().models).path(WEIGHTS)
    except MissingPartError as error:
        pytest.skip(str(error))


def _table(folder: Path, files: dict[str, bytes]) -> str:
    """The same weights for three directions: what comes out of each is Portuguese."""
    rows = ["# commit " + "a" * 40]
    packed = {name: gzip.compress((folder / name).read_bytes(), 1) for name in FILES}
    for pair in (("en", "pt"), ("en", "fr"), ("fr", "en")):
        for name, theirs in FILES.items():
            file = f"{theirs}.{''.join(pair)}.gz"
            files[f"/tiny/{''.join(pair)}/{file}"] = packed[name]
            cells = ["tiny", *pair, file, str(len(packed[name])), _sha(packed[name])]
            data = (folder / name).read_bytes()
            own = [str(len(data)), _sha(data)] if theirs == "model" else []
            rows.append("\t".join(cells + own))
    return "\n".join(rows) + "\n"


def _sha(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


@pytest.fixture(scope="module")
def pulled(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ModelStore]:
    folder = tmp_path_factory.mktemp("translations")
    files: dict[str, bytes] = {}
    (folder / "table.tsv").write_text(_table(_weights(), files))
    translations = mozilla_models(folder / "table.tsv")
    manifest = Manifest.model_validate({"models": {}, "translations": translations})
    store = ModelStore(ModelsSettings(dir=folder / "store"), manifest)
    server: FileServer
    with serving(files) as server:

        def one(name: str) -> Path:
            return pull(store, [name], None, "hub", mirror=server.url)[0]

        pull_translations(store, [("en", "pt"), ("fr", "pt")], None, one)
    yield store


@pytest.fixture
def mt(pulled: ModelStore, monkeypatch: pytest.MonkeyPatch) -> Iterator[MtProvider]:
    french = Language("fr", (Variety("fr", espeak="fr"),))
    known = (*(one for one in catalogue.known() if one.tag != "fr"), french)
    monkeypatch.setattr(catalogue, "known", lambda: known)
    names = {language.tag: language for language in known}
    monkeypatch.setattr(catalogue, "find", names.get)
    provider = registry.create(MtProvider, "fxtranslate", Setup(pulled))
    provider.load()
    yield provider
    provider.close()


def test_what_was_pulled_packed_translates(mt: MtProvider) -> None:
    said = mt.run([MtTask("Good evening. The game starts at eight o'clock.", "en", "pt-BR")])
    assert said == ["Boa noite. O jogo começa às oito horas."]


def test_a_direction_by_way_of_english(mt: MtProvider) -> None:
    assert ("fr", "pt-BR") in mt.capabilities.pairs
    [said] = mt.run([MtTask("The game starts.", "fr", "pt-BR")])
    assert "jogo" in said


def test_the_pins_of_the_unclear_weights_are_those_of_the_package() -> None:
    _weights()
    store = ModelStore(Settings().models)
    assert store.verify([WEIGHTS]) == {WEIGHTS: []}
    assert load_manifest().translations[WEIGHTS].caution
