"""A loopback TCP proxy that is as bad as a network: slow, stuck, cut, corrupt. For tests only.

    async with FaultProxy(("127.0.0.1", 1935)) as proxy:
        ...                                   # connect to proxy.port
        proxy.faults = Faults(latency_s=0.25, jitter_s=0.05)
        proxy.reset()                         # every connection gets an RST

`faults` may be replaced at any time and holds for what arrives from then on. It works without
privileges where the kernel has no netem. Both sides must be loopback: it is no way into a network.
"""

from __future__ import annotations

import asyncio
import contextlib
import ipaddress
import random
import socket
import struct
from dataclasses import dataclass
from types import TracebackType

_CHUNK = 16 * 1024
# The kernel would else take megabytes from the peer of a proxy that hangs.
_RECEIVE_BUFFER = 64 * 1024
# What waits in one direction while it is delayed; more is left to the sender's socket.
_MOST_WAITING = 64


@dataclass(frozen=True)
class Faults:
    """What happens to the bytes of both directions; the default is nothing.

    `rate` in bytes per second and direction. `hang`: nothing is taken or delivered until it ends.
    `corrupt`: share of chunks in which one byte is changed. `drop_after`: the connection is reset
    when it has carried so many bytes in one direction. `refuse`: new connections are reset.
    """

    latency_s: float = 0.0
    jitter_s: float = 0.0
    rate: float | None = None
    hang: bool = False
    corrupt: float = 0.0
    drop_after: int | None = None
    refuse: bool = False


class FaultProxy:
    """Listens on a free port of `host` and carries each connection to `target`.

    Raises ValueError unless both are loopback addresses. `seed` fixes jitter and corruption.
    """

    def __init__(
        self,
        target: tuple[str, int],
        faults: Faults | None = None,
        *,
        host: str = "127.0.0.1",
        seed: int = 1,
    ) -> None:
        _only_loopback(host)
        _only_loopback(target[0])
        self._target = target
        self._host = host
        self._rng = random.Random(seed)
        self._changed = asyncio.Event()
        self._faults = faults or Faults()
        self._links: set[_Link] = set()
        self._tasks: set[asyncio.Task[None]] = set()
        self.connections = 0  # taken since the start
        self.port = 0

    @property
    def faults(self) -> Faults:
        """What happens now."""
        return self._faults

    @faults.setter
    def faults(self, faults: Faults) -> None:
        self._faults = faults
        self._wake()

    @property
    def target(self) -> tuple[str, int]:
        """Where connections go that are taken from now on; loopback, or ValueError is raised."""
        return self._target

    @target.setter
    def target(self, target: tuple[str, int]) -> None:
        _only_loopback(target[0])
        self._target = target

    @property
    def open(self) -> int:
        """Connections that are carried now."""
        return len(self._links)

    async def __aenter__(self) -> FaultProxy:
        listener = socket.create_server((self._host, self.port))
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, _RECEIVE_BUFFER)
        self._server = await asyncio.start_server(self._taken, sock=listener)
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._server.close()
        self.reset()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def reset(self) -> None:
        """Cut every connection with an RST on both sides."""
        for link in list(self._links):
            link.reset()
        self._wake()

    def half_close(self) -> None:
        """Tell every client that its peer will send no more; their own bytes still pass."""
        for link in self._links:
            with contextlib.suppress(OSError):
                link.client.write_eof()

    def _wake(self) -> None:
        """Have everything that is held back look again."""
        self._changed.set()
        self._changed = asyncio.Event()

    async def _taken(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        self.connections += 1
        if self._faults.refuse:
            _reset(writer)
            return
        try:
            far_reader, far_writer = await asyncio.open_connection(*self._target)
        except OSError:
            _reset(writer)
            return
        link = _Link(writer, far_writer)
        self._links.add(link)
        try:
            async with asyncio.TaskGroup() as group:
                group.create_task(self._carry(reader, far_writer, link))
                group.create_task(self._carry(far_reader, writer, link))
        finally:
            self._links.discard(link)
            link.close()

    async def _carry(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, link: _Link
    ) -> None:
        """One direction: read at once, deliver when it is time."""
        waiting: asyncio.Queue[tuple[float, bytes]] = asyncio.Queue(_MOST_WAITING)
        async with asyncio.TaskGroup() as group:
            group.create_task(self._read(reader, waiting, link))
            group.create_task(self._write(waiting, writer, link))

    async def _read(
        self,
        reader: asyncio.StreamReader,
        waiting: asyncio.Queue[tuple[float, bytes]],
        link: _Link,
    ) -> None:
        data = b"-"
        while data:
            while self._faults.hang and not link.cut:
                await self._changed.wait()
            try:
                data = await reader.read(_CHUNK)
            except OSError:
                data = b""
            faults = self._faults
            late = faults.latency_s + faults.jitter_s * self._rng.uniform(-1, 1)
            due = asyncio.get_running_loop().time() + max(late, 0.0)
            await waiting.put((due, data))

    async def _write(
        self,
        waiting: asyncio.Queue[tuple[float, bytes]],
        writer: asyncio.StreamWriter,
        link: _Link,
    ) -> None:
        loop, carried = asyncio.get_running_loop(), 0
        while True:
            due, data = await waiting.get()
            await asyncio.sleep(due - loop.time())
            while self._faults.hang and not link.cut:
                await self._changed.wait()
            if link.cut:
                return
            faults = self._faults
            if not data:
                _end(writer)
                return
            if faults.corrupt and self._rng.random() < faults.corrupt:
                data = _corrupted(data, self._rng)
            if faults.rate:
                await asyncio.sleep(len(data) / faults.rate)
            if faults.drop_after is not None and carried + len(data) > faults.drop_after:
                writer.write(data[: max(faults.drop_after - carried, 0)])
                link.reset(soon=True)
                return
            carried += len(data)
            try:
                writer.write(data)
                await writer.drain()
            except OSError:
                link.reset()
                return


class _Link:
    """The two sockets of a carried connection."""

    def __init__(self, client: asyncio.StreamWriter, server: asyncio.StreamWriter) -> None:
        self.client = client
        self.server = server
        self.cut = False

    def reset(self, *, soon: bool = False) -> None:
        """RST on both sides; `soon`: once what was written has left."""
        self.cut = True
        for writer in (self.client, self.server):
            if soon:
                _linger(writer)
                writer.close()
            else:
                _reset(writer)

    def close(self) -> None:
        self.client.close()
        self.server.close()


def _only_loopback(host: str) -> None:
    try:
        loopback = ipaddress.ip_address(host).is_loopback
    except ValueError:
        loopback = host == "localhost"
    if not loopback:
        raise ValueError(f"the fault proxy serves loopback addresses only, not {host!r}")


def _linger(writer: asyncio.StreamWriter) -> None:
    """Make closing send RST instead of FIN."""
    with contextlib.suppress(OSError):
        one = writer.get_extra_info("socket")
        one.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))


def _reset(writer: asyncio.StreamWriter) -> None:
    _linger(writer)
    writer.transport.abort()


def _end(writer: asyncio.StreamWriter) -> None:
    with contextlib.suppress(OSError, RuntimeError):
        writer.write_eof()


def _corrupted(data: bytes, rng: random.Random) -> bytes:
    at = rng.randrange(len(data))
    return data[:at] + bytes([data[at] ^ rng.randint(1, 255)]) + data[at + 1 :]
