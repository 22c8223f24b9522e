"""The manifest: which models there are, what their files hash to, and where they come from.

The data lie in `manifest.yaml` and `mozilla.tsv` beside this module. Sources are tried in order; it
does not matter who delivers a file, since only the pinned size and SHA-256 make it acceptable.
"""

from __future__ import annotations

import functools
import hashlib
from pathlib import Path
from typing import Annotated, Literal

import yaml
from pydantic import BaseModel, ConfigDict, Field, StringConstraints, model_validator

from dubcast.models.mozilla import mozilla_models

MANIFEST = Path(__file__).with_name("manifest.yaml")
MOZILLA = Path(__file__).with_name("mozilla.tsv")

# A file lies directly in its model's folder: no separators, no leading dot.
FileName = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_][A-Za-z0-9_.-]*$")]
ModelName = Annotated[str, StringConstraints(pattern=r"^[a-z0-9][a-z0-9.-]*$")]
# Of Mozilla's models: the fastest, the best, and one in between that no pair of these has alone.
Architecture = Literal["tiny", "base-memory", "base"]
LanguageCode = Annotated[str, StringConstraints(pattern=r"^[a-z]{2,3}$")]
Package = Annotated[
    str,
    StringConstraints(pattern=r"^(pypi:[A-Za-z0-9_.-]+==[\w.]+|npm:@?[A-Za-z0-9_./-]+@[\w.-]+)$"),
]


class _Pinned(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Pin(_Pinned):
    """What a file must be: `size` in bytes and its SHA-256."""

    size: int = Field(gt=0)
    sha256: str = Field(pattern=r"^[0-9a-f]{64}$")


class FilePin(Pin):
    """A file of a model. `packed`: what its address delivers, a gzip of it."""

    packed: Pin | None = None


class Part(_Pinned):
    """A member of a registry package, `pypi:name==version` or `npm:name@version`."""

    package: Package
    member: str


class HubSource(_Pinned):
    """Files of a repository on the model hub at one revision.

    `files` maps our names to paths in the repository; or every file lies in `folder` there.
    """

    kind: Literal["hub"]
    repo: str
    revision: str = Field(pattern=r"^[0-9a-f]{40}$")
    files: dict[FileName, str] = {}
    folder: str | None = None

    def url(self, name: str, hub: str) -> str | None:
        """Address of one file on `hub` (a base URL), or None if it is not offered."""
        path = f"{self.folder}/{name}" if self.folder else self.files.get(name)
        return None if path is None else f"{hub}/{self.repo}/resolve/{self.revision}/{path}"

    def __str__(self) -> str:
        return f"hub repository {self.repo} at {self.revision[:12]}"


class UrlSource(_Pinned):
    """Files at plain addresses, such as a project's release page.

    With a `base` they are paths below it, and a mirror of the operator's may take its place.
    """

    kind: Literal["url"]
    base: str | None = None
    files: dict[FileName, str]

    def url(self, name: str, mirror: str | None = None) -> str | None:
        """Address of one file, or None if it is not offered."""
        path = self.files.get(name)
        return path if path is None or self.base is None else f"{mirror or self.base}/{path}"

    def __str__(self) -> str:
        first = next(iter(self.files.values()))
        return self.base or "release page " + first.rpartition("/")[0]


class RegistrySource(_Pinned):
    """Files inside registry packages; parts are joined in the order given.

    Or every file lies in `folder` of one `package`.
    """

    kind: Literal["registry"]
    files: dict[FileName, tuple[Part, ...]] = {}
    package: Package | None = None
    folder: str | None = None

    def parts(self, name: str) -> tuple[Part, ...]:
        """The members that make up one file; empty if it is not offered."""
        if self.package is not None and self.folder is not None:
            return (Part(package=self.package, member=f"{self.folder}/{name}"),)
        return self.files.get(name, ())

    def __str__(self) -> str:
        packages = {part.package for parts in self.files.values() for part in parts}
        return "registry packages " + ", ".join(sorted(packages | {self.package or ""} - {""}))


Source = Annotated[HubSource | UrlSource | RegistrySource, Field(discriminator="kind")]


class Conversion(_Pinned):
    """What the run time loads in place of the published files, made out of them by the pull.

    `by` names the converter, `changes` says what it changes; `files` are what it gives. `optional`:
    what is published serves as well, at a higher cost.
    """

    by: Literal["dfn3", "nsnet2", "products", "spleeter"]
    changes: str
    files: dict[FileName, FilePin] = Field(min_length=1)
    optional: bool = False


class ModelEntry(_Pinned):
    """One model. `files` are fetched; `digest` changes whenever a needed file does."""

    role: Literal["asr", "mt", "tts", "voices", "separation"]
    licence: str
    origin: str
    attribution: str
    files: dict[FileName, FilePin] = Field(min_length=1)
    sources: tuple[Source, ...] = Field(min_length=1)
    conversion: Conversion | None = None
    cpu_s_per_s: float | None = Field(None, gt=0)
    """CPU time that it takes for a second of speech, where it was measured (docs/languages.md)."""
    on_request: bool = False
    """Whether a pull brings it only when it is named."""

    @property
    def converted(self) -> dict[str, FilePin]:
        """The files that are made out of those fetched."""
        return {} if self.conversion is None else self.conversion.files

    @property
    def needed(self) -> dict[str, FilePin]:
        """The files without which the model does not serve."""
        optional = self.conversion is not None and self.conversion.optional
        return self.files if optional else self.all_files

    @property
    def all_files(self) -> dict[str, FilePin]:
        """Every file of the installed model, fetched or converted."""
        return {**self.files, **self.converted}

    @property
    def size(self) -> int:
        """Bytes of all files."""
        return sum(pin.size for pin in self.all_files.values())

    @property
    def digest(self) -> str:
        """Names the folder of this exact set of needed files: 12 hexadecimal digits."""
        lines = sorted(f"{name} {pin.sha256}" for name, pin in self.needed.items())
        return hashlib.sha256("\n".join(lines).encode()).hexdigest()[:12]

    @model_validator(mode="after")
    def _check_names(self) -> ModelEntry:
        if twice := sorted(set(self.files) & set(self.converted)):
            raise ValueError(f"{', '.join(twice)} cannot be both fetched and converted")
        return self


class TranslationEntry(ModelEntry):
    """A model that translates one direction; `source` and `target` are codes as `pt`, no regions.

    `caution`: what is to be known of its licence before it is used; such a model serves where no
    other can be had.
    """

    role: Literal["mt"] = "mt"
    source: LanguageCode
    target: LanguageCode
    architecture: Architecture
    caution: str | None = None


class Manifest(_Pinned):
    """All models by name; those that translate stand apart, since nobody needs all of them."""

    models: dict[ModelName, ModelEntry]
    translations: dict[ModelName, TranslationEntry] = {}

    def entry(self, name: str) -> ModelEntry | None:
        """The model of this name, or None."""
        return self.models.get(name) or self.translations.get(name)

    @model_validator(mode="after")
    def _check_registry(self) -> Manifest:
        for name, entry in self.models.items():
            offered = [s for s in entry.sources if isinstance(s, RegistrySource)]
            for file in entry.files:
                if not any(source.parts(file) for source in offered):
                    raise ValueError(f"{name}: no registry package carries {file}")
        return self


@functools.cache
def load_manifest(path: Path = MANIFEST, mozilla: Path = MOZILLA) -> Manifest:
    """Read and check the manifest, with Mozilla's models beside its own (read once)."""
    own = yaml.safe_load(path.read_text(encoding="utf-8"))
    own["translations"] = {**mozilla_models(mozilla), **own.get("translations", {})}
    return Manifest.model_validate(own)
