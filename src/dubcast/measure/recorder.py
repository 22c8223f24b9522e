"""Records one RTMP or HTTP-FLV connection to a file, with the arrival time of every tag.

`python -m dubcast.measure.recorder URL FILE` runs it in a process of its own, so that nothing
else disturbs its arrival times (CLOCK_MONOTONIC; two recorders of one machine compare). It waits
for a stream that is not there yet. SIGTERM or SIGINT end it with both files whole; SIGUSR1 ends it
with the connection that gives something now, or at once if none does.
"""

from __future__ import annotations

import argparse
import contextlib
import http.client
import os
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
import urllib.request
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import IO, Protocol

from dubcast import flv, gst_elements
from dubcast.clock import Clock, SystemClock
from dubcast.errors import InputError, MissingPartError
from dubcast.measure import arrivals
from dubcast.measure.recording import iter_tags
from dubcast.processes.ladder import end_popen

_RETRY_S = 0.2
_POLL_S = 0.1
# Also the longest pause of an HTTP stream that is not its end.
_CONNECT_S = 30.0
_BLOCK = 1 << 16
_KILL_AFTER_S = 2.0
# gst-launch reads its arguments as a pipeline description: nothing of it may be in a URL.
_UNSAFE = frozenset(" \t\r\n!'\"\\();,")


class Source(Protocol):
    """One connection that gives FLV bytes."""

    def read(self) -> bytes:
        """The next bytes, as soon as there are any; empty at the end."""

    def interrupt(self) -> None:
        """Make `read` end; safe from a signal handler and from any thread."""

    def close(self) -> None:
        """End the connection."""


class TagWriter:
    """Writes whole tags and their arrivals; whenever it stops, both files are good.

    Bytes go in as they come, with the time of their arrival in ns.
    """

    def __init__(self, path: Path) -> None:
        self._parser = flv.FlvParser()
        self._file = path.open("wb")
        self._arrivals = arrivals.sidecar(path).open("wb")
        self._file.write(flv.header())
        self._arrivals.write(arrivals.MAGIC)
        self.tags = 0

    def feed(self, data: bytes, arrival_ns: int) -> None:
        """Take bytes. Raises `flv.FlvError` when they are not FLV."""
        for tag in self._parser.feed(data):
            self._file.write(flv.encode(tag))
            self._arrivals.write(arrivals.record(tag, arrival_ns))
            self.tags += 1
        # Others watch the file grow, and a killed recorder leaves what it had.
        self._file.flush()
        self._arrivals.flush()

    def close(self) -> None:
        """Flush and close both files; closing twice is harmless."""
        self._file.close()
        self._arrivals.close()


class Recorder:
    """Records `url` to `path`: one connection, from the first tag to its end or `stop`.

    With `reconnect`, further connections go to further files (`name-2.flv`, ...).
    """

    def __init__(
        self, url: str, path: Path, *, reconnect: bool = False, clock: Clock | None = None
    ) -> None:
        self._url = url
        self._path = path
        self._reconnect = reconnect
        self._clock = clock or SystemClock()
        self._stop = threading.Event()
        self._last = False  # no connection after the one that gives something now
        self._gives = False
        self._source: Source | None = None
        self.files: list[Path] = []

    def stop(self) -> None:
        """End the recording; safe from a signal handler and from any thread."""
        self._stop.set()
        if self._source is not None:
            self._source.interrupt()

    def finish(self) -> None:
        """Record the connection of now to its end, if it gave anything, and no further one; safe
        from a signal handler and from any thread."""
        self._last = True
        if self._source is not None and not self._gives:
            self._source.interrupt()

    def run(self) -> list[Path]:
        """Record until the end; the files that hold at least one tag.

        Blocks. Raises `InputError` for a URL that cannot be recorded, `MissingPartError` without
        gst-launch-1.0 or an element that it needs.
        """
        connect = _connector(self._url)
        while not self._over():
            if self._record_one(connect) and not self._reconnect:
                break
            self._stop.wait(_RETRY_S)
        return self.files

    def _record_one(self, connect: Callable[[], Source]) -> bool:
        """One connection; False when it gave nothing (the stream is not there yet)."""
        try:
            source = self._source = connect()
        except OSError:
            return False
        writer: TagWriter | None = None
        broken = False
        try:
            for data in self._blocks(source):
                arrival = self._clock.monotonic_ns()
                writer = writer or TagWriter(self._next_path())
                writer.feed(data, arrival)
                self._gives = writer.tags > 0
        except (flv.FlvError, OSError) as error:
            sys.stderr.write(f"recorder: {error}\n")
            broken = True
        finally:
            self._source, self._gives = None, False
            source.close()
            if writer is not None:
                writer.close()
        if writer is not None and not writer.tags:
            # A server may end at once what it has only begun: a path that is published anew.
            empty = self.files.pop()
            for file in (empty, arrivals.sidecar(empty)):
                file.unlink()
            return broken
        return writer is not None

    def _blocks(self, source: Source) -> Iterator[bytes]:
        # Checked after connecting as well: a stop in between found no source to interrupt.
        while not self._over() and (data := source.read()):
            yield data

    def _over(self) -> bool:
        return self._stop.is_set() or (self._last and not self._gives)

    def _next_path(self) -> Path:
        number = len(self.files) + 1
        name = self._path.stem + (f"-{number}" if number > 1 else "") + self._path.suffix
        self.files.append(self._path.with_name(name))
        return self.files[-1]


def _connector(url: str) -> Callable[[], Source]:
    scheme = url.partition("://")[0].lower()
    if scheme in ("http", "https"):
        return lambda: _HttpSource(url)
    if scheme not in ("rtmp", "rtmps"):
        raise InputError(f"cannot record {scheme}: give an rtmp or http URL", retryable=False)
    if _UNSAFE & set(url):
        raise InputError("the URL holds a character that gst-launch would read", retryable=False)
    program = shutil.which("gst-launch-1.0")
    if program is None:
        raise MissingPartError("gst-launch-1.0 is not installed: apt install gstreamer1.0-tools")
    require_elements(gst_elements.RECORDER)
    return lambda: _RtmpSource(program, url)


def require_elements(names: Iterable[str]) -> None:
    """Raises `MissingPartError` naming each element that gst-launch will not find here.

    A pipeline that it cannot build ends like one whose server is not there yet.
    """
    inspect = ["gst-inspect-1.0", "--exists"]
    missing = [
        name for name in names if subprocess.run([*inspect, name], capture_output=True).returncode
    ]
    if missing:
        raise MissingPartError(gst_elements.missing_message(missing))


class _RtmpSource:
    """`rtmp2src` in a child process: its buffers are FLV bytes."""

    def __init__(self, program: str, url: str) -> None:
        pipeline = ["rtmp2src", f"location={url}", "!", "fdsink", "fd=1", "sync=false"]
        self._child = subprocess.Popen(
            [program, "-q", *pipeline],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
        )
        assert self._child.stdout is not None
        self._pipe: IO[bytes] = self._child.stdout

    def read(self) -> bytes:
        return os.read(self._pipe.fileno(), _BLOCK)

    def interrupt(self) -> None:
        # It holds no state worth an orderly end, and a killed child ends the pipe at once.
        self._child.kill()

    def close(self) -> None:
        self._child.kill()
        self._child.wait()
        self._pipe.close()


class _HttpSource:
    """HTTP-FLV; `read1` gives what has arrived, however little."""

    def __init__(self, url: str) -> None:
        # Scheme checked by the caller: http or https.
        self._response = urllib.request.urlopen(url, timeout=_CONNECT_S)
        self._socket = socket.socket(fileno=os.dup(self._response.fileno()))

    def read(self) -> bytes:
        try:
            return bytes(self._response.read1(_BLOCK))
        except (TimeoutError, http.client.HTTPException):
            return b""

    def interrupt(self) -> None:
        with contextlib.suppress(OSError):
            self._socket.shutdown(socket.SHUT_RDWR)

    def close(self) -> None:
        self._socket.close()
        self._response.close()


class RecorderProcess:
    """The recorder in a process of its own; for tests and benchmarks.

    `stop` ends it (SIGTERM, then SIGKILL) and is harmless when called twice.
    """

    def __init__(self, url: str, path: Path, *, reconnect: bool = False) -> None:
        self.path = path
        arguments = [sys.executable, "-m", "dubcast.measure.recorder", url, str(path)]
        self._child = subprocess.Popen([*arguments, *(["--reconnect"] if reconnect else [])])

    @property
    def pid(self) -> int:
        return self._child.pid

    def wait(self, timeout_s: float) -> bool:
        """Wait for the stream's end; whether it came in time."""
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._child.wait(timeout_s)
        return self._child.poll() is not None

    def wait_for_data(self, timeout_s: float) -> bool:
        """Wait until something was recorded; whether it was in time."""
        deadline = time.monotonic() + timeout_s
        while time.monotonic() < deadline and self._child.poll() is None:
            if self.path.exists() and self.path.stat().st_size > len(flv.header()):
                return True
            time.sleep(_POLL_S)
        return self.path.exists()

    def finish(self, timeout_s: float) -> Path:
        """Record to the end of a stream that is over, and of which something may still be on its
        way, for so long at most; its file."""
        if self._child.poll() is None:
            self._child.send_signal(signal.SIGUSR1)
        self.wait(timeout_s)
        return self.stop()

    def stop(self) -> Path:
        """End the recording; its file."""
        end_popen(self._child, 2 * _KILL_AFTER_S + 1)
        return self.path


def keep_picture(path: Path) -> None:
    """Of the connections of a recording, keep the first one with a picture, under its name.

    Where a server keeps no GOP for who comes late, an output begins with sound alone, and is
    published anew with its picture.
    """
    further = path.parent.glob(f"{path.stem}-*{path.suffix}")
    connections = [path, *sorted(further, key=lambda one: int(one.stem.rpartition("-")[2]))]
    pictured = [one for one in connections if one.exists() and _has_picture(one)]
    if pictured and pictured[0] != path:
        pictured[0].replace(path)
        arrivals.sidecar(pictured[0]).replace(arrivals.sidecar(path))


def _has_picture(recording: Path) -> bool:
    return any(tag.kind == flv.VIDEO for tag in iter_tags(recording))


def main() -> int:
    """The command: 0 when something was recorded, else 1."""
    parser = argparse.ArgumentParser(description=__doc__, prog="python -m dubcast.measure.recorder")
    parser.add_argument("url")
    parser.add_argument("file", type=Path)
    parser.add_argument("--reconnect", action="store_true", help="further connections: FILE-2, ...")
    options = parser.parse_args()
    recorder = Recorder(options.url, options.file, reconnect=options.reconnect)
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: recorder.stop())
    signal.signal(signal.SIGUSR1, lambda *_: recorder.finish())
    return 0 if recorder.run() else 1


if __name__ == "__main__":
    sys.exit(main())
