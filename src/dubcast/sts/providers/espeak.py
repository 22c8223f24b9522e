"""espeak-ng as a program that stays: a line of text in, its phonemes out.

It is GPL, so it is run, never loaded. To start it costs 9 ms, a line 1 ms. It writes line by line
only to a terminal, so it gets one. What a line of text becomes is of one line or of several, so a
mark is spoken after it.
"""

from __future__ import annotations

import os
import re
import select
import subprocess
import threading
import time
import tty
import weakref
from collections.abc import Iterator, Sequence

# No word of any language; how it sounds is learned from the voice itself.
_MARK = "zqxj"
# It reads 1,000 bytes at a time, and would cut a character in two.
_LONGEST_BYTES = 800
_TIMEOUT_S = 5.0
# A process has some 4 MB.
_MOST_IDLE = 8
_READ = 65_536
_CONTROL = re.compile(r"[\x00-\x1f\x7f]")


class EspeakPool:
    """Processes of `program`, each of one voice. Safe to use from several threads."""

    def __init__(self, program: str, timeout_s: float = _TIMEOUT_S) -> None:
        self._program = program
        self._timeout_s = timeout_s
        self._lock = threading.Lock()
        self._idle: list[_Process] = []  # the one that was used last is the last

    def lines(self, pieces: Sequence[str], voice: str) -> list[str]:
        """What espeak-ng writes of each piece, in one line. A process that has died since is
        replaced. Raises RuntimeError.
        """
        process = self._take(voice)
        if process is not None:
            try:
                return self._spoken(process, pieces)
            except _EndedError:
                pass
        try:
            return self._spoken(_Process(self._program, voice, self._timeout_s), pieces)
        except (_EndedError, OSError) as error:
            raise RuntimeError(f"espeak-ng failed with voice {voice}: {error}") from error

    def close(self) -> None:
        """End the processes that are idle. Closing twice is harmless."""
        with self._lock:
            idle, self._idle = self._idle, []
        for process in idle:
            process.end()

    def _take(self, voice: str) -> _Process | None:
        with self._lock:
            for process in reversed(self._idle):
                if process.voice == voice:
                    self._idle.remove(process)
                    return process
        return None

    def _spoken(self, process: _Process, pieces: Sequence[str]) -> list[str]:
        try:
            found = process.lines(pieces)
        except BaseException:  # cancelled too: what it still writes is not the next text's
            process.end()
            raise
        with self._lock:
            self._idle.append(process)
            surplus = self._idle.pop(0) if len(self._idle) > _MOST_IDLE else None
        if surplus is not None:
            surplus.end()
        return found


class _EndedError(Exception):
    """The process is no more."""


class _Process:
    """One run of espeak-ng. Not safe to use from several threads."""

    def __init__(self, program: str, voice: str, timeout_s: float) -> None:
        self.voice = voice
        self._timeout_s = timeout_s
        self._rest = b""
        self._mark: str | None = None
        self._terminal, theirs = os.openpty()
        try:
            tty.setraw(theirs)
            self._process = subprocess.Popen(
                [program, "-q", "--ipa", "--tie=^", "-v", voice],
                stdin=subprocess.PIPE,
                stdout=theirs,
                stderr=subprocess.DEVNULL,
                bufsize=0,
            )
        except BaseException:  # whatever it is: no terminal is left open, and it goes on up
            os.close(self._terminal)
            raise
        finally:
            os.close(theirs)
        self._poll = select.poll()  # any file number, as `select` does not
        self._poll.register(self._terminal, select.POLLIN)
        self.end = weakref.finalize(self, _end, self._process, self._terminal)

    def lines(self, pieces: Sequence[str]) -> list[str]:
        """As the pool's. Raises _EndedError, RuntimeError."""
        until = time.monotonic() + self._timeout_s
        if self._mark is None:
            self._mark = self._learn_mark(until)
        return [
            " ".join(line for part in parts(piece) for line in self._say(part, self._mark, until))
            for piece in pieces
        ]

    def _learn_mark(self, until: float) -> str:
        self._write(_MARK)
        mark = self._line(until)
        if not mark:
            raise RuntimeError(f"espeak-ng's voice {self.voice} does not speak")
        return mark

    def _say(self, text: str, mark: str, until: float) -> list[str]:
        self._write(f"{text}\n{_MARK}")
        found: list[str] = []
        while (line := self._line(until)) != mark:
            if line:
                found.append(line)
        return found

    def _write(self, text: str) -> None:
        assert self._process.stdin is not None
        try:
            # At most a kilobyte, and the last text has been read: it never blocks.
            self._process.stdin.write(f"{text}\n".encode(errors="replace"))
        except OSError as error:
            raise _EndedError(str(error)) from error

    def _line(self, until: float) -> str:
        """The next line that comes. Raises _EndedError, RuntimeError after the time."""
        while b"\n" not in self._rest:
            left_ms = max(0.0, 1000 * (until - time.monotonic()))
            if not self._poll.poll(left_ms):
                raise RuntimeError(f"espeak-ng did not answer within {self._timeout_s:g} s")
            self._rest += self._read()
        line, _, self._rest = self._rest.partition(b"\n")
        return line.decode(errors="replace").strip()

    def _read(self) -> bytes:
        try:
            data = os.read(self._terminal, _READ)
        except OSError:  # the kernel's way to say that nobody has the other end
            data = b""
        if not data:
            raise _EndedError("it ended")
        return data


def _end(process: subprocess.Popen[bytes], terminal: int) -> None:
    process.kill()
    process.wait()
    if process.stdin is not None:
        process.stdin.close()
    os.close(terminal)


def parts(text: str) -> Iterator[str]:
    """A text in lines that espeak-ng reads whole, cut at spaces where there are any. Pure."""
    line = ""
    for word in _CONTROL.sub(" ", text).split():
        for piece in _in_bytes(word):
            if line and len(f"{line} {piece}".encode(errors="replace")) > _LONGEST_BYTES:
                yield line
                line = ""
            line = f"{line} {piece}".strip()
    if line:
        yield line


def _in_bytes(word: str) -> Iterator[str]:
    """A word, or pieces of at most `_LONGEST_BYTES` of what is too long for one."""
    most = _LONGEST_BYTES // 4  # no character has more bytes
    if len(word.encode(errors="replace")) <= _LONGEST_BYTES:
        yield word
        return
    for start in range(0, len(word), most):
        yield word[start : start + most]
