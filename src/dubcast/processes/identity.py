"""Which process a process id means: known again, waited for, signalled.

A process id alone may mean another process later. The moment at which the kernel started it, in
ticks since boot (/proc/PID/stat), is what tells: unlike a date, no step of the clock changes it.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
from dataclasses import dataclass
from pathlib import Path

import psutil

from dubcast.processes.standstill import Activity

_POLL_S = 0.25
# Fields of /proc/PID/stat, counted from the state, which is field 3 of it.
_UTIME, _STIME, _STARTTIME = 11, 12, 19
_BOOT_ID = Path("/proc/sys/kernel/random/boot_id")


@dataclass(frozen=True)
class ProcessRef:
    """One process: its id, and the mark of its start."""

    pid: int
    started: str

    @property
    def alive(self) -> bool:
        """True while exactly this process runs; a zombie does not."""
        return start_mark(self.pid) == self.started

    def send(self, number: signal.Signals, *, group: bool = False) -> None:
        """Signal it, or its whole group; harmless if it has ended."""
        if not self.alive:
            return
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.pid, number) if group else os.kill(self.pid, number)

    async def ended(self) -> None:
        """Wait until it has ended, whoever its parent is. Safe to cancel."""
        try:
            handle = os.pidfd_open(self.pid)
        except ProcessLookupError:
            return
        except (AttributeError, OSError):  # no such call here
            await self._ended_by_polling()
            return
        try:
            # It may have ended before, and its id been given anew.
            if self.alive:
                await _readable(handle)
        finally:
            os.close(handle)

    async def _ended_by_polling(self) -> None:
        while self.alive:  # noqa: ASYNC110 - not our child: nobody tells us
            await asyncio.sleep(_POLL_S)


async def _readable(handle: int) -> None:
    loop = asyncio.get_running_loop()
    done: asyncio.Future[None] = loop.create_future()
    loop.add_reader(handle, _resolve, done)
    try:
        await done
    finally:
        loop.remove_reader(handle)


def _resolve(done: asyncio.Future[None]) -> None:
    if not done.done():
        done.set_result(None)


def ref(pid: int) -> ProcessRef | None:
    """The process that has this id now, if there is one."""
    mark = start_mark(pid)
    return None if mark is None else ProcessRef(pid, mark)


def start_mark(pid: int) -> str | None:
    """Boot and tick at which the process started; None if there is none (a zombie is none)."""
    try:
        fields = _stat(pid)
        boot = _BOOT_ID.read_text(encoding="ascii").strip()
    except OSError:
        return None if Path("/proc/self/stat").exists() else _start_date(pid)
    return None if fields[0] in "ZX" else f"{boot}:{fields[_STARTTIME]}"


def _stat(pid: int) -> list[str]:
    """What /proc/PID/stat says from the state on. Raises OSError."""
    text = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace")
    return text.rpartition(")")[2].split()  # the name before it may hold anything


def activity(pid: int) -> Activity | None:
    """Whether a process is stopped, and what it has used; None where that cannot be read."""
    try:
        fields = _stat(pid)
    except OSError:
        return None
    # Small "t", stopped by a debugger that is attached, is left to the heartbeat.
    return Activity(fields[0] == "T", int(fields[_UTIME]) + int(fields[_STIME]))


def _start_date(pid: int) -> str | None:
    """Where there is no /proc."""
    try:
        process = psutil.Process(pid)
        return None if process.status() == psutil.STATUS_ZOMBIE else str(process.create_time())
    except psutil.Error:
        return None


def rss_bytes(pid: int) -> int | None:
    """Resident memory of a process; None if it cannot be read."""
    try:
        return int(psutil.Process(pid).memory_info().rss)
    except psutil.Error:
        return None


def find_by_arguments(*wanted: str) -> ProcessRef | None:
    """The process whose arguments hold `wanted` in this order, side by side."""
    for process in psutil.process_iter():
        try:
            given = process.cmdline()
        except psutil.Error:
            continue
        if any(tuple(given[i : i + len(wanted)]) == wanted for i in range(len(given))):
            return ref(process.pid)
    return None
