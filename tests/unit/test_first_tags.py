"""What the first tags of a source say, fed in pieces of any size."""

from __future__ import annotations

import pytest

from dubcast.probe import flv
from dubcast.worker.first_tags import FirstTags, Refusal

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
