"""Installs MediaMTX: the official release of one version, checked against its own list of hashes.

Only the program is taken out of the archive. It becomes visible with one rename, after it has said
its version: an install that is cut leaves nothing half-made, and the next one goes on from there.
"""

from __future__ import annotations

import hashlib
import platform
import re
from pathlib import Path

from dubcast.config import MediaServerSettings
from dubcast.errors import FetchError, MissingPartError
from dubcast.fetching import NoProgress, Progress, Size, append_member, download, exclusive
from dubcast.mediaserver.mediamtx import version_of
from dubcast.mediaserver.mediamtx_program import PINNED, PROGRAM, VERSION, program_path

_CONNECT_S = 4.0  # where there is no network, this is all that it costs
_HASHES = "checksums.sha256"
_MOST_HASHES = 64 * 1024
_MOST_ARCHIVE = 200 * 1024 * 1024
_MOST_PROGRAM = 400 * 1024 * 1024
_MACHINES = {
    "x86_64": "amd64",
    "amd64": "amd64",
    "aarch64": "arm64",
    "arm64": "arm64",
    "armv7l": "armv7",
    "armv6l": "armv6",
}
_LINE = re.compile(r"([0-9a-fA-F]{64})[ *]+(\S+)")


def asset(system: str, machine: str) -> str:
    """The release's archive for a platform. Raises MissingPartError if there is none."""
    name = _MACHINES.get(machine.lower())
    if system not in {"Linux", "Darwin"} or name is None:
        raise MissingPartError(
            f"there is no MediaMTX to install on {system} {machine}; "
            "media_server.mediamtx_path names one that is there"
        )
    return f"mediamtx_{VERSION}_{system.lower()}_{name}.tar.gz"


def install(settings: MediaServerSettings, progress: Progress | None = None) -> Path:
    """The program, installed unless it is there.

    Raises FetchError if it cannot be had or is not what its release lists, MissingPartError if
    there is none for this platform.
    """
    program = program_path(settings)
    name = asset(platform.system(), platform.machine())
    with exclusive(program.parent):
        if not program.is_file():
            _install(settings.mediamtx_releases, name, program, progress or NoProgress())
    return program


def _install(releases: str, name: str, program: Path, progress: Progress) -> None:
    base, folder = f"{releases}/{VERSION}", program.parent
    wanted = _hash_of(name, _hashes(f"{base}/{_HASHES}", folder))
    archive = folder / name
    if not archive.is_file() or _sha256(archive) != wanted:
        archive.unlink(missing_ok=True)
        _fetch(f"{base}/{name}", archive, wanted, progress)
    _take_out(archive, program)
    archive.unlink()


def _hashes(url: str, folder: Path) -> str:
    part = folder / f"{_HASHES}.part"
    part.unlink(missing_ok=True)  # never resumed: a list of two releases would be none
    download(url, part, Size(_MOST_HASHES, exact=False), NoProgress(), connect_s=_CONNECT_S)
    text = part.read_text(encoding="utf-8", errors="replace")
    part.unlink()
    return text


def _hash_of(name: str, listed: str) -> str:
    for line in listed.splitlines():
        found = _LINE.fullmatch(line.strip())
        if found is not None and found[2].rpartition("/")[2] == name:
            return found[1].lower()
    raise FetchError(f"{_HASHES} of {VERSION} does not list {name}")


def _fetch(url: str, archive: Path, wanted: str, progress: Progress) -> None:
    part = archive.with_name(f"{archive.name}.part")
    download(url, part, Size(_MOST_ARCHIVE, exact=False), progress, connect_s=_CONNECT_S)
    got = _sha256(part)
    if got != wanted:
        part.unlink()
        raise FetchError(f"{url} has SHA-256 {got}, its release lists {wanted}")
    part.rename(archive)


def _take_out(archive: Path, program: Path) -> None:
    """The program out of the archive, tried, and given its name."""
    part = program.with_name(f".{program.name}.part")
    try:
        with part.open("wb") as out:
            append_member(archive, PROGRAM, out, _MOST_PROGRAM)
        part.chmod(0o755)
        version = version_of(part)
        if version != PINNED:
            raise FetchError(f"{archive.name} holds version {'.'.join(map(str, version))}")
        part.rename(program)
    finally:
        part.unlink(missing_ok=True)


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
