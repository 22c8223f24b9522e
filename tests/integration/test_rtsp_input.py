"""How sources of RTSP are asked for."""

from __future__ import annotations

import asyncio
import sys

from rig import child

_READ = """
import sys
from dubcast.worker.edges import InputCallbacks
from dubcast.worker.gst.pipeline import init
from dubcast.worker.gst.rtsp_input import RtspInput

init()
one = RtspInput(sys.argv[1], InputCallbacks(*[lambda *_: None] * 5))
one.play()
sys.stdin.read()
"""


async def test_a_server_is_not_asked_as_gstreamer_which_mediamtx_lets_wait() -> None:
    asked: asyncio.Future[bytes] = asyncio.get_running_loop().create_future()

    async def hear(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        asked.set_result(await reader.readuntil(b"\r\n\r\n"))
        writer.close()

    async with await asyncio.start_server(hear, "127.0.0.1", 0) as server:
        port = server.sockets[0].getsockname()[1]
        with child([sys.executable, "-c", _READ, f"rtsp://127.0.0.1:{port}/live/a/in"]):
            head = await asyncio.wait_for(asked, 20)
    assert b"User-Agent: dubcast/" in head
