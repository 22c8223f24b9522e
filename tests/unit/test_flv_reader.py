"""What the tags of a source hold, which are damaged, and when each belongs."""

from __future__ import annotations

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dubcast import flv
from dubcast.clock import NS_PER_MS
from dubcast.worker.flv_reader import FlvReader, Media, Picture, RawTag, Script, Sound

CONFIG = b"\x01\x42\xc0\x1e\xff\xe1\x00\x04\x67\x42\xc0\x1e"
AVC_CONFIG = flv.Tag(flv.VIDEO, 0, flv.avc_config(CONFIG))
AAC_CONFIG = flv.Tag(flv.AUDIO, 0, flv.aac_config(b"\x11\x90"))
METADATA = flv.Tag(flv.SCRIPT, 0, flv.metadata({"width": 1280.0}))
NALS = b"\x00\x00\x00\x02\x41\x9a"
MS = NS_PER_MS


def picture(dts_ms: int, *, cts_ms: int = 0, key: bool = False) -> flv.Tag:
    return flv.Tag(flv.VIDEO, dts_ms, flv.avc_head(key=key, cts_ms=cts_ms) + NALS)


def sound(dts_ms: int) -> flv.Tag:
    return flv.Tag(flv.AUDIO, dts_ms, flv.aac_head() + b"\x21\x10\x04")


class Source:
    """A reader whose tags arrive as their sender's clock says, `at_ms` after the start."""

    def __init__(self, *tags: flv.Tag) -> None:
        self.reader = FlvReader()
        self.at_ms = 0
        self.read(*tags)

    def read(self, *tags: flv.Tag, every_ms: int = 20) -> list[Media | None]:
        found = []
        for tag in tags:
            found.append(self.reader.read(RawTag.of(tag), self.at_ms * MS))
            self.at_ms += every_ms
        return found


def begun() -> Source:
    return Source(METADATA, AVC_CONFIG, AAC_CONFIG)


def changed(tag: flv.Tag, at: int, value: int) -> flv.Tag:
    body = bytearray(tag.body)
    body[at] = value
    return flv.Tag(tag.kind, tag.dts_ms, bytes(body))


def test_pictures_and_frames_come_with_their_headers_and_the_publishers_times() -> None:
    found = begun().read(picture(40, cts_ms=80, key=True), sound(47))
    first, second = found
    assert first == Picture(120 * MS, 40 * MS, True, 5, CONFIG)
    assert isinstance(second, Sound)
    assert (second.pts, second.skip) == (47 * MS, 2)
    assert (second.format.codec, second.format.config) == ("aac", b"\x11\x90")
    assert (second.format.rate_hz, second.format.channels) == (48000, 2)


def test_a_pts_before_its_dts_is_kept() -> None:
    (found,) = begun().read(picture(400, cts_ms=-120))
    assert isinstance(found, Picture)
    assert found.pts - found.dts == -120 * MS


def test_nothing_is_handed_out_before_its_header() -> None:
    source = Source()
    assert source.read(picture(0, key=True), sound(0), sound(20), sound(40)) == [None] * 4
    assert source.read(AVC_CONFIG, AAC_CONFIG) == [None, None]
    assert None not in source.read(picture(40), sound(60))


@pytest.mark.parametrize("start_ms", [0, (1 << 31) - 60, (1 << 32) - 60])
def test_time_goes_on_where_32_bits_wrap(start_ms: int) -> None:
    source = begun()
    times = range(start_ms, start_ms + 200, 40)
    tags = [tag for t in times for tag in (picture(t % (1 << 32)), sound((t + 7) % (1 << 32)))]
    found = source.read(*tags)
    pictures = [one.dts for one in found if isinstance(one, Picture)]
    frames = [one.pts for one in found if isinstance(one, Sound)]
    assert [b - a for a, b in itertools.pairwise(pictures)] == [40 * MS] * 4
    assert {b - a for a, b in zip(pictures, frames, strict=True)} == {7 * MS}


def test_a_step_back_moves_both_tracks_alike() -> None:
    source = begun()
    before = source.read(picture(9_960), sound(9_967), picture(10_000), sound(10_007))
    after = source.read(picture(0), sound(7), picture(40), sound(47))
    pictures = [one.dts for one in (*before, *after) if isinstance(one, Picture)]
    frames = [one.pts for one in (*before, *after) if isinstance(one, Sound)]
    assert [b - a for a, b in itertools.pairwise(pictures)] == [40 * MS] * 3
    assert {b - a for a, b in zip(pictures, frames, strict=True)} == {7 * MS}


def test_a_dts_that_stands_still_is_lifted_and_its_pts_is_not() -> None:
    source = begun()
    found = source.read(picture(40, cts_ms=80), picture(40, cts_ms=113), picture(107, cts_ms=80))
    assert [(one.pts, one.dts) for one in found if isinstance(one, Picture)] == [
        *((120 * MS, 40 * MS), (153 * MS, 41 * MS), (187 * MS, 107 * MS)),
    ]


def test_script_data_of_the_programme_goes_on_at_its_own_time() -> None:
    source = begun()
    text = flv.Tag(flv.SCRIPT, 1_010, b"\x02\x00\x0aonTextData\x08")
    source.read(picture(1_000))
    assert source.read(text) == [Script(1_010 * MS)]
    source.read(picture(0))  # a step back: the next one belongs at 1 040
    assert source.read(flv.Tag(flv.SCRIPT, 10, text.body)) == [
        Script(source.reader._shift_ns + 10 * MS)
    ]


@pytest.mark.parametrize("name", [b"onMetaData", b"|RtmpSampleAccess", b"onStatus"])
def test_script_data_of_the_connection_stays_here(name: bytes) -> None:
    body = b"\x02" + len(name).to_bytes(2) + name
    assert begun().read(flv.Tag(flv.SCRIPT, 0, body)) == [None]


def test_metadata_is_kept() -> None:
    assert begun().reader.metadata == METADATA.body


DAMAGED = [
    changed(picture(40), 0, 0x22),
    changed(picture(40), 0, 0xA7),
    changed(picture(40), 0, 0x07),
    changed(picture(40), 1, 9),
    changed(AVC_CONFIG, 5, 7),
    changed(AVC_CONFIG, 9, 0x03),
    flv.Tag(flv.VIDEO, 40, b"\x27\x01\x00"),
    flv.Tag(flv.VIDEO, 40, b""),
    changed(sound(40), 0, 0x1F),
    changed(sound(40), 1, 7),
    changed(AAC_CONFIG, 2, 0x17),
    flv.Tag(flv.AUDIO, 40, b"\xaf\x00" + bytes(200)),
    flv.Tag(flv.AUDIO, 40, b"\xaf"),
]


@pytest.mark.parametrize("tag", DAMAGED)
def test_what_cannot_be_right_is_dropped_and_ends_nothing(tag: flv.Tag) -> None:
    source = begun()
    at = 0
    for _ in range(100):
        at += 40
        one, two, three = source.read(picture(at), tag, sound(at))
        assert isinstance(one, Picture)
        assert one.config == CONFIG
        assert two is None
        assert isinstance(three, Sound)
        assert three.format.config == b"\x11\x90"
    assert source.reader.refusal is None


@pytest.mark.parametrize(
    ("body", "name", "way_out"),
    [
        (b"\x90hvc1\x01\x01\x60\x00", "hevc", "set the encoder to H.264"),
        (b"\x90av01\x81\x08\x0c\x00", "av1", "set the encoder to H.264"),
        (b"\x1c\x00\x00\x00\x00\x01\x01\x60", "hevc", "set the encoder to H.264"),
        (b"\x90avc1\x01\x42\xc0\x1e", "enhanced RTMP", "switch that off in the encoder"),
        (b"\x12\x00\x00\x84", "flv1", "set the encoder to H.264"),
        (b"\x91\x1b]0;\x07\x00\x00\x00", "of an unknown codec", "set the encoder to H.264"),
    ],
    ids=["hevc", "av1", "hevc-12", "enhanced-h264", "sorenson", "unprintable"],
)
def test_video_that_is_not_read_is_refused_by_name(body: bytes, name: str, way_out: str) -> None:
    source = Source(METADATA, AAC_CONFIG)
    wrong = flv.Tag(flv.VIDEO, 0, body)
    for at in range(9):
        source.read(wrong, sound(20 * at))
    assert source.reader.refusal is None
    source.read(wrong)
    assert source.reader.refusal is not None
    reason, message = source.reader.refusal
    assert reason == "video_codec"
    assert name in message
    assert way_out in message
    assert "\x1b" not in message


def test_audio_by_enhanced_rtmp_is_refused_by_name() -> None:
    source = Source(AVC_CONFIG)
    source.read(*[flv.Tag(flv.AUDIO, 0, b"\x90OpusOpusHead")] * 10)
    assert source.reader.refusal == (
        "audio_codec",
        "the source's audio is Opus by enhanced RTMP, which is not decoded: set the encoder to AAC",
    )


@pytest.mark.parametrize(
    ("flags", "codec", "rate", "channels"),
    [
        (0x2F, "mp3", 44100, 2),
        (0x2E, "mp3", 44100, 1),
        (0x72, "pcm_alaw", 8000, 1),
        (0x82, "pcm_mulaw", 8000, 1),
        (0xB2, "speex", 16000, 1),
        (0x3B, "pcm", 22050, 2),
        (0x46, "nellymoser", 16000, 1),
    ],
)
def test_another_sound_than_aac_is_what_three_tags_say(
    flags: int, codec: str, rate: int, channels: int
) -> None:
    source = Source(AVC_CONFIG)
    tags = [flv.Tag(flv.AUDIO, 24 * n, bytes([flags]) + b"\xff\xfb\x90\x64") for n in range(4)]
    first, second, third, fourth = source.read(*tags)
    assert (first, second) == (None, None)
    for found in (third, fourth):
        assert isinstance(found, Sound)
        assert (found.format.codec, found.format.rate_hz) == (codec, rate)
        assert (found.format.channels, found.skip) == (channels, 1)


def test_one_damaged_tag_does_not_change_the_codec() -> None:
    source = begun()
    mp3 = flv.Tag(flv.AUDIO, 0, b"\x2f\xff\xfb\x90\x64")
    for at in (40, 60, 80):
        assert source.read(mp3, mp3) == [None, None]
        (found,) = source.read(sound(at))
    assert isinstance(found, Sound)
    assert found.format.codec == "aac"


@given(
    st.lists(
        st.tuples(
            st.sampled_from((flv.AUDIO, flv.VIDEO, flv.SCRIPT)),
            st.integers(0, (1 << 32) - 1),
            st.binary(max_size=40),
        ),
        max_size=80,
    )
)
def test_no_bytes_break_it(tags: list[tuple[int, int, bytes]]) -> None:
    source = begun()
    for kind, dts_ms, body in tags:
        source.read(flv.Tag(kind, dts_ms, body))


def test_new_parameter_sets_in_a_key_frame_are_its_header_from_there_on() -> None:
    """A server may send no second sequence header when the resolution changes."""
    sets = b"\x00\x00\x00\x04\x67\x64\x00\x1f\x00\x00\x00\x02\x68\xeb"
    key = flv.Tag(flv.VIDEO, 40, flv.avc_head(key=True, cts_ms=0) + sets + NALS)
    before, changed_at, after = begun().read(picture(0, key=True), key, picture(80))
    assert isinstance(before, Picture) and isinstance(changed_at, Picture)
    assert isinstance(after, Picture)
    assert before.config == CONFIG
    assert changed_at.config[:4] == b"\x01\x64\x00\x1f"
    assert after.config == changed_at.config
