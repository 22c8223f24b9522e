"""What the tags of a source say: the first ones in pieces of any size, then one by one."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dubcast import flv
from dubcast.worker.tags import FirstTags, Refusal, TagGuard

SCRIPT = flv.Tag(flv.SCRIPT, 0, b"\x02\x00\x0aonMetaData")
H264 = flv.Tag(flv.VIDEO, 0, b"\x17\x00\x00\x00\x00\x01\x42\xc0\x1e")
AAC = flv.Tag(flv.AUDIO, 0, b"\xaf\x00\x11\x90")


def looked(*tags: flv.Tag, piece: int = 7) -> tuple[FirstTags, Refusal | None]:
    data, look = flv.write(tags), FirstTags()
    for at in range(0, len(data), piece):
        refusal = look.feed(data[at : at + piece])
        if refusal is not None or look.done:
            return look, refusal
    return look, None


def test_h264_and_aac_are_let_through_and_looked_at_no_longer() -> None:
    look, refusal = looked(SCRIPT, H264, AAC)
    assert refusal is None
    assert look.done
    assert not looked(SCRIPT, H264)[0].done


@pytest.mark.parametrize(
    ("body", "name", "way_out"),
    [
        (b"\x90hvc1\x01\x01\x60\x00", "hevc", "set the encoder to H.264"),
        (b"\x90av01\x81\x08\x0c\x00", "av1", "set the encoder to H.264"),
        (b"\x1c\x00\x00\x00\x00\x01\x01\x60", "hevc", "set the encoder to H.264"),
        (b"\x90avc1\x01\x42\xc0\x1e", "enhanced RTMP", "switch that off in the encoder"),
        (b"\x12\x00\x00\x84", "flv1", "set the encoder to H.264"),
    ],
    ids=["hevc", "av1", "hevc-12", "enhanced-h264", "sorenson"],
)
@pytest.mark.parametrize("piece", [1, 4096])
def test_video_that_is_not_read_is_named(body: bytes, name: str, way_out: str, piece: int) -> None:
    look, refusal = looked(SCRIPT, AAC, flv.Tag(flv.VIDEO, 0, body), piece=piece)
    assert look.done
    assert refusal is not None
    assert refusal[0] == "video_codec"
    assert name in refusal[1]
    assert way_out in refusal[1]


def test_audio_by_enhanced_rtmp_is_named() -> None:
    _, refusal = looked(H264, flv.Tag(flv.AUDIO, 0, b"\x90OpusOpusHead"))
    assert refusal == (
        "audio_codec",
        "the source's audio is Opus by enhanced RTMP, which is not decoded: set the encoder to AAC",
    )


def test_a_name_of_damaged_bytes_is_not_shown() -> None:
    _, refusal = looked(flv.Tag(flv.VIDEO, 0, b"\x91\x1b]0;\x07\x00\x00\x00"))
    assert refusal is not None
    assert "\x1b" not in refusal[1]
    assert "of an unknown codec" in refusal[1]


def test_empty_tags_and_bytes_that_are_not_flv_do_no_harm() -> None:
    look, refusal = looked(flv.Tag(flv.VIDEO, 0, b""), flv.Tag(flv.AUDIO, 0, b""), H264, AAC)
    assert refusal is None
    look = FirstTags()
    assert look.feed(b"HTTP/1.1 404 Not Found\r\n\r\n") is None
    assert look.done


def test_a_source_without_one_of_the_tracks_is_not_looked_at_for_ever() -> None:
    look = FirstTags()
    assert look.feed(flv.header()) is None
    picture = flv.encode(flv.Tag(flv.VIDEO, 0, H264.body + bytes(300_000)))
    for _ in range(10):
        look.feed(picture)
    assert look.done


PICTURE = flv.Tag(flv.VIDEO, 40, b"\x27\x01\x00\x00\x00\x00\x00\x00\x02\x41\x9a")
AVC_CONFIG = flv.Tag(
    flv.VIDEO, 0, b"\x17\x00\x00\x00\x00\x01\x42\xc0\x1e\xff\xe1\x00\x04\x67\x42\xc0\x1e"
)
SOUND = flv.Tag(flv.AUDIO, 40, b"\xaf\x01\x21\x10\x04")


def body(tag: flv.Tag, at: int, value: int) -> flv.Tag:
    """The tag with one byte of its body changed."""
    changed = bytearray(tag.body)
    changed[at] = value
    return flv.Tag(tag.kind, tag.dts_ms, bytes(changed))


def test_the_guard_lets_a_good_stream_through() -> None:
    guard = TagGuard()
    empty_config = flv.Tag(flv.AUDIO, 0, b"\xaf\x00")
    for tag in (AVC_CONFIG, empty_config, AAC, PICTURE, SOUND, SCRIPT):
        assert guard.takes(tag), tag
    assert guard.refusal is None


@pytest.mark.parametrize(
    "tag",
    [
        body(PICTURE, 0, 0x22),
        body(PICTURE, 0, 0xA7),
        body(PICTURE, 0, 0x07),
        body(PICTURE, 1, 0),
        body(PICTURE, 1, 9),
        body(AVC_CONFIG, 5, 7),
        body(AVC_CONFIG, 9, 0x03),
        flv.Tag(flv.VIDEO, 0, b"\x27\x01\x00"),
        flv.Tag(flv.VIDEO, 0, b""),
        body(SOUND, 0, 0x1F),
        body(SOUND, 1, 7),
        body(AAC, 2, 0x17),
        flv.Tag(flv.AUDIO, 0, b"\xaf\x00" + bytes(200)),
        flv.Tag(flv.AUDIO, 0, b"\xaf"),
    ],
)
def test_the_guard_drops_what_cannot_be_right(tag: flv.Tag) -> None:
    guard = TagGuard()
    for good in (AVC_CONFIG, AAC, PICTURE, SOUND):
        assert guard.takes(good)
    for _ in range(100):
        assert not guard.takes(tag)
        assert guard.takes(PICTURE)
    assert guard.refusal is None


def test_a_source_of_which_nothing_is_right_is_refused_within_a_second() -> None:
    guard = TagGuard()
    hevc = flv.Tag(flv.VIDEO, 0, b"\x91hvc1\x00\x00\x00\x01\x02")
    for _ in range(29):
        assert not guard.takes(hevc)
        assert guard.takes(SOUND)
    assert guard.refusal is None
    guard.takes(hevc)
    assert guard.refusal is not None
    assert guard.refusal[0] == "video_codec"
    assert "hevc" in guard.refusal[1]


def test_another_sound_than_aac_is_taken_after_a_second() -> None:
    guard = TagGuard()
    mp3 = flv.Tag(flv.AUDIO, 0, b"\x2f\xff\xfb\x90\x64")
    assert [guard.takes(mp3) for _ in range(32)] == [False] * 30 + [True] * 2
    assert guard.refusal is None


def test_a_header_that_the_server_lost_is_given_from_an_earlier_read() -> None:
    headers: dict[int, bytes] = {}
    FirstTags(headers).feed(flv.write([SCRIPT, AVC_CONFIG, AAC]))
    assert headers == {flv.VIDEO: flv.encode(AVC_CONFIG), flv.AUDIO: flv.encode(AAC)}
    guard = TagGuard(headers)
    assert guard.takes(AVC_CONFIG)
    for tag, missing in ((AVC_CONFIG, None), (PICTURE, None), (SOUND, AAC), (SOUND, None)):
        expected = None if missing is None else flv.encode(missing)
        assert guard.missing(tag) == expected
    assert TagGuard().missing(SOUND) is None


@given(
    st.lists(
        st.tuples(st.sampled_from((flv.AUDIO, flv.VIDEO, flv.SCRIPT)), st.binary(max_size=40)),
        max_size=80,
    )
)
def test_no_bytes_break_the_guard_or_the_first_look(tags: list[tuple[int, bytes]]) -> None:
    guard, look = TagGuard(), FirstTags()
    look.feed(flv.header())
    for kind, data in tags:
        tag = flv.Tag(kind, 0, data)
        guard.takes(tag)
        guard.missing(tag)
        look.feed(flv.encode(tag))
