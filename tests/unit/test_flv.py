"""The FLV parser: exact tags, whatever the blocks, and whatever the end."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dubcast import flv
from dubcast.flv import AUDIO, SCRIPT, VIDEO, FlvError, FlvParser, Tag

tags = st.lists(
    st.builds(
        Tag,
        st.sampled_from([AUDIO, VIDEO, SCRIPT]),
        st.integers(0, 2**32 - 1),
        st.binary(max_size=60),
    ),
    max_size=12,
)


@given(tags, st.integers(1, 50))
def test_tags_come_back_whatever_the_blocks(given_tags: list[Tag], block: int) -> None:
    data = flv.write(given_tags)
    parser = FlvParser()
    found = [t for at in range(0, len(data), block) for t in parser.feed(data[at : at + block])]
    assert found == given_tags
    assert parser.pending == 0


@given(tags.filter(bool), st.data())
def test_a_cut_end_costs_only_the_cut_tags(given_tags: list[Tag], data: st.DataObject) -> None:
    whole = flv.write(given_tags)
    cut = data.draw(st.integers(0, len(whole) - 1))
    found = flv.parse(whole[:cut])
    assert found == given_tags[: len(found)]
    assert len(found) < len(given_tags)


def test_the_eight_high_bits_of_a_timestamp() -> None:
    dts = 0x7F123456
    data = flv.encode(Tag(VIDEO, dts, b"\x17\x01\x00\x00\x00x"))
    assert data[4:8] == bytes([0x12, 0x34, 0x56, 0x7F])
    assert flv.parse(flv.header() + data)[0].dts_ms == dts


@pytest.mark.parametrize("data", [b"\x47" + bytes(40), b"<html>not a stream</html>"])
def test_bytes_that_are_not_flv(data: bytes) -> None:
    with pytest.raises(FlvError, match="not FLV"):
        flv.parse(data)


def test_an_unknown_tag_type() -> None:
    with pytest.raises(FlvError, match="type 5"):
        flv.parse(flv.header() + b"\x05" + bytes(20))


@pytest.mark.parametrize("cts", [0, 67, -33, 0x7FFFFF])
def test_composition_time_is_signed(cts: int) -> None:
    body = b"\x27\x01" + cts.to_bytes(3, signed=True) + b"\x00\x00\x00\x01\x41"
    packet = flv.video_packet(Tag(VIDEO, 0, body))
    assert packet is not None
    assert (packet.codec, packet.key, packet.cts_ms) == ("h264", False, cts)
    assert packet.payload == body[5:]


def test_sequence_headers() -> None:
    video = flv.video_packet(Tag(VIDEO, 0, b"\x17\x00\x00\x00\x00" + b"\x01config"))
    assert video is not None and video.config == b"\x01config" and video.payload == b""
    audio = flv.audio_packet(Tag(AUDIO, 0, b"\xaf\x00" + bytes.fromhex("1190")))
    assert audio is not None and audio.config == flv.AudioConfig(48000, 2, 1024)


@pytest.mark.parametrize(
    ("config", "expected"),
    [
        ("1190", flv.AudioConfig(48000, 2, 1024)),
        ("1208", flv.AudioConfig(44100, 1, 1024)),
        ("11b0", flv.AudioConfig(48000, 6, 1024)),
        ("1194", flv.AudioConfig(48000, 2, 960)),
    ],
)
def test_aac_configuration(config: str, expected: flv.AudioConfig) -> None:
    assert flv.parse_audio_config(bytes.fromhex(config)) == expected


@pytest.mark.parametrize("config", ["", "11", "1f90"])
def test_a_bad_aac_configuration(config: str) -> None:
    with pytest.raises(FlvError):
        flv.parse_audio_config(bytes.fromhex(config))


def test_an_empty_aac_header_is_not_an_error() -> None:
    packet = flv.audio_packet(Tag(AUDIO, 0, b"\xaf\x00"))
    assert packet is not None and packet.config is None and packet.payload == b""


@pytest.mark.parametrize("body", [b"", b"\x17", b"\x17\x02\x00\x00\x00", b"\x57\x01\x00"])
def test_tags_without_a_picture(body: bytes) -> None:
    assert flv.video_packet(Tag(VIDEO, 0, body)) is None


def test_enhanced_rtmp_names_its_codec() -> None:
    packet = flv.video_packet(Tag(VIDEO, 0, b"\x91hvc1\x00\x00\x43payload"))
    assert packet is not None
    assert (packet.codec, packet.key, packet.cts_ms) == ("hevc", True, 67)
    assert packet.payload == b"payload"


def _unit(*nals: bytes, prefix: int = 4) -> bytes:
    return b"".join(len(nal).to_bytes(prefix) + nal for nal in nals)


def test_a_fingerprint_ignores_how_units_are_framed() -> None:
    plain = flv.digest("h264", _unit(b"\x65slice"), 4)
    framed = flv.digest("h264", _unit(b"\x09\xf0", b"\x67sps", b"\x65slice", prefix=2), 2)
    assert plain.picture == framed.picture
    assert framed.parameter_sets == {b"\x67sps"}


@pytest.mark.parametrize(
    "other",
    [_unit(b"\x65slicf"), _unit(b"\x65slice", b"\x06sei"), _unit(b"\x65sl", b"ice"), _unit()],
)
def test_a_fingerprint_sees_every_change_of_content(other: bytes) -> None:
    assert flv.digest("h264", _unit(b"\x65slice"), 4) != flv.digest("h264", other, 4)


def test_parameter_sets_of_a_decoder_configuration() -> None:
    record = b"\x01\x64\x00\x1f\xff\xe1\x00\x03spX\x01\x00\x02pY"
    assert flv.parameter_sets("h264", record) == {b"spX", b"pY"}
    assert flv.length_size("h264", record) == 4
