"""An SRT listener that behaves as it is told, and notes what it was sent. On this machine only."""

from __future__ import annotations

import asyncio
import ctypes
import socket
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any, Literal

from dubcast.config import Secret
from dubcast.srt import library

Manner = Literal[
    "ok",
    "slow",  # it reads `bytes_per_s`
    "freeze_after",  # it reads nothing more after `seconds`; libsrt goes on
    "close_at_once",
]
_LOOK_S = 0.01
_NO_SECRET = Secret("")
_SEND_BLOCKS, _RECEIVE_BLOCKS, _PASSPHRASE, _LATENCY = 1, 2, 26, 43


@dataclass
class SrtReceiver:
    """`visits`: of each connection what was read, with when."""

    manner: Manner = "ok"
    seconds: float = 0.0
    bytes_per_s: int = 0
    passphrase: Secret = _NO_SECRET
    latency_ms: int = 120
    port: int = 0
    visits: list[list[tuple[float, bytes]]] = field(default_factory=list)

    @asynccontextmanager
    async def running(self) -> AsyncIterator[SrtReceiver]:
        """Listen while the block runs."""
        lib = library.load()
        listener = self._listener(lib)
        task = asyncio.create_task(self._accept(lib, listener))
        try:
            yield self
        finally:
            task.cancel()
            await asyncio.wait({task})
            lib.srt_close(listener)

    def url(self, more: str = "") -> str:
        return f"srt://127.0.0.1:{self.port}?streamid=the-key{more}"

    def _listener(self, lib: Any) -> int:
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
            probe.bind(("127.0.0.1", self.port))
            self.port = probe.getsockname()[1]
        listener = int(lib.srt_create_socket())
        no = b"\0"
        lib.srt_setsockflag(listener, _RECEIVE_BLOCKS, no, 1)
        lib.srt_setsockflag(listener, _SEND_BLOCKS, no, 1)
        latency = self.latency_ms.to_bytes(4, "little")
        lib.srt_setsockflag(listener, _LATENCY, latency, len(latency))
        if secret := self.passphrase.get_secret_value().encode():
            lib.srt_setsockflag(listener, _PASSPHRASE, secret, len(secret))
        address = library.socket_address(socket.AF_INET, "127.0.0.1", self.port)
        assert lib.srt_bind(listener, address, len(address)) == 0
        assert lib.srt_listen(listener, 5) == 0
        return listener

    async def _accept(self, lib: Any, listener: int) -> None:
        async with asyncio.TaskGroup() as tasks:
            while True:
                one = int(lib.srt_accept(listener, None, None))
                if one >= 0:
                    tasks.create_task(self._serve(lib, one))
                await asyncio.sleep(_LOOK_S)

    async def _serve(self, lib: Any, one: int) -> None:
        visit: list[tuple[float, bytes]] = []
        self.visits.append(visit)
        began = time.monotonic()
        try:
            while lib.srt_getsockstate(one) == library.State.CONNECTED:
                if self.manner == "close_at_once":
                    return
                self._read(lib, one, visit, time.monotonic() - began)
                await asyncio.sleep(_LOOK_S)
        finally:
            lib.srt_close(one)

    def _read(self, lib: Any, one: int, visit: list[tuple[float, bytes]], at_s: float) -> None:
        """Read what is there, as far as the manners go."""
        if self.manner == "freeze_after" and at_s > self.seconds:
            return
        space = ctypes.create_string_buffer(1500)
        while self.manner != "slow" or sum(len(one) for _, one in visit) < self.bytes_per_s * at_s:
            count = lib.srt_recvmsg(one, space, len(space))
            if count <= 0:
                return
            visit.append((time.monotonic(), space.raw[:count]))
