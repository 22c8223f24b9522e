"""The RTMP core: values, chunks, addresses, and the talk with a server. No socket."""

from __future__ import annotations

import base64
import hashlib
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dubcast import flv
from dubcast.errors import ConfigError
from dubcast.flv import Tag
from dubcast.rtmp import address as addresses
from dubcast.rtmp import amf0, auth, chunks
from dubcast.rtmp.chunks import ChunkReader, ChunkWriter, Message
from dubcast.rtmp.client import HANDSHAKE_SIZE, Client, Ended, Purpose, Rejected, Started
from dubcast.wire import MalformedError, Phase

TEXT = st.text(max_size=20)
PLAIN = st.none() | st.booleans() | st.floats(allow_nan=False) | TEXT
VALUES = st.recursive(
    PLAIN, lambda one: st.lists(one, max_size=3) | st.dictionaries(TEXT, one, max_size=3)
)


@given(st.lists(VALUES, max_size=4))
def test_values_come_back(values: list[amf0.Value]) -> None:
    assert amf0.decode(amf0.encode(*values)) == values


def test_long_text_an_array_of_names_and_a_date_are_understood() -> None:
    assert amf0.decode(amf0.encode("x" * 70_000)) == ["x" * 70_000]
    assert amf0.decode(flv.metadata({"width": 640.0})) == ["onMetaData", {"width": 640.0}]
    assert amf0.decode(b"\x0b" + bytes(10) + b"\x06") == [0.0, None]


@given(st.binary(max_size=60))
def test_any_bytes_are_values_or_refused(data: bytes) -> None:
    with suppress(MalformedError):
        amf0.decode(data)


def test_what_is_nested_without_end_is_refused() -> None:
    with pytest.raises(MalformedError, match="deep"):
        amf0.decode(b"\x0a\x00\x00\x00\x01" * 100)


KINDS = st.sampled_from([chunks.AUDIO, chunks.VIDEO, chunks.DATA, chunks.COMMAND])
TIMES = st.sampled_from([0, 1, 0xFFFFFE, 0xFFFFFF, 0x1000000, 0xFFFFFFFF])
MESSAGES = st.lists(
    st.builds(Message, KINDS, TIMES, st.integers(0, 3), st.binary(max_size=700)), max_size=8
)


@given(MESSAGES, st.integers(1, 300), st.lists(st.integers(1, 200), min_size=1, max_size=8))
def test_messages_come_back_whatever_the_pieces(
    messages: list[Message], chunk_size: int, pieces: list[int]
) -> None:
    writer, reader = ChunkWriter(), ChunkReader()
    size = Message(chunks.SET_CHUNK_SIZE, 0, 0, chunk_size.to_bytes(4))
    data = writer.encode(size)
    writer.chunk_size = chunk_size
    data += b"".join(map(writer.encode, messages))
    found, at, turn = [], 0, 0
    while at < len(data):
        step = pieces[turn % len(pieces)]
        found += reader.feed(data[at : at + step])
        at, turn = at + step, turn + 1
    assert found == [size, *messages]


def _basic(form: int, number: int) -> bytes:
    return bytes([form << 6 | number])


def test_headers_that_leave_out_what_did_not_change() -> None:
    first = _basic(0, 4) + (1000).to_bytes(3) + (2).to_bytes(3) + b"\x08" + b"\1\0\0\0" + b"ab"
    second = _basic(1, 4) + (40).to_bytes(3) + (3).to_bytes(3) + b"\x08" + b"cde"
    third = _basic(2, 4) + (23).to_bytes(3) + b"fgh"
    fourth = _basic(3, 4) + b"ijk"
    found = ChunkReader().feed(first + second + third + fourth)
    assert [one.timestamp for one in found] == [1000, 1040, 1063, 1086]
    assert [one.body for one in found] == [b"ab", b"cde", b"fgh", b"ijk"]
    assert {one.stream_id for one in found} == {1}


@pytest.mark.parametrize("repeated", [True, False])
def test_a_long_timestamp_may_be_repeated_in_later_chunks_or_not(repeated: bool) -> None:
    time = (0x01020304).to_bytes(4)
    body = bytes(range(200))
    head = _basic(0, 6) + b"\xff\xff\xff" + (200).to_bytes(3) + b"\x09" + b"\1\0\0\0" + time
    data = head + body[:128] + _basic(3, 6) + (time if repeated else b"") + body[128:]
    (message,) = ChunkReader().feed(data)
    assert (message.timestamp, message.body) == (0x01020304, body)


def test_numbers_of_chunk_streams_beyond_63() -> None:
    rest = (5).to_bytes(3) + (1).to_bytes(3) + b"\x08" + bytes(4) + b"x"
    found = ChunkReader().feed(b"\x00\x05" + rest + b"\x01\x05\x01" + rest)
    assert [one.body for one in found] == [b"x", b"x"]


def test_an_aborted_message_is_forgotten() -> None:
    writer, reader = ChunkWriter(), ChunkReader()
    whole = Message(chunks.VIDEO, 7, 1, bytes(200))
    data = writer.encode(whole)[:140]  # its first chunk
    data += writer.encode(Message(chunks.ABORT, 0, 0, (6).to_bytes(4)))
    found = reader.feed(data + writer.encode(whole))
    assert [one.kind for one in found] == [chunks.ABORT, chunks.VIDEO]


def test_a_peer_cannot_fill_the_memory() -> None:
    reader = ChunkReader()
    reader.feed(ChunkWriter().encode(Message(chunks.SET_CHUNK_SIZE, 0, 0, (1 << 22).to_bytes(4))))
    head = bytes(3) + b"\xff\xff\xff" + b"\x09" + bytes(4)
    with pytest.raises(MalformedError, match="too much"):
        for number in range(3, 60):
            reader.feed(_basic(0, number) + head + bytes(1 << 22))
    with pytest.raises(MalformedError, match="chunk size"):
        ChunkReader().feed(ChunkWriter().encode(Message(chunks.SET_CHUNK_SIZE, 0, 0, bytes(4))))
    with pytest.raises(MalformedError, match="chunk streams"):
        ChunkReader().feed(b"".join(b"\0" + bytes([n]) + bytes(11) for n in range(100)))


@given(st.binary(max_size=200))
def test_any_bytes_are_chunks_or_refused(data: bytes) -> None:
    with suppress(MalformedError):
        ChunkReader().feed(data)


@pytest.mark.parametrize(
    ("url", "app", "name"),
    [
        ("rtmp://h/app/key", "app", "key"),
        ("rtmp://h/app/inst/key", "app/inst", "key"),
        ("rtmp://h/a/b/c/key", "a/b", "c/key"),
        ("rtmp://h/app/key?s_bl=1&a=Ab-_~", "app", "key?s_bl=1&a=Ab-_~"),
        ("rtmp://h/app/key?x=a/b", "app", "key?x=a/b"),
        ("rtmp://h/app?token=abc/key", "app?token=abc", "key"),
        ("rtmp://h/app/k:e y%20z+=&#!", "app", "k:e y%20z+=&#!"),
        ("rtmp://h/vod/mp4:a/b", "vod", "mp4:a/b"),
        ("rtmp://h/app", "app", ""),
        ("rtmp://h", "", ""),
    ],
)
def test_application_and_name(url: str, app: str, name: str) -> None:
    one = addresses.parse(url)
    assert (one.app, one.name) == (app, name)


def test_the_parts_of_a_url() -> None:
    one = addresses.parse("rtmps://us%65r:pa%2Fss@[::1]:4443/app/key")
    assert (one.host, one.port, one.secure) == ("::1", 4443, True)
    assert (one.user, one.password.get_secret_value()) == ("user", "pa/ss")
    assert one.tc_url == "rtmps://[::1]:4443/app"
    assert addresses.parse("rtmps://h/app/key").port == 443
    assert addresses.parse("rtmp://h/app/key").tc_url == "rtmp://h/app"
    assert "key" not in repr(one) and "pa/ss" not in repr(one)


@pytest.mark.parametrize("url", ["http://h/a/b", "rtmp:///a/b", "rtmp://h:99999/a/b", "secret-key"])
def test_a_url_that_is_none_is_refused_without_being_told(url: str) -> None:
    with pytest.raises(ConfigError) as caught:
        addresses.parse(url)
    assert url not in str(caught.value)


def test_a_redirect_names_a_stream_or_an_application() -> None:
    here = addresses.parse("rtmp://u:p@h/app/key?x=1")
    whole = addresses.redirected(here, "rtmp://other:1936/live/key?x=2")
    assert (whole.host, whole.app, whole.name, whole.user) == ("other", "live", "key?x=2", "u")
    base = addresses.redirected(here, "rtmp://other/edge/app")
    assert (base.app, base.name) == ("edge/app", "key?x=1")
    with pytest.raises(ConfigError, match="can be read"):
        addresses.redirected(addresses.parse("rtmps://h/app/key"), "rtmp://h/app/key")


def test_a_server_that_asks_for_user_and_password_is_answered() -> None:
    here = addresses.parse("rtmp://user:pass@h/app/key")
    first = auth.answer(here, "[ code=403 need auth; authmod=adobe ]", "abcd")
    assert first is not None and first.answer == "?authmod=adobe&user=user"
    assert first.tc_url == "rtmp://h/app?authmod=adobe&user=user"
    asked = "authmod=adobe ?reason=needauth&user=user&salt=s+lt&challenge=ch&opaque=op"
    second = auth.answer(first, asked, "abcd")
    assert second is not None
    response = _md5(_md5("users+ltpass") + "op" + "abcd")
    assert second.answer.endswith(f"&challenge=abcd&response={response}&opaque=op")
    assert "pass" not in second.answer
    assert auth.answer(second, asked, "abcd") is None
    assert auth.answer(first, "authmod=adobe ?reason=authfailed", "abcd") is None
    assert auth.answer(addresses.parse("rtmp://h/app/key"), "authmod=adobe", "abcd") is None


def _md5(text: str) -> str:
    return base64.b64encode(hashlib.md5(text.encode()).digest()).decode()


class Server:
    """The other end of a client, played by hand."""

    def __init__(self, purpose: Purpose = Purpose.PUBLISH) -> None:
        self.client = Client(addresses.parse("rtmp://h/app/key"), purpose, bytes(HANDSHAKE_SIZE))
        self.reader, self.writer = ChunkReader(), ChunkWriter()
        assert self.client.take_output() == b"\x03" + bytes(HANDSHAKE_SIZE)
        self.client.receive(b"\x03" + b"S" * HANDSHAKE_SIZE + bytes(HANDSHAKE_SIZE))
        reply = self.client.take_output()
        assert reply[:HANDSHAKE_SIZE] == b"S" * HANDSHAKE_SIZE
        self.heard = self.reader.feed(reply[HANDSHAKE_SIZE:])

    def say(self, *values: amf0.Value) -> list[object]:
        return self.send(Message(chunks.COMMAND, 0, 0, amf0.encode(*values)))

    def send(self, *messages: Message) -> list[object]:
        events = self.client.receive(b"".join(map(self.writer.encode, messages)))
        self.heard += self.reader.feed(self.client.take_output())
        return list(events)

    def commands(self) -> list[list[amf0.Value]]:
        return [amf0.decode(one.body) for one in self.heard if one.kind == chunks.COMMAND]

    def call(self, name: str) -> float:
        """The number of the client's call of that name."""
        (number,) = [one[1] for one in self.commands() if one[0] == name]
        assert isinstance(number, float)
        return number

    def to_the_key(self) -> None:
        self.say("_result", 1, {}, {"code": "NetConnection.Connect.Success"})
        self.say("_result", self.call("createStream"), None, 5)


def status(code: str, level: str = "status") -> tuple[amf0.Value, ...]:
    return ("onStatus", 0, None, {"level": level, "code": code, "description": "words"})


def test_a_publisher_is_let_in() -> None:
    server = Server()
    assert server.client.phase is Phase.CONNECTING
    server.to_the_key()
    assert [one[0] for one in server.commands()] == [
        *("connect", "releaseStream", "FCPublish", "createStream", "publish")
    ]
    assert server.commands()[-1][3:] == ["key", "live"]
    assert server.heard[-1].stream_id == 5
    assert server.client.phase is Phase.ASKING
    assert server.say(*status("NetStream.Publish.Start")) == [Started()]
    assert server.client.phase is Phase.RUNNING


def test_media_goes_out_as_it_is_and_metadata_as_what_is_kept() -> None:
    server = Server()
    server.to_the_key()
    tag = Tag(flv.VIDEO, 0x01FFFFFF, b"\x17\x01" + bytes(100_000))
    meta = Tag(flv.SCRIPT, 0, flv.metadata({"width": 640.0}))
    found = server.reader.feed(server.client.media(tag) + server.client.media(meta))
    assert (found[0].kind, found[0].timestamp, found[0].body) == (9, tag.dts_ms, tag.body)
    assert found[0].stream_id == 5
    assert amf0.decode(found[1].body) == ["@setDataFrame", "onMetaData", {"width": 640.0}]


def test_a_player_hears_tags_and_the_end() -> None:
    server = Server(Purpose.PLAY)
    server.to_the_key()
    assert server.commands()[-1][:1] == ["play"]
    media = Message(chunks.AUDIO, 77, 5, b"\xaf\x01abc")
    assert server.send(media) == [Tag(flv.AUDIO, 77, media.body)]
    assert server.client.phase is Phase.RUNNING
    assert server.say(*status("NetStream.Play.UnpublishNotify")) == [
        Ended("NetStream.Play.UnpublishNotify")
    ]


def test_refusals_at_each_step() -> None:
    first = Server()
    rejected = {"level": "error", "code": "NetConnection.Connect.Rejected", "description": "no"}
    assert first.say("_error", 1, None, rejected) == [Rejected(str(rejected["code"]), "no")]
    assert first.client.phase is Phase.OVER
    second = Server()
    second.to_the_key()
    bad = status("NetStream.Publish.BadName", "error")
    assert second.say(*bad) == [Rejected("NetStream.Publish.BadName", "words")]


def test_a_server_that_lacks_what_encoders_send_beside_the_protocol_is_no_refusal() -> None:
    server = Server()
    server.say("_result", 1, {}, {})
    assert server.say("_error", server.call("releaseStream"), None, {"code": "x"}) == []
    assert server.say("_result", server.call("createStream"), None, 1) == []
    assert server.client.phase is Phase.ASKING


@pytest.mark.parametrize("number", [float("nan"), float("inf"), None])
def test_a_stream_without_a_number_of_its_own_is_the_first(number: float | None) -> None:
    server = Server()
    server.say("_result", 1, {}, {})
    server.say("_result", server.call("createStream"), None, number)
    assert server.commands()[-1][0] == "publish"
    assert server.heard[-1].stream_id == 1


def test_a_redirect_is_told() -> None:
    about = {
        "code": "NetConnection.Connect.Rejected",
        "ex": {"code": 302, "redirect": "rtmp://o/a"},
    }
    (event,) = Server().say("_error", 1, None, about)
    assert isinstance(event, Rejected)
    assert event.redirect == "rtmp://o/a"


def test_a_ping_is_answered_and_what_came_is_acknowledged() -> None:
    server = Server(Purpose.PLAY)
    server.send(Message(chunks.WINDOW_SIZE, 0, 0, (50_000).to_bytes(4)))
    server.to_the_key()
    server.send(Message(chunks.USER_CONTROL, 0, 0, (6).to_bytes(2) + b"abcd"))
    assert server.heard[-1].body == (7).to_bytes(2) + b"abcd"
    server.send(Message(chunks.VIDEO, 0, 5, bytes(60_000)))
    assert server.heard[-1].kind == chunks.ACKNOWLEDGEMENT
    assert int.from_bytes(server.heard[-1].body) == server.client.received


def test_acknowledgements_go_on_where_32_bits_end() -> None:
    server = Server()
    assert server.client.acknowledged is None
    for count in (0x60000000, 0xC0000000, 50, 40):  # the last goes back: it says nothing
        server.send(Message(chunks.ACKNOWLEDGEMENT, 0, 0, count.to_bytes(4)))
    assert server.client.acknowledged == (1 << 32) + 50


REPLIES = st.lists(
    st.builds(Message, st.integers(0, 255), TIMES, st.integers(0, 5), st.binary(max_size=40))
    | st.lists(VALUES, max_size=5).map(
        lambda values: Message(chunks.COMMAND, 0, 0, amf0.encode("_result", 4.0, *values))
    ),
    max_size=6,
)


@given(st.sampled_from([*Purpose]), st.booleans(), REPLIES)
def test_whatever_a_peer_says_is_an_event_or_refused(
    purpose: Purpose, begun: bool, replies: list[Message]
) -> None:
    server = Server(purpose)
    if begun:
        server.say("_result", 1, {}, {})
    for one in replies:
        if one.kind in (chunks.SET_CHUNK_SIZE, chunks.ABORT):
            continue  # of the chunk stream itself, tested above
        with suppress(MalformedError):
            server.client.receive(server.writer.encode(one))


def test_who_does_not_speak_rtmp_is_told() -> None:
    client = Client(addresses.parse("rtmp://h/a/k"), Purpose.PUBLISH, bytes(HANDSHAKE_SIZE))
    with pytest.raises(MalformedError, match="RTMP"):
        client.receive(b"HTTP/1.1 400 Bad Request\r\n")


def test_it_takes_its_leave() -> None:
    server = Server()
    server.to_the_key()
    server.say(*status("NetStream.Publish.Start"))
    server.heard.clear()
    server.heard += server.reader.feed(server.client.end())
    assert [one[0] for one in server.commands()] == ["FCUnpublish", "deleteStream"]
