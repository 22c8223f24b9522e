"""The model store: verified files in a folder per model, written by `dubcast models pull` alone.

Layout: `<dir>/<model>/<digest>/<file>`. The digest names the exact set of needed files, so a newer
manifest never mixes with older files, and a running service keeps the ones that it opened. What a
model can do without may lie beside them. This is the reading side, all that a service needs; `pull`
writes.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from dubcast.config import ModelsSettings, cache_dir
from dubcast.errors import MissingPartError, ModelStoreError
from dubcast.models.integrity import fault, size_of
from dubcast.models.manifest import Manifest, ModelEntry, TranslationEntry, load_manifest


@dataclass(frozen=True)
class StoredModel:
    """A model and whether all files that it needs are here (sizes only; `faults` checks hashes).

    `outdated`: they are not, but another version of dubcast pulled the model.
    """

    name: str
    entry: ModelEntry
    path: Path
    installed: bool
    outdated: bool

    @property
    def state(self) -> str:
        """`installed`, `outdated` or `missing`."""
        return "installed" if self.installed else "outdated" if self.outdated else "missing"

    def faults(self) -> list[str]:
        """What is wrong with the files, fetched and converted; hashes each of them."""
        if not self.path.is_dir():
            return ["pulled by another version of dubcast" if self.outdated else "not installed"]
        found = (fault(self.path / file, pin) for file, pin in self.entry.all_files.items())
        return [one for one in found if one is not None]


class ModelStore:
    """Finds the models of the manifest in one folder. Safe to use from several processes."""

    def __init__(self, settings: ModelsSettings, manifest: Manifest | None = None) -> None:
        self.dir = settings.dir or cache_dir() / "models"
        self._manifest = manifest or load_manifest()

    @property
    def translations(self) -> dict[str, TranslationEntry]:
        """The models of the manifest that translate, by name."""
        return self._manifest.translations

    def entries(self) -> list[StoredModel]:
        """Every model of the manifest, in its order; of those that translate what is here."""
        translations = (self._stored(name) for name in self._manifest.translations)
        models = [self._stored(name) for name in self._manifest.models]
        return [*models, *(one for one in translations if one.state != "missing")]

    def knows(self, name: str) -> bool:
        """Whether the manifest has a model of this name."""
        return self._manifest.entry(name) is not None

    def has(self, name: str) -> bool:
        """Whether all files of a model are here."""
        return self._stored(name).installed

    def path(self, name: str) -> Path:
        """Folder with the files of a model.

        Raises MissingPartError if it is not installed or not in the manifest.
        """
        if not self.knows(name):
            raise MissingPartError(self.not_known(name))
        stored = self._stored(name)
        if stored.installed:
            return stored.path
        what = "was pulled by another version of dubcast" if stored.outdated else "is not there"
        raise MissingPartError(
            f"model {name} in {self.dir} {what}: run `dubcast models pull {name}`"
        )

    def chosen(self, names: Iterable[str] | None) -> list[StoredModel]:
        """The models of these names (None: all, of those on request what is here).

        Raises ModelStoreError for an unknown one.
        """
        if names is None:
            return self._usual()
        wanted = list(names)
        unknown = [name for name in wanted if self._manifest.entry(name) is None]
        if unknown:
            raise ModelStoreError(f"no model {', '.join(unknown)} in the manifest; {self._known()}")
        return [self._stored(name) for name in wanted]

    def _usual(self) -> list[StoredModel]:
        return [one for one in self.entries() if not one.entry.on_request or one.installed]

    def verify(self, names: Iterable[str] | None = None) -> dict[str, list[str]]:
        """Hash the files of each model: what is wrong with it, nothing if it is right."""
        return {stored.name: stored.faults() for stored in self.chosen(names)}

    def not_known(self, name: str) -> str:
        """What is said of a model that the manifest lacks."""
        return f"no model {name!r} in the manifest; {self._known()}"

    def _known(self) -> str:
        own = [name for name, one in self._manifest.translations.items() if one.caution]
        known = ", ".join([*self._manifest.models, *own])
        return f"there are: {known}, and mozilla-SOURCE-TARGET-ARCHITECTURE"

    def _stored(self, name: str) -> StoredModel:
        entry = self._manifest.entry(name)
        assert entry is not None
        path = self.dir / name / entry.digest
        installed = all(size_of(path / file) == pin.size for file, pin in entry.needed.items())
        outdated = not path.is_dir() and bool(other_versions(path))
        return StoredModel(name, entry, path, installed, outdated)


def other_versions(path: Path) -> list[Path]:
    """Folders of the same model with other sets of files."""
    return sorted(one for one in path.parent.glob("*") if one.is_dir() and one != path)
