"""A model store for tests that load nothing."""

from __future__ import annotations

from pathlib import Path

from dubcast.models.manifest import load_manifest

TRANSLATIONS = ("mozilla-en-pt-tiny", "mozilla-en-pt-base-memory", "mozilla-pt-en-base-memory")


def store_of_holes(folder: Path, translations: tuple[str, ...] = TRANSLATIONS) -> Path:
    """A store in which every file has its right size, and nothing in it; of those that translate
    these alone. The folder.
    """
    manifest = load_manifest()
    chosen = {name: manifest.translations[name] for name in translations}
    for name, entry in {**manifest.models, **chosen}.items():
        where = folder / name / entry.digest
        where.mkdir(parents=True)
        for file, pin in entry.files.items():
            with (where / file).open("wb") as out:
                out.truncate(pin.size)
    return folder
