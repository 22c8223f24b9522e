"""An RTMP destination that behaves as it is told, and notes what it was sent. On this machine only.

The wire is real; only the manners are wrong. Each way of refusing is one that a platform has.
"""

from __future__ import annotations

import asyncio
import socket
import ssl
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from typing import Literal

from dubcast.flv import Tag
from dubcast.rtmp import amf0, chunks
from dubcast.rtmp.chunks import ChunkReader, ChunkWriter, Message
from dubcast.rtmp.client import HANDSHAKE_SIZE

Manner = Literal[
    "ok",
    "reset_at_accept",  # of the connection
    "mute",  # it takes the connection and says nothing
    "reject_connect",  # in words, before the key
    "redirect",  # to `url`
    "adobe_auth",  # user and password are asked for
    "bad_name",  # in words, of the key
    "close_on_publish",  # without a word
    "silent_publish",  # no answer to the key
    "close_on_data",  # at the first media
    "close_after",  # `seconds` of media
    "deny_after",  # in words, after `seconds` of media
    "slow",  # it reads `bytes_per_s`
    "freeze_after",  # it reads nothing more after `seconds` of media
]
_REJECTED = "NetConnection.Connect.Rejected"
_SALT = "authmod=adobe ?reason=needauth&user=u&salt=s+lt&challenge=ch&opaque=op"
_STREAM_ID = 1
_MEDIA = (chunks.AUDIO, chunks.VIDEO, chunks.DATA)


class _Hangup(Exception):
    """The destination closes the connection."""


@dataclass
class Visit:
    """One connection: what was said and sent on it. Times on the monotonic clock, in s."""

    at_s: float
    commands: list[list[amf0.Value]] = field(default_factory=list)
    tags: list[tuple[float, Tag]] = field(default_factory=list)
    published_s: float | None = None
    bytes: int = 0
    over: asyncio.Event = field(default_factory=asyncio.Event)

    def pictures(self) -> list[tuple[float, Tag]]:
        return [(at, tag) for at, tag in self.tags if tag.kind == chunks.VIDEO]


@dataclass
class Destination:
    """`keep`: whether the media that comes is kept; `kept`: what of a tag. `acknowledges`: it says
    of all that it reads that it did. Numbers are of the manners that use them."""

    manner: Manner = "ok"
    seconds: float = 0.0
    bytes_per_s: int = 0
    url: str = ""
    keep: bool = True
    kept: Callable[[Tag], Tag] = lambda tag: tag
    acknowledges: bool = False
    port: int = 0
    visits: list[Visit] = field(default_factory=list)
    _tasks: set[asyncio.Task[None]] = field(default_factory=set, repr=False)

    @asynccontextmanager
    async def running(
        self, *, host: str = "127.0.0.1", tls: ssl.SSLContext | None = None
    ) -> AsyncIterator[Destination]:
        """Serve while the block runs."""
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        own = socket.create_server((host, self.port), family=family)
        limit = 1 << 20
        if self.manner in ("slow", "freeze_after"):
            # What this machine would hold for it, megabytes, no slow network does.
            own.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 64 * 1024)
            limit = 16 * 1024
        server = await asyncio.start_server(self._serve, sock=own, ssl=tls, limit=limit)
        self.port = own.getsockname()[1]
        try:
            yield self
        finally:
            server.close()
            for task in self._tasks:
                task.cancel()
            await asyncio.gather(*self._tasks, return_exceptions=True)

    def rtmp(self, path: str = "app/the-key") -> str:
        """Its URL on this machine."""
        return f"rtmp://127.0.0.1:{self.port}/{path}"

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        visit = Visit(time.monotonic())
        self.visits.append(visit)
        try:
            with suppress(_Hangup, OSError, asyncio.IncompleteReadError):
                await _Talk(self, visit, reader, writer).run()
                await writer.drain()
            writer.close()
        finally:
            visit.over.set()
            self._tasks.discard(task)
            if task.cancelling():
                writer.transport.abort()


class _Talk:
    """One connection's talk."""

    def __init__(
        self,
        own: Destination,
        visit: Visit,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
    ) -> None:
        self._own, self._visit = own, visit
        self._in, self._out = reader, writer
        self._chunks, self._encode = ChunkReader(), ChunkWriter().encode

    async def run(self) -> None:
        if self._own.manner == "reset_at_accept":
            self._out.transport.abort()
            return
        if self._own.manner == "mute":
            await self._in.read(-1)
        hello = await self._in.readexactly(1 + HANDSHAKE_SIZE)
        self._out.write(b"\x03" + bytes(HANDSHAKE_SIZE) + hello[1:])
        await self._in.readexactly(HANDSHAKE_SIZE)
        while data := await self._in.read(self._own.bytes_per_s // 10 or 65_536):
            self._visit.bytes += len(data)
            if self._own.acknowledges:
                count = self._visit.bytes.to_bytes(4)
                self._out.write(self._encode(Message(chunks.ACKNOWLEDGEMENT, 0, 0, count)))
            for message in self._chunks.feed(data):
                await self._hear(message)
            if self._visit.tags or not self._own.keep:
                await self._drag(len(data))

    async def _drag(self, count: int) -> None:
        """Be slow, or frozen."""
        own = self._own
        if own.manner == "slow":
            await asyncio.sleep(count / own.bytes_per_s)
        elif own.manner == "freeze_after" and self._media_s() > own.seconds:
            await asyncio.sleep(3600)

    def _media_s(self) -> float:
        return time.monotonic() - (self._visit.published_s or time.monotonic())

    async def _hear(self, message: Message) -> None:
        if message.kind == chunks.COMMAND:
            values = amf0.decode(message.body)
            self._visit.commands.append(values)
            await self._obey(values)
        elif message.kind in _MEDIA:
            if self._own.keep:
                tag = Tag(message.kind, message.timestamp, message.body)
                self._visit.tags.append((time.monotonic(), self._own.kept(tag)))
            self._judge_media()

    def _judge_media(self) -> None:
        own, late = self._own, self._media_s() > self._own.seconds
        if own.manner == "close_on_data" or (own.manner == "close_after" and late):
            raise _Hangup
        if own.manner == "deny_after" and late:
            self._status("error", "NetStream.Publish.Denied")
            raise _Hangup

    async def _obey(self, values: list[amf0.Value]) -> None:
        name, number = values[0], values[1]
        if name == "connect":
            self._connect(number, values[2])
        elif name == "createStream":
            self._say("_result", number, None, _STREAM_ID)
        elif name == "publish":
            self._publish()
        await self._out.drain()

    def _connect(self, number: amf0.Value, about: amf0.Value) -> None:
        own = self._own
        assert isinstance(about, dict)
        app = str(about["app"])
        if own.manner == "reject_connect":
            self._reject(number, "[ AccessManager.Reject ] : no such event")
        if own.manner == "redirect":
            self._reject(number, "moved", {"code": 302, "redirect": own.url})
        if own.manner == "adobe_auth" and "response=" not in app:
            asked = "user=" in app
            self._reject(number, _SALT if asked else "code=403 need auth; authmod=adobe")
        self._say(
            "_result", number, {}, {"level": "status", "code": "NetConnection.Connect.Success"}
        )

    def _publish(self) -> None:
        manner = self._own.manner
        if manner == "bad_name":
            self._status("error", "NetStream.Publish.BadName")
        if manner in ("bad_name", "close_on_publish"):
            raise _Hangup
        if manner != "silent_publish":
            self._visit.published_s = time.monotonic()
            self._status("status", "NetStream.Publish.Start")

    def _reject(
        self, number: amf0.Value, words: str, more: dict[str, amf0.Value] | None = None
    ) -> None:
        about: dict[str, amf0.Value] = {"level": "error", "code": _REJECTED, "description": words}
        self._say("_error", number, None, about | ({"ex": more} if more else {}))
        raise _Hangup

    def _status(self, level: str, code: str) -> None:
        about: dict[str, amf0.Value] = {"level": level, "code": code, "description": "told"}
        self._say("onStatus", 0, None, about, stream_id=_STREAM_ID)

    def _say(self, *values: amf0.Value, stream_id: int = 0) -> None:
        self._out.write(self._encode(Message(chunks.COMMAND, 0, stream_id, amf0.encode(*values))))
