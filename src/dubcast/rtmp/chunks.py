"""The chunk stream: messages cut to chunks and put together again. Pure.

RTMP 1.0, section 5.3. Timestamps are milliseconds of 32 bits that wrap.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from dubcast.wire import MalformedError

SET_CHUNK_SIZE, ABORT, ACKNOWLEDGEMENT, USER_CONTROL, WINDOW_SIZE, PEER_BANDWIDTH = range(1, 7)
AUDIO, VIDEO, DATA_AMF3, COMMAND_AMF3, DATA, COMMAND = 8, 9, 15, 17, 18, 20

DEFAULT_CHUNK_SIZE = 128
_EXTENDED = 0xFFFFFF
_WRAP = 1 << 32
# Of the message header, by the chunk's format.
_HEADER_SIZES = (11, 7, 3, 0)
# What a peer may have us hold.
_MOST_STREAMS = 64
_MOST_HELD = 32 * 1024 * 1024
_LARGEST_CHUNK = 0xFFFFFF
# Of what is sent: the control messages' is given by the protocol, the others keep tracks apart.
_CHUNK_STREAMS = {AUDIO: 4, VIDEO: 6, DATA: 5, COMMAND: 3}
_CONTROL_STREAM = 2


@dataclass(frozen=True, slots=True)
class Message:
    """One message: `timestamp` in ms of 32 bits; `stream_id` 0 is the connection itself."""

    kind: int
    timestamp: int
    stream_id: int
    body: bytes


@dataclass(slots=True)
class _ChunkStream:
    """The header that the next chunk may leave out, and the message that is not whole yet."""

    timestamp: int = 0
    delta: int = 0
    length: int = 0
    kind: int = 0
    stream_id: int = 0
    extended: int | None = None  # the long timestamp, where the last header had one
    body: bytearray = field(default_factory=bytearray)


@dataclass(slots=True)
class _Header:
    """One chunk's header, read and not yet believed: the rest of the chunk may be missing."""

    form: int
    stream: _ChunkStream
    time: int
    length: int
    kind: int
    stream_id: int
    extended: int | None
    end: int


class ChunkReader:
    """Bytes as they come in, whole messages out."""

    def __init__(self) -> None:
        self.chunk_size = DEFAULT_CHUNK_SIZE
        self._rest = b""  # of a chunk that is not there as a whole
        self._streams: dict[int, _ChunkStream] = {}
        self._held = 0

    def feed(self, data: bytes | memoryview) -> list[Message]:
        """The messages that `data` completes. Raises MalformedError.

        A change of the chunk size takes effect with the chunk that follows it.
        """
        view = memoryview(self._rest + data if self._rest else data)
        found: list[Message] = []
        at = 0
        while (header := self._header(view, at)) is not None:
            taken = min(self.chunk_size, header.length - len(header.stream.body))
            if header.end + taken > len(view):
                break
            at = header.end + taken
            message = self._believe(header, view[header.end : at])
            if message is not None:
                self._obey(message)
                found.append(message)
        self._rest = bytes(view[at:])
        return found

    def _header(self, view: memoryview, at: int) -> _Header | None:
        """The header of the chunk at `at`; None while it is not there as a whole."""
        if at >= len(view):
            return None
        form, number = view[at] >> 6, view[at] & 63
        at += 1
        if number < 2:  # numbers from 64 on take one byte or two of their own
            size = number + 1
            number = 64 + int.from_bytes(view[at : at + size], "little")
            at += size
        if at + _HEADER_SIZES[form] > len(view):
            return None
        return self._fields(view, at, form, self._stream(number))

    def _stream(self, number: int) -> _ChunkStream:
        stream = self._streams.get(number)
        if stream is None:
            if len(self._streams) >= _MOST_STREAMS:
                raise MalformedError("too many chunk streams")
            stream = self._streams[number] = _ChunkStream()
        return stream

    @staticmethod
    def _fields(view: memoryview, at: int, form: int, old: _ChunkStream) -> _Header | None:
        length, kind, stream_id = old.length, old.kind, old.stream_id
        end = at + _HEADER_SIZES[form]
        if form < 2:
            length, kind = int.from_bytes(view[at + 3 : at + 6]), view[at + 6]
        if form == 0:
            stream_id = int.from_bytes(view[at + 7 : at + 11], "little")
        if form == 3:
            time, extended = old.delta, old.extended
            if extended is not None:
                # Not every sender repeats it: where other bytes stand, they are the message's.
                if end + 4 > len(view):
                    return None
                if int.from_bytes(view[end : end + 4]) == extended:
                    end += 4
            return _Header(form, old, time, length, kind, stream_id, extended, end)
        time, extended = int.from_bytes(view[at : at + 3]), None
        if time == _EXTENDED:
            if end + 4 > len(view):
                return None
            time = extended = int.from_bytes(view[end : end + 4])
            end += 4
        return _Header(form, old, time, length, kind, stream_id, extended, end)

    def _believe(self, header: _Header, piece: memoryview) -> Message | None:
        """Take a whole chunk in; the message that it ends."""
        stream = header.stream
        if not stream.body or header.form != 3:
            self._begin(header)
        if len(stream.body) == 0 and len(piece) == header.length:
            body = bytes(piece)
        else:
            self._held += len(piece)
            if self._held > _MOST_HELD:
                raise MalformedError("too much of unfinished messages")
            stream.body += piece
            if len(stream.body) < stream.length:
                return None
            body = bytes(stream.body)
            self._drop(stream)
        return Message(stream.kind, stream.timestamp, stream.stream_id, body)

    def _begin(self, header: _Header) -> None:
        stream = header.stream
        if stream.body:
            raise MalformedError("a message begins within another of its chunk stream")
        if header.form == 0:
            stream.timestamp, stream.delta = header.time, 0
        else:
            stream.timestamp = (stream.timestamp + header.time) % _WRAP
            stream.delta = header.time
        stream.length, stream.kind = header.length, header.kind
        stream.stream_id, stream.extended = header.stream_id, header.extended

    def _drop(self, stream: _ChunkStream) -> None:
        self._held -= len(stream.body)
        stream.body = bytearray()

    def _obey(self, message: Message) -> None:
        """What concerns the chunk stream itself."""
        number = int.from_bytes(message.body[:4])
        if message.kind == SET_CHUNK_SIZE:
            if not 1 <= number <= _LARGEST_CHUNK:
                raise MalformedError(f"chunk size {number}")
            self.chunk_size = number
        elif message.kind == ABORT and number in self._streams:
            self._drop(self._streams[number])


class ChunkWriter:
    """Messages in, bytes out. Each has a whole header, so that nothing hangs on what was before."""

    def __init__(self) -> None:
        self.chunk_size = DEFAULT_CHUNK_SIZE

    def encode(self, message: Message) -> bytes:
        """The message as chunks; a long timestamp is repeated in each, as the protocol asks."""
        number = _CHUNK_STREAMS.get(message.kind, _CONTROL_STREAM)
        body, size, time = message.body, self.chunk_size, message.timestamp % _WRAP
        extended = time.to_bytes(4) if time >= _EXTENDED else b""
        head = b"".join(
            (
                bytes([number]),
                min(time, _EXTENDED).to_bytes(3),
                len(body).to_bytes(3),
                bytes([message.kind]),
                message.stream_id.to_bytes(4, "little"),
                extended,
            )
        )
        if len(body) <= size:
            return head + body
        more = bytes([0xC0 | number]) + extended
        pieces = [head, body[:size]]
        for at in range(size, len(body), size):
            pieces += (more, body[at : at + size])
        return b"".join(pieces)
