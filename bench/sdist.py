"""Gets a source package of the Python index without running any of its code.

`pip download` would run the package's build to learn its name. What is fetched here is asked of the
index that pip is set to, by its own interface (PEP 503, PEP 691).
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from urllib.parse import urljoin

import httpx2

from dubcast.errors import DubcastError

_INDEX = "https://pypi.org/simple"
_JSON = "application/vnd.pypi.simple.v1+json"
_TIMEOUT_S = 120.0


class SdistError(DubcastError):
    """The index does not have the package, or does not answer."""


def fetch_sdist(requirement: str, folder: Path) -> Path:
    """Fetch the archive of `name==version` into `folder`; its path. Raises SdistError."""
    name, _, version = requirement.partition("==")
    page = f"{_index()}/{name.lower().replace('_', '-').replace('.', '-')}/"
    try:
        with httpx2.Client(timeout=_TIMEOUT_S, follow_redirects=True) as client:
            listed = client.get(page, headers={"Accept": _JSON})
            listed.raise_for_status()
            url = urljoin(page, sdist_url(listed.json(), version))
            archive = client.get(url)
            archive.raise_for_status()
    except (httpx2.HTTPError, ValueError) as error:
        raise SdistError(f"{requirement} cannot be fetched from {page}: {error}") from error
    path = folder / url.rpartition("/")[2].partition("#")[0]
    path.write_bytes(archive.content)
    return path


def sdist_url(listed: dict[str, list[dict[str, str]]], version: str) -> str:
    """Where the index has the source package of a version. Raises ValueError if it has none."""
    ending = f"-{version}.tar.gz"
    for file in listed["files"]:
        if file["filename"].endswith(ending):
            return file["url"]
    raise ValueError(f"there is no source package of version {version}")


def _index() -> str:
    """The index that pip is set to."""
    command = [sys.executable, "-m", "pip", "config", "get", "global.index-url"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    return (done.stdout.strip() or _INDEX).rstrip("/")
