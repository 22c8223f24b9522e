"""What the loopback proxy does to a connection. Waits are multiples of one unit."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from dubcast.testing.proxy import FaultProxy, Faults

UNIT = 0.1


async def _echo(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    try:
        while data := await reader.read(65536):
            writer.write(data)
            await writer.drain()
        writer.write(b"bye")
    except OSError:
        pass
    finally:
        writer.close()


@asynccontextmanager
async def proxied(faults: Faults | None = None) -> AsyncIterator[FaultProxy]:
    server = await asyncio.start_server(_echo, "127.0.0.1", 0)
    try:
        async with FaultProxy(server.sockets[0].getsockname()[:2], faults) as proxy:
            yield proxy
    finally:
        server.close()


class Client:
    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader, self.writer = reader, writer

    async def exchange(self, data: bytes) -> bytes:
        self.writer.write(data)
        return await self.reader.readexactly(len(data))


@asynccontextmanager
async def connected(proxy: FaultProxy) -> AsyncIterator[Client]:
    reader, writer = await asyncio.open_connection("127.0.0.1", proxy.port)
    try:
        yield Client(reader, writer)
    finally:
        writer.close()


async def test_without_faults_every_byte_passes_and_the_end_too() -> None:
    data = bytes(range(256)) * 4000
    async with proxied() as proxy, connected(proxy) as one:
        assert await one.exchange(data) == data
        one.writer.write_eof()
        assert await one.reader.read() == b"bye"
        assert proxy.connections == 1


async def test_latency_holds_bytes_back_in_each_direction() -> None:
    async with proxied(Faults(latency_s=UNIT)) as proxy, connected(proxy) as one:
        started = time.monotonic()
        await one.exchange(b"x")
        assert 2 * UNIT <= time.monotonic() - started < 8 * UNIT


async def test_jitter_does_not_reorder() -> None:
    faults = Faults(latency_s=UNIT / 4, jitter_s=UNIT / 4)
    async with proxied(faults) as proxy, connected(proxy) as one:
        for number in range(20):
            one.writer.write(bytes([number]))
            await asyncio.sleep(0.002)
        assert await one.reader.readexactly(20) == bytes(range(20))


async def test_a_rate_limits_the_flow() -> None:
    async with proxied(Faults(rate=100_000 / UNIT)) as proxy, connected(proxy) as one:
        started = time.monotonic()
        await one.exchange(bytes(200_000))
        assert 2 * UNIT <= time.monotonic() - started < 20 * UNIT


async def test_a_hang_can_be_switched_on_and_off_while_connected() -> None:
    async with proxied() as proxy, connected(proxy) as one:
        await one.exchange(b"before")
        proxy.faults = Faults(hang=True)
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(2 * UNIT):
                await one.exchange(b"lost?")
        proxy.faults = Faults()
        assert await one.reader.readexactly(5) == b"lost?"


@pytest.mark.parametrize("faults", [Faults(), Faults(hang=True)])
async def test_a_reset_ends_every_connection(faults: Faults) -> None:
    async with proxied() as proxy, connected(proxy) as one:
        await one.exchange(b"x")
        proxy.faults = faults
        proxy.reset()
        with pytest.raises(ConnectionResetError):
            await one.reader.readexactly(1)
        async with asyncio.timeout(20 * UNIT):
            while proxy.open:
                await asyncio.sleep(0.01)


async def test_half_closed_the_other_direction_still_passes() -> None:
    async with proxied() as proxy, connected(proxy) as one:
        await one.exchange(b"x")
        proxy.half_close()
        assert await one.reader.read() == b""
        one.writer.write(b"still goes")
        await one.writer.drain()


async def test_bytes_are_corrupted_but_not_lost() -> None:
    async with proxied(Faults(corrupt=1.0)) as proxy, connected(proxy) as one:
        data = await one.exchange(bytes(1000))
        assert 1 <= sum(byte != 0 for byte in data) <= 4


async def test_a_connection_is_cut_after_so_many_bytes() -> None:
    async with proxied(Faults(drop_after=10)) as proxy, connected(proxy) as one:
        one.writer.write(bytes(8))
        assert await one.reader.readexactly(8) == bytes(8)
        one.writer.write(bytes(8))
        with pytest.raises((ConnectionResetError, asyncio.IncompleteReadError)):
            await one.reader.readexactly(8)


async def test_new_connections_are_refused() -> None:
    async with proxied(Faults(refuse=True)) as proxy, connected(proxy) as one:
        with pytest.raises((ConnectionResetError, asyncio.IncompleteReadError)):
            await one.exchange(b"x")


async def test_a_target_that_is_away_resets_the_client() -> None:
    async with FaultProxy(("127.0.0.1", 9)) as proxy, connected(proxy) as one:
        with pytest.raises((ConnectionResetError, asyncio.IncompleteReadError)):
            await one.exchange(b"x")


async def test_new_connections_go_to_a_new_target() -> None:
    async with proxied() as proxy:
        here, proxy.target = proxy.target, ("127.0.0.1", 9)
        async with connected(proxy) as one:
            with pytest.raises((ConnectionResetError, asyncio.IncompleteReadError)):
                await one.exchange(b"x")
        proxy.target = here
        async with connected(proxy) as one:
            assert await one.exchange(b"x") == b"x"


@pytest.mark.parametrize("host", ["0.0.0.0", "192.0.2.1", "example.org", "::"])
def test_it_is_no_way_into_a_network(host: str) -> None:
    with pytest.raises(ValueError, match="loopback"):
        FaultProxy((host, 80))
    with pytest.raises(ValueError, match="loopback"):
        FaultProxy(("127.0.0.1", 80), host=host)
    with pytest.raises(ValueError, match="loopback"):
        FaultProxy(("127.0.0.1", 80)).target = (host, 80)
    FaultProxy(("::1", 80))
    FaultProxy(("localhost", 80))
