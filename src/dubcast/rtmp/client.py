"""One connection to an RTMP server that plays or publishes one stream. Pure.

Bytes in, events out, and bytes to be sent in `take_output`. Who carries them is the edge's affair
(`rtmp.connection`); who says when it has taken too long is, too.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum

from dubcast import __version__, flv
from dubcast.flv import Tag
from dubcast.rtmp import amf0, chunks
from dubcast.rtmp.address import Address
from dubcast.rtmp.chunks import ChunkReader, ChunkWriter, Message
from dubcast.wire import MalformedError, Phase

HANDSHAKE_SIZE = 1536
_VERSION = b"\x03"
# Large, so that a message is one chunk nearly always; servers take it from ffmpeg as well.
_CHUNK_SIZE = 60_000
# So often the peer is asked to say what it has taken: what the network has is not yet taken.
WINDOW = 100_000
_WRAP = 1 << 32
_PLAYER_BUFFER_MS = 1000
_PLAY_FROM = -2000  # whatever there is of that name, the live one first
_SAMPLE_KINDS = (chunks.AUDIO, chunks.VIDEO, chunks.DATA)
_PING, _PONG, _BUFFER_LENGTH = 6, 7, 3
_SET_DATA = amf0.encode("@setDataFrame")
_METADATA = amf0.encode("onMetaData")


class Purpose(StrEnum):
    PLAY = "play"
    PUBLISH = "publish"


@dataclass(frozen=True)
class Started:
    """The server takes, or sends, the stream."""


@dataclass(frozen=True)
class Rejected:
    """The server says no. `redirect`: the URL where it says yes, if it knows one."""

    code: str
    words: str
    redirect: str = ""


@dataclass(frozen=True)
class Ended:
    """The server ends the stream, without an error."""

    code: str


Event = Started | Rejected | Ended | Tag


class Client:
    """A connection's state. `handshake`: 1528 bytes, random as the protocol asks."""

    def __init__(self, address: Address, purpose: Purpose, handshake: bytes) -> None:
        self.phase = Phase.HANDSHAKE
        self.received = 0  # bytes so far
        self.acknowledged: int | None = None  # bytes that the peer says it took; None: it never did
        self._address = address
        self._purpose = purpose
        self._reader, self._writer = ChunkReader(), ChunkWriter()
        self._greeting = bytearray()
        self._output = [_VERSION + bytes(8) + handshake[: HANDSHAKE_SIZE - 8]]
        self._stream_id = 0
        self._window = 0  # the peer wants to be told of each so many bytes
        self._told = 0
        self._calls = 0
        self._created = 0  # the call that asked for a message stream
        self._handlers: dict[int, Callable[[Message], Event | None]] = {
            chunks.ACKNOWLEDGEMENT: self._hear_acknowledgement,
            chunks.WINDOW_SIZE: self._hear_window,
            chunks.PEER_BANDWIDTH: lambda one: self._send(chunks.WINDOW_SIZE, one.body[:4]),
            chunks.USER_CONTROL: self._hear_control,
            chunks.COMMAND: self._hear_command,
            chunks.COMMAND_AMF3: self._hear_command,
            **dict.fromkeys(_SAMPLE_KINDS, self._hear_media),
        }

    # -- bytes ------------------------------------------------------------------------------

    def take_output(self) -> bytes:
        """What is to be sent now; empty if nothing is."""
        output = b"".join(self._output)
        self._output.clear()
        return output

    def receive(self, data: bytes | memoryview) -> list[Event]:
        """Take in what the peer sent. Raises MalformedError, after which nothing may follow."""
        self.received += len(data)
        if self.phase is Phase.HANDSHAKE:
            data = self._greeted(data)
        events = []
        for message in self._reader.feed(data):
            hear = self._handlers.get(message.kind)
            event = hear(message) if hear is not None else None
            if event is not None:
                events.append(event)
        if self._window and self.received - self._told >= self._window:
            self._told = self.received
            self._send(chunks.ACKNOWLEDGEMENT, (self.received % _WRAP).to_bytes(4))
        return events

    def media(self, tag: Tag) -> bytes:
        """The bytes of a tag that is published. Metadata is marked as what the server keeps."""
        body = tag.body
        if tag.kind == flv.SCRIPT and body.startswith(_METADATA):
            body = _SET_DATA + body
        return self._writer.encode(Message(tag.kind, tag.dts_ms, self._stream_id, body))

    def end(self) -> bytes:
        """The words with which a publisher or a player leaves."""
        if self.phase is Phase.RUNNING and self._purpose is Purpose.PUBLISH:
            self._command("FCUnpublish", None, self._address.name)
        if self._stream_id:
            self._command("deleteStream", None, self._stream_id)
        return self.take_output()

    def _greeted(self, data: bytes | memoryview) -> bytes:
        """Take in S0, S1 and S2; what is left of `data` after them."""
        self._greeting += data
        if self._greeting and self._greeting[:1] != _VERSION:
            raise MalformedError(
                f"the peer does not speak RTMP, it starts with {self._greeting[0]}"
            )
        if len(self._greeting) < 1 + 2 * HANDSHAKE_SIZE:
            return b""
        self._output.append(bytes(self._greeting[1 : 1 + HANDSHAKE_SIZE]))  # C2 repeats S1
        rest = bytes(self._greeting[1 + 2 * HANDSHAKE_SIZE :])
        self._greeting.clear()
        self._connect()
        return rest

    # -- what is said -----------------------------------------------------------------------

    def _connect(self) -> None:
        self.phase = Phase.CONNECTING
        about: dict[str, amf0.Value] = {"app": self._address.told_app, "type": "nonprivate"}
        version = f"FMLE/3.0 (compatible; dubcast/{__version__})"
        if self._purpose is Purpose.PLAY:
            # What a player says that it can: servers hand out more codecs to one that says it.
            about |= {"capabilities": 239, "audioCodecs": 4071, "videoCodecs": 252}
            version = f"LNX 9,0,124,2 (dubcast/{__version__})"
        about |= {"flashVer": version, "tcUrl": self._address.tc_url}
        self._send(chunks.SET_CHUNK_SIZE, _CHUNK_SIZE.to_bytes(4))
        self._writer.chunk_size = _CHUNK_SIZE
        self._command("connect", about)

    def _create(self) -> None:
        self.phase = Phase.CREATING
        self._send(chunks.WINDOW_SIZE, WINDOW.to_bytes(4))
        if self._purpose is Purpose.PUBLISH:
            # Not of the protocol, and what some platforms wait for: every encoder sends them.
            self._command("releaseStream", None, self._address.name)
            self._command("FCPublish", None, self._address.name)
        self._command("createStream", None)
        self._created = self._calls

    def _ask(self) -> None:
        self.phase = Phase.ASKING
        name = self._address.name
        if self._purpose is Purpose.PUBLISH:
            self._command("publish", None, name, "live", stream_id=self._stream_id)
            return
        self._command("play", None, name, _PLAY_FROM, stream_id=self._stream_id)
        length = _BUFFER_LENGTH.to_bytes(2) + self._stream_id.to_bytes(4)
        self._send(chunks.USER_CONTROL, length + _PLAYER_BUFFER_MS.to_bytes(4))

    def _command(self, name: str, *values: amf0.Value, stream_id: int = 0) -> None:
        self._calls += 1
        self._send(chunks.COMMAND, amf0.encode(name, self._calls, *values), stream_id)

    def _send(self, kind: int, body: bytes, stream_id: int = 0) -> None:
        self._output.append(self._writer.encode(Message(kind, 0, stream_id, body)))

    # -- what is heard ----------------------------------------------------------------------

    def _hear_acknowledgement(self, message: Message) -> None:
        # It has 32 bits; the count goes on where they end.
        before = self.acknowledged or 0
        step = (int.from_bytes(message.body[:4]) - before) % _WRAP
        if step < _WRAP // 2:  # a count that goes back says nothing
            self.acknowledged = before + step

    def _hear_window(self, message: Message) -> None:
        self._window = int.from_bytes(message.body[:4])

    def _hear_control(self, message: Message) -> None:
        if int.from_bytes(message.body[:2]) == _PING:
            self._send(chunks.USER_CONTROL, _PONG.to_bytes(2) + message.body[2:6])

    def _hear_media(self, message: Message) -> Event | None:
        if self._purpose is Purpose.PUBLISH or self.phase not in (Phase.ASKING, Phase.RUNNING):
            return None
        # Some servers send before they say that they do.
        self.phase = Phase.RUNNING
        return Tag(message.kind, message.timestamp, message.body)

    def _hear_command(self, message: Message) -> Event | None:
        body = message.body[1:] if message.kind == chunks.COMMAND_AMF3 else message.body
        values = amf0.decode(body)
        name = values[0] if values else None
        if name == "_result":
            self._succeeded(values)
        elif name == "_error":
            return self._failed(values)
        elif name == "onStatus":
            return self._status(_details(values))
        elif name == "close":
            return Ended("close")
        return None

    def _succeeded(self, values: list[amf0.Value]) -> None:
        if self.phase is Phase.CONNECTING:
            self._create()
        elif self.phase is Phase.CREATING and self._created in values[1:2]:
            given = [one for one in values[2:] if isinstance(one, float) and math.isfinite(one)]
            self._stream_id = int(given[-1]) % _WRAP if given else 1
            self._ask()

    def _failed(self, values: list[amf0.Value]) -> Event | None:
        # releaseStream and FCPublish are no part of the protocol: who lacks them is no worse.
        if self.phase is Phase.CREATING and self._created not in values[1:2]:
            return None
        return self._over(_details(values))

    def _status(self, about: Mapping[str, amf0.Value]) -> Event | None:
        code = str(about.get("code", ""))
        if about.get("level") == "error" or code.endswith((".Failed", ".Rejected", ".BadName")):
            return self._over(about)
        if self.phase is Phase.ASKING and code in (
            "NetStream.Publish.Start",
            "NetStream.Play.Start",
        ):
            self.phase = Phase.RUNNING
            return Started()
        if code in ("NetStream.Play.Stop", "NetStream.Play.UnpublishNotify"):
            return Ended(code)
        return None

    def _over(self, about: Mapping[str, amf0.Value]) -> Rejected:
        self.phase = Phase.OVER
        more = about.get("ex")
        more = more if isinstance(more, Mapping) else {}
        redirect = str(more.get("redirect", "")) if more.get("code") == 302 else ""
        code, words = str(about.get("code", "")), str(about.get("description", ""))
        return Rejected(code, words, redirect)


def _details(values: list[amf0.Value]) -> Mapping[str, amf0.Value]:
    """The mapping that says what happened: the last one of a reply."""
    return next((one for one in reversed(values) if isinstance(one, Mapping)), {})
