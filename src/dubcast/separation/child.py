"""One separation process as the worker's side sees it: its pipes, and what it owes."""

from __future__ import annotations

import os
import select
import subprocess
import threading
from collections.abc import Sequence

from dubcast.audio.pcm import RATE
from dubcast.separation.source_queue import SourceQueue
from dubcast.separation.wire import encode

_READ = 1 << 16
_POLL_MS = 200


class SeparationChild:
    """One separation process, and the thread that writes to it.

    Raises OSError if it cannot be started.
    """

    def __init__(self, arguments: Sequence[str], queue: SourceQueue) -> None:
        self.process = subprocess.Popen(
            arguments, stdin=subprocess.PIPE, stdout=subprocess.PIPE, bufsize=0
        )
        assert self.process.stdin is not None and self.process.stdout is not None
        self._stdin, self._stdout = self.process.stdin, self.process.stdout
        self._poll = select.poll()
        self._poll.register(self._stdout, select.POLLIN | select.POLLHUP)
        self._queue = queue
        self._stop = threading.Event()
        self._lock = threading.Lock()
        self._runs: list[list[int]] = []  # positions sent: first and last of each unbroken run
        self._sent = self._received = 0
        self._writer = threading.Thread(target=self._write, name="separation-in", daemon=True)
        self._writer.start()

    def read(self) -> bytes | None:
        """What came; None if nothing did for a moment, empty at the end."""
        if not self._poll.poll(_POLL_MS):
            return None
        return os.read(self._stdout.fileno(), _READ)

    def owes(self, latency: int) -> bool:
        """Whether more audio waits for its background than the separator holds by nature."""
        return self._sent + self._queue.frames - self._received > latency + RATE

    def sent_these(self, start: int, count: int) -> bool:
        """Whether the source of a result was sent; notes that it has come."""
        with self._lock:
            self._received += count
            fits = [
                i for i, run in enumerate(self._runs) if run[0] <= start and start + count <= run[1]
            ]
            if fits:
                del self._runs[: fits[0]]  # results come in order
            return bool(fits)

    def _write(self) -> None:
        """Thread: the queue into the pipe."""
        try:
            while (audio := self._queue.take(self._stop)) is not None:
                self._note(audio.start, len(audio.block))
                data = memoryview(encode(audio))
                while data:
                    data = data[self._stdin.write(data) :]
            self._stdin.close()
        except (BrokenPipeError, ValueError):
            pass  # it is gone, which the reading side tells

    def _note(self, start: int, count: int) -> None:
        with self._lock:
            self._sent += count
            if self._runs and self._runs[-1][1] == start:
                self._runs[-1][1] += count
            else:
                self._runs.append([start, start + count])

    def end(self) -> None:
        """Make sure that the process and the thread are gone."""
        self._stop.set()
        self._queue.wake()
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()
        self._writer.join()
        self._stdin.close()
        self._stdout.close()
