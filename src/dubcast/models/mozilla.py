"""Mozilla's translation models as entries of the manifest, out of their own table.

The table has the hash of every packed file, and that of the model in it. What has no hash of its
own unpacked is kept as it comes: whoever loads it unpacks it.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

_BASE = "https://media.githubusercontent.com/media/mozilla/firefox-translations-models"
_ORIGIN = "https://github.com/mozilla/firefox-translations-models"
_COMMIT = re.compile(r"^# commit ([0-9a-f]{40})$", re.MULTILINE)
# What a file of theirs is called in the store, by the first part of its name.
_NAMES = {
    "model": "model.bin",
    "lex": "shortlist.bin",
    "vocab": "vocab.spm",
    "srcvocab": "source.spm",
    "trgvocab": "target.spm",
}


def mozilla_models(table: Path) -> dict[str, dict[str, Any]]:
    """The entries by name, `mozilla-en-pt-tiny`, as the manifest reads them.

    Raises ValueError if the table is not as it should be.
    """
    text = table.read_text(encoding="utf-8")
    commit = _COMMIT.search(text)
    if commit is None:
        raise ValueError(f"{table.name} does not say its commit")
    found: dict[str, dict[str, Any]] = {}
    for line in text.splitlines():
        if line and not line.startswith("#"):
            architecture, source, target, *file = line.split("\t")
            name = f"mozilla-{source}-{target}-{architecture}"
            entry = found.setdefault(name, _entry(architecture, source, target, commit[1]))
            _add(entry, *file)
    return found


def _entry(architecture: str, source: str, target: str, commit: str) -> dict[str, Any]:
    return {
        "licence": "MPL-2.0",
        "origin": _ORIGIN,
        "attribution": f"Firefox Translations {source}-{target} ({architecture}) by Mozilla",
        "source": source,
        "target": target,
        "architecture": architecture,
        "files": {},
        "sources": [{"kind": "url", "base": f"{_BASE}/{commit}/models", "files": {}}],
    }


def _add(
    entry: dict[str, Any], file: str, packed_size: str, packed_sha256: str, *unpacked: str
) -> None:
    packed = {"size": int(packed_size), "sha256": packed_sha256}
    name = _NAMES[file.partition(".")[0]]
    if unpacked:
        size, sha256 = unpacked
        entry["files"][name] = {"size": int(size), "sha256": sha256, "packed": packed}
    else:
        name += ".gz"
        entry["files"][name] = packed
    folder = f"{entry['architecture']}/{entry['source']}{entry['target']}"
    entry["sources"][0]["files"][name] = f"{folder}/{file}"
