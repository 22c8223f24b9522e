"""The install of MediaMTX, against a server that plays the release page."""

from __future__ import annotations

import functools
import hashlib
import io
import platform
import random
import stat
import tarfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from file_server import FileServer, serving
from typer.testing import CliRunner

from dubcast.cli.main import application
from dubcast.config import MediaServerSettings
from dubcast.errors import FetchError, MissingPartError
from dubcast.mediaserver.mediamtx import find_binary
from dubcast.mediaserver.mediamtx_install import asset, install
from dubcast.mediaserver.mediamtx_program import VERSION, program_path

NAME = asset(platform.system(), platform.machine())
PROGRAM = b"#!/bin/sh\necho v1.20.1\nexit\n" + random.Random(1).randbytes(300_000)


@functools.cache  # its file holds the time
def archive_of(program: bytes) -> bytes:
    made = io.BytesIO()
    with tarfile.open(fileobj=made, mode="w:gz") as tar:
        for name, data in (("LICENSE", b"MIT"), ("mediamtx", program), ("mediamtx.yml", b"a: b")):
            info = tarfile.TarInfo(name)
            info.size = len(data)
            tar.addfile(info, io.BytesIO(data))
    return made.getvalue()


def publish(server: FileServer, archive: bytes, listed: str | None = None) -> None:
    """Put a release there, with a list of hashes as the project's own looks."""
    listed = listed or hashlib.sha256(archive).hexdigest()
    lines = f"{'0' * 64}  mediamtx_{VERSION}_windows_amd64.zip\n{listed} *{NAME}\n"
    server.files[f"/down/{VERSION}/{NAME}"] = archive
    server.files[f"/down/{VERSION}/checksums.sha256"] = lines.encode()


@pytest.fixture
def page() -> Iterator[FileServer]:
    with serving({}) as server:
        publish(server, archive_of(PROGRAM))
        yield server


def settings(page: FileServer, folder: Path) -> MediaServerSettings:
    return MediaServerSettings.model_validate(
        {"mediamtx_dir": folder / "mtx", "mediamtx_releases": f"{page.url}/down"}
    )


def left(folder: Path) -> list[str]:
    return sorted(one.name for one in (folder / "mtx" / VERSION).iterdir())


class Bars:
    """A progress that remembers."""

    def __init__(self) -> None:
        self.told: list[tuple[str, int | None]] = []
        self.come = 0

    def begin(self, label: str, total: int | None) -> None:
        self.told.append((label, total))

    def advance(self, count: int) -> None:
        self.come += count

    def end(self) -> None:
        pass


def test_the_program_is_installed_and_found(
    page: FileServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", "/usr/bin:/bin")
    own = settings(page, tmp_path)
    assert find_binary(own) is None
    bars = Bars()
    program = install(own, bars)
    assert program.read_bytes() == PROGRAM
    assert program.stat().st_mode & stat.S_IXUSR
    assert find_binary(own) == program == program_path(own)
    assert left(tmp_path) == [".lock", "mediamtx"]
    size = len(archive_of(PROGRAM))
    assert bars.told[-1] == (f"{NAME}.part", size)
    assert bars.come >= size
    page.requests.clear()
    assert install(own) == program
    assert page.requests == []


def test_a_wrong_hash_is_told_and_never_installed(page: FileServer, tmp_path: Path) -> None:
    publish(page, archive_of(PROGRAM), listed="a" * 64)
    with pytest.raises(FetchError) as error:
        install(settings(page, tmp_path))
    assert "a" * 64 in str(error.value)
    assert hashlib.sha256(archive_of(PROGRAM)).hexdigest() in str(error.value)
    assert left(tmp_path) == [".lock"]


def test_a_cut_download_goes_on_where_it_stopped(page: FileServer, tmp_path: Path) -> None:
    page.cut_after = 100_000
    with pytest.raises(FetchError):
        install(settings(page, tmp_path))
    assert left(tmp_path) == [".lock", f"{NAME}.part"]
    page.cut_after = None
    page.requests.clear()
    assert install(settings(page, tmp_path)).read_bytes() == PROGRAM
    assert (NAME, "bytes=100000-") in page.requests


def test_a_cut_in_the_list_of_hashes_is_no_wrong_list(page: FileServer, tmp_path: Path) -> None:
    page.cut_after = 70
    with pytest.raises(FetchError):
        install(settings(page, tmp_path))
    page.cut_after = None
    install(settings(page, tmp_path))
    assert page.requests.count(("checksums.sha256", None)) == 2


def test_another_release_in_the_same_place_starts_anew(page: FileServer, tmp_path: Path) -> None:
    """What had come of the first is no beginning of the second: told, and gone."""
    page.cut_after = 100_000
    with pytest.raises(FetchError):
        install(settings(page, tmp_path))
    page.cut_after = None
    publish(page, archive_of(PROGRAM + b"more"))
    with pytest.raises(FetchError, match="its release lists"):
        install(settings(page, tmp_path))
    assert install(settings(page, tmp_path)).read_bytes() == PROGRAM + b"more"


@pytest.mark.parametrize(
    ("program", "words"),
    [
        (b"#!/bin/sh\necho v1.19.0\n", "holds version 1.19.0"),
        (b"#!/bin/sh\nexit 1\n", "does not run"),
    ],
)
def test_a_program_that_is_another_is_not_installed(
    page: FileServer, tmp_path: Path, program: bytes, words: str
) -> None:
    publish(page, archive_of(program))
    with pytest.raises((FetchError, MissingPartError), match=words):
        install(settings(page, tmp_path))
    assert not program_path(settings(page, tmp_path)).exists()


def test_a_release_without_this_platform_says_so(page: FileServer, tmp_path: Path) -> None:
    page.files[f"/down/{VERSION}/checksums.sha256"] = b"<html>nothing here</html>"
    with pytest.raises(FetchError, match=f"does not list {NAME}"):
        install(settings(page, tmp_path))


@pytest.mark.parametrize(
    ("system", "machine", "name"),
    [
        ("Linux", "x86_64", f"mediamtx_{VERSION}_linux_amd64.tar.gz"),
        ("Linux", "aarch64", f"mediamtx_{VERSION}_linux_arm64.tar.gz"),
        ("Darwin", "arm64", f"mediamtx_{VERSION}_darwin_arm64.tar.gz"),
    ],
)
def test_the_archive_of_each_platform(system: str, machine: str, name: str) -> None:
    assert asset(system, machine) == name


@pytest.mark.parametrize("platform", [("Windows", "AMD64"), ("Linux", "riscv64")])
def test_a_platform_without_a_release(platform: tuple[str, str]) -> None:
    with pytest.raises(MissingPartError, match=platform[1]):
        asset(*platform)


def test_without_a_network_the_set_up_goes_on_with_one_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", "/usr/bin:/bin")
    monkeypatch.setenv("DUBCAST__MEDIA_SERVER__MEDIAMTX_DIR", str(tmp_path))
    # Port 9 (discard) refuses: nobody listens there.
    monkeypatch.setenv("DUBCAST__MEDIA_SERVER__MEDIAMTX_RELEASES", "http://127.0.0.1:9")
    done = CliRunner().invoke(application(), ["mediamtx", "install", "--optional"])
    (line,) = done.stdout.splitlines()
    assert (done.exit_code, line.endswith("the embedded media server is taken")) == (0, True)
    done = CliRunner().invoke(application(), ["mediamtx", "install"])
    assert isinstance(done.exception, FetchError)
