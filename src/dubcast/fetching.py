"""Gets files over HTTPS, with resume, and members out of archives. Decides nothing about them."""

from __future__ import annotations

import fcntl
import gzip
import tarfile
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Protocol, cast

import httpx2

from dubcast.certificates import trusted
from dubcast.errors import FetchError

_CHUNK = 1 << 20
_CONNECT_S = 10.0
_READ_S = 60.0


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


@dataclass(frozen=True)
class Size:
    """How long a file is. `exact`: it must have `most` bytes, not at most so many."""

    most: int
    exact: bool = True


def download(
    url: str, part: Path, size: Size, progress: Progress, *, connect_s: float = _CONNECT_S
) -> None:
    """Download `url` to `part`, going on where an earlier try stopped.

    Raises FetchError if the server cannot be reached, refuses, or sends more than it may or another
    file. What has come stays in `part` for the next try, except what is too long or another file.
    """
    have = part.stat().st_size if part.exists() else 0
    if have >= size.most:
        # Complete or longer than it may be: the caller found it wrong, so it starts anew.
        part.unlink()
        have = 0
    # Compressed, the bytes would not be those of the file, and a range not one of its ranges.
    headers = {"Accept-Encoding": "identity"} | ({"Range": f"bytes={have}-"} if have else {})
    timeout = httpx2.Timeout(_READ_S, connect=connect_s)
    try:
        with (
            httpx2.Client(
                follow_redirects=True, timeout=timeout, verify=trusted(env=True)
            ) as client,
            client.stream("GET", url, headers=headers) as reply,
        ):
            if reply.status_code == 416:  # all of it had come, and was wrong, or another file's
                part.unlink(missing_ok=True)
            _receive(reply, url, part, have, size, progress)
    except httpx2.HTTPError as error:
        raise FetchError(f"{url}: {error or type(error).__name__}") from error


def _receive(
    reply: httpx2.Response, url: str, part: Path, have: int, limit: Size, progress: Progress
) -> None:
    if reply.status_code not in (200, 206):
        raise FetchError(f"{url}: HTTP {reply.status_code}")
    resumed = reply.status_code == 206 and _range_start(reply) == have
    if reply.status_code == 206 and not resumed:
        raise FetchError(f"{url}: the server sent another range than asked for")
    got = have if resumed else 0
    length = reply.headers.get("content-length", "")
    if limit.exact and not resumed and length.isdigit() and int(length) != limit.most:
        raise _another(reply, url, int(length), limit.most)
    size = limit.most if limit.exact else _announced(reply, got, limit.most)
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
        raise FetchError(f"{url}: more than the expected {size} bytes")
    if got < size and limit.exact and not resumed and "transfer-encoding" in reply.headers:
        part.unlink()  # it came whole: what is missing would not be the rest of it
        raise _another(reply, url, got, size)
    if got < size:
        raise FetchError(f"{url}: ended after {got} of {size} bytes; pull again to resume")


def _another(reply: httpx2.Response, url: str, got: int, size: int) -> FetchError:
    """What is said of a page of somebody's in place of the file: a portal's, or a pointer to it."""
    kind = reply.headers.get("content-type", "").partition(";")[0] or "something"
    return FetchError(f"{url}: answered {got} bytes of {kind} in place of {size}")


def _announced(reply: httpx2.Response, have: int, most: int) -> int:
    """How long the whole file is, as the server says: `most` if it does not, or lies."""
    length = reply.headers.get("content-length", "")
    return min(have + int(length), most) if length.isdigit() else most


def _range_start(reply: httpx2.Response) -> int | None:
    """The first byte of a 206 reply (`Content-Range: bytes 100-199/200`)."""
    unit, _, rest = reply.headers.get("content-range", "").partition(" ")
    start = rest.partition("-")[0]
    return int(start) if unit == "bytes" and start.isdigit() else None


@contextmanager
def exclusive(folder: Path) -> Iterator[None]:
    """One at a time in this folder, which is made; a second one waits for the first."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        lock = (folder / ".lock").open("w")
    except OSError as error:
        raise FetchError(f"cannot write to {folder}: {error}") from error
    with lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # released when the file is closed
        yield


def append_member(archive: Path, member: str, out: IO[bytes], limit: int) -> None:
    """Append one member of a wheel or npm archive to `out`, at most `limit` bytes.

    Only the named member is opened, and its name is never used as a path to write to: a crafted
    archive can place nothing. Raises FetchError.
    """
    try:
        with _open_member(archive, member) as source:
            fits = _copied(source, out, limit)
    except (KeyError, zipfile.BadZipFile, tarfile.TarError, EOFError, OSError) as error:
        raise FetchError(f"{archive.name}: cannot read {member}: {error}") from error
    if not fits:
        raise FetchError(f"{archive.name}: {member} is larger than expected")


def unpack(packed: Path, to: Path, limit: int) -> None:
    """Unpack a gzip file, to at most `limit` bytes. Raises FetchError."""
    try:
        with gzip.open(packed) as source, to.open("wb") as out:
            fits = _copied(cast(IO[bytes], source), out, limit)
    except (EOFError, OSError, zlib.error) as error:
        raise FetchError(f"{packed.name}: cannot be unpacked: {error}") from error
    if not fits:
        raise FetchError(f"{packed.name}: unpacked it is larger than expected")


def _copied(source: IO[bytes], out: IO[bytes], limit: int) -> bool:
    """Copy at most `limit` bytes and one more; whether that was all."""
    left = limit
    while left >= 0 and (block := source.read(min(_CHUNK, left + 1))):
        left -= len(block)
        out.write(block)
    return left >= 0


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
