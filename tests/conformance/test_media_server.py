"""What every media server must do, run against each adapter with real publishers."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from dubcast.errors import MediaServerError
from dubcast.mediaserver import signature
from dubcast.mediaserver.interface import MediaServer
from rig import (
    KEY,
    SECRET,
    StubPlane,
    build_server,
    child,
    eventually,
    growing,
    publisher,
    read_argv,
    running_server,
    server_settings,
    stub_plane,
)

IN = "live/abc/in"
OUT = "live/abc/out"


@pytest.fixture
def plane() -> Iterator[StubPlane]:
    with stub_plane() as one:
        yield one


@pytest.fixture
async def server(server_kind: str, plane: StubPlane) -> AsyncIterator[MediaServer]:
    settings = server_settings(server_kind, silent_s=3)
    async with running_server(settings, plane.control()) as one:
        yield one


def with_key(server: MediaServer, path: str, extra: str = "") -> str:
    return f"{server.publish_url(path)}?key={KEY}{extra}"


async def ready(server: MediaServer, path: str) -> bool:
    return path in await server.ready_paths()


async def test_a_publisher_is_listed_with_its_source_and_query(server: MediaServer) -> None:
    assert await server.ready_paths() == {}
    with publisher(with_key(server, IN, "&lang=es")):
        await eventually(lambda: ready(server, IN))
        source = (await server.ready_paths())[IN]
        assert source.source_id
        assert source.source_type == "rtmpConn"
        assert source.query == "lang=es"
    await eventually(lambda: gone(server, IN), 5)


async def gone(server: MediaServer, path: str) -> bool:
    return not await ready(server, path)


async def test_hooks_are_signed_and_name_the_source(server: MediaServer, plane: StubPlane) -> None:
    with publisher(with_key(server, IN, "&lang=es%26x")):
        await eventually(lambda: plane.kinds(IN) == ["ready"])
        source = (await server.ready_paths())[IN]
    await eventually(lambda: plane.kinds(IN) == ["ready", "not-ready"])
    for _, headers, value, body in plane.hooks:
        assert value["sourceId"] == source.source_id
        assert value["sourceType"] == "rtmpConn"
        assert value["query"] == "lang=es%26x"
        stamp = int(headers["webhook-timestamp"])
        expected = signature.sign(SECRET, headers["webhook-id"], stamp, body)
        assert headers["webhook-signature"] == expected
    ids = [headers["webhook-id"] for _, headers, _, _ in plane.hooks]
    assert len(set(ids)) == 2


async def test_a_failed_hook_is_tried_again(server: MediaServer, plane: StubPlane) -> None:
    plane.fail_hooks = 2
    with publisher(with_key(server, IN)):
        await eventually(lambda: plane.kinds(IN) == ["ready"])


async def test_a_wrong_key_is_refused(server: MediaServer) -> None:
    with publisher(server.publish_url(IN) + "?key=wrong") as one:
        assert await one.ended() != 0
    assert await server.ready_paths() == {}


@pytest.mark.parametrize("path", ["live/abc", "live/ABC/in", "live/abc/elsewhere", "other/abc/in"])
async def test_an_unknown_path_is_refused(server: MediaServer, path: str) -> None:
    with publisher(with_key(server, path)) as one:
        assert await one.ended() != 0
    assert await server.ready_paths() == {}


async def test_a_second_publisher_is_refused_and_the_first_plays_on(
    server: MediaServer, tmp_path: Path
) -> None:
    with publisher(with_key(server, IN)) as first:
        await eventually(lambda: ready(server, IN))
        source = (await server.ready_paths())[IN]
        with child(read_argv(server.read_url(IN), tmp_path / "a.flv", 3)) as reader:
            with publisher(with_key(server, IN)) as second:
                assert await second.ended() != 0
            assert await reader.ended() == 0
        assert first.running
        assert (await server.ready_paths())[IN] == source
    assert (tmp_path / "a.flv").stat().st_size > 10_000


async def test_a_publisher_that_returns_is_a_new_source(server: MediaServer) -> None:
    seen = set()
    for _ in range(2):
        with publisher(with_key(server, IN)):
            await eventually(lambda: ready(server, IN))
            seen.add((await server.ready_paths())[IN].source_id)
        await eventually(lambda: gone(server, IN))
    assert len(seen) == 2


async def test_kick_cuts_the_publisher_off(server: MediaServer) -> None:
    assert await server.kick(IN) is False
    with publisher(with_key(server, IN)) as one:
        await eventually(lambda: ready(server, IN))
        assert one.running
        assert await server.kick(IN) is True
        await one.ended()
    await eventually(lambda: gone(server, IN))


async def test_readers_of_this_machine_need_no_key(server: MediaServer, tmp_path: Path) -> None:
    with publisher(server.publish_url(OUT)):
        await eventually(lambda: ready(server, OUT))
        with child(read_argv(server.read_url(OUT), tmp_path / "a.flv", 1)) as reader:
            assert await reader.ended() == 0


async def test_readers_get_the_end_of_the_stream(server: MediaServer, tmp_path: Path) -> None:
    with publisher(server.publish_url(OUT)) as one:
        await eventually(lambda: ready(server, OUT))
        with child(read_argv(server.read_url(OUT), tmp_path / "a.flv", 60)) as reader:
            await growing(tmp_path / "a.flv")
            assert reader.running
            one.close()
            await reader.ended(3)


async def test_a_frozen_publisher_is_dropped(server: MediaServer) -> None:
    import signal

    with publisher(with_key(server, IN)) as one:
        await eventually(lambda: ready(server, IN))
        one.signal(signal.SIGSTOP)
        await eventually(lambda: gone(server, IN), 8)


async def test_a_port_in_use_is_a_clear_error(server: MediaServer, plane: StubPlane) -> None:
    other = server_settings(
        server.kind, **server.settings.model_dump(include={"rtmp_port", "mediamtx_path"})
    )
    second = build_server(other, plane.control())
    with pytest.raises(MediaServerError, match=str(server.settings.rtmp_port)):
        await second.start()
    await second.close()


async def test_a_server_that_is_away_is_a_clear_error(
    server: MediaServer, plane: StubPlane
) -> None:
    await server.stop()
    with pytest.raises(MediaServerError, match="does not answer"):
        await server.ready_paths()


async def test_stopping_twice_is_harmless(server: MediaServer) -> None:
    await server.stop()
    await server.stop()
