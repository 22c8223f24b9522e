"""What an output connection sends, read back from its own bytes."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

import pytest

from dubcast import flv
from dubcast.clock import NS_PER_MS, NS_PER_S
from dubcast.worker.flv_writer import AAC_CONFIG, AudioPacer, FlvWriter, Frame, Outgoing

CONFIG = b"\x01\x42\xc0\x1e\xff\xe1\x00\x04\x67\x42\xc0\x1e"
START = 5 * NS_PER_S + 123_456
MS = NS_PER_MS


def read(tags: Iterable[Outgoing]) -> list[flv.Tag]:
    """The tags as a reader takes them from the bytes."""
    data = b"".join(tag.head + (tag.payload or b"") + tag.tail for tag in tags)
    return flv.parse(flv.header() + data)


def begun(config: bytes | None = CONFIG) -> FlvWriter:
    writer = FlvWriter(START, config)
    list(writer.opening({}))
    return writer


def pictures(writer: FlvWriter, dts: int, pts: int, config: bytes = CONFIG) -> list[flv.Tag]:
    return read(writer.picture(pts, dts, True, config, b"\0\0\0\1\x65", 5))


@pytest.mark.parametrize("config", [CONFIG, None, b""])
def test_it_opens_with_what_there_will_be(config: bytes | None) -> None:
    tags = read(FlvWriter(START, config).opening({"width": 1280.0}))
    assert tags[0].kind == flv.SCRIPT
    assert b"width" in tags[0].body
    assert b"audiocodecid" in tags[0].body
    assert (b"videocodecid" in tags[0].body) == (config is not None)
    headers = [flv.video_packet(tag) for tag in tags[1:]]
    assert [one.config for one in headers if one is not None] == ([CONFIG] if config else [])


@pytest.mark.parametrize("cts_ms", [0, 80, -120, 8_000])
def test_pts_and_dts_keep_their_distances(cts_ms: int) -> None:
    writer = begun()
    sent = [START + step * MS for step in (0, 33, 67, 100)]
    tags = [pictures(writer, dts, dts + cts_ms * MS)[0] for dts in sent]
    assert [tag.dts_ms - tags[0].dts_ms for tag in tags] == [0, 33, 67, 100]
    found = [flv.video_packet(tag) for tag in tags]
    assert [one.cts_ms for one in found if one is not None] == [cts_ms] * 4


def test_sound_and_picture_of_one_moment_have_one_time() -> None:
    writer = begun()
    (picture,) = pictures(writer, START, START)
    (frame,) = read(writer.sound(Frame(START, 3, b"abc", AAC_CONFIG)))
    assert picture.dts_ms == frame.dts_ms


def test_sound_of_another_configuration_has_its_header_before_it() -> None:
    header, frame = read(begun().sound(Frame(START, 3, b"abc", b"\x12\x10")))
    config = flv.audio_packet(header)
    assert config is not None and config.config is not None
    assert config.config.rate_hz == 44100
    assert header.dts_ms == frame.dts_ms


@pytest.mark.parametrize(
    ("config", "with_opus", "first_ms"),
    [(CONFIG, False, 2100), (None, False, 100), (b"", False, 100), (CONFIG, True, 100)],
)
def test_a_server_that_knows_picture_and_sound_needs_not_look_for_them(
    config: bytes | None, with_opus: bool, first_ms: int
) -> None:
    """MediaMTX looks until 2 s have passed in the tags, and loses what has no header by then."""
    writer = FlvWriter(START, config, with_opus=with_opus)
    opening = [tag for tag in read(writer.opening({})) if tag.kind != flv.SCRIPT]
    assert {tag.dts_ms for tag in opening} == {0}
    assert [tag.kind for tag in opening][:2] == [flv.VIDEO, flv.AUDIO][0 if config else 1 :]
    (frame,) = read(writer.sound(Frame(START, 3, b"abc", AAC_CONFIG)))
    assert frame.dts_ms == first_ms


@pytest.mark.parametrize(
    ("config", "with_opus", "admits"),
    [(CONFIG, False, True), (None, False, False), (b"", False, False), (CONFIG, True, False)],
)
def test_readers_are_admitted_by_a_header_of_sound_as_long_after_the_first_as_is_looked(
    config: bytes | None, with_opus: bool, admits: bool
) -> None:
    writer = FlvWriter(START, config, with_opus=with_opus)
    opening = [tag for tag in read(writer.opening({})) if tag.kind == flv.AUDIO]
    found = read(writer.admission())
    assert found == ([replace(opening[0], dts_ms=2000)] if admits else [])
    before = START - 1600 * NS_PER_S // 48000  # the encoder's priming
    (frame,) = read(writer.sound(Frame(before, 3, b"abc", AAC_CONFIG)))
    assert all(tag.dts_ms <= frame.dts_ms for tag in found)


def test_the_encoders_priming_lies_before_the_start_and_is_not_negative() -> None:
    writer = begun()
    before = START - 1600 * NS_PER_S // 48000
    (frame,) = read(writer.sound(Frame(before, 3, b"abc", AAC_CONFIG)))
    assert frame.dts_ms == 2100 - 33


def test_a_new_header_goes_before_the_first_picture_that_needs_it() -> None:
    writer = begun(None)
    other = CONFIG[:-1] + b"\x1f"
    counts = [len(pictures(writer, START, START, one)) for one in (CONFIG, CONFIG, other, other)]
    assert counts == [2, 1, 2, 1]


def test_script_data_keeps_its_bytes() -> None:
    (tag,) = read(begun().script(START + 40 * MS, b"\x02\x00\x0aonTextData", 13))
    assert (tag.kind, tag.dts_ms, tag.body) == (flv.SCRIPT, 2140, b"\x02\x00\x0aonTextData")


def test_frames_wait_until_their_block_is_due() -> None:
    pacer = AudioPacer()
    pacer.block(1_000 * MS, due_ns=9_000 * MS)
    for pts in (1_000, 1_021, 1_043):
        pacer.add(Frame(pts * MS, 1, b"x", b""))
    assert [f.pts // MS for f in pacer.due(8_999 * MS)] == []
    assert [f.pts // MS for f in pacer.due(9_021 * MS)] == [1_000, 1_021]
    assert pacer.held == 1


def test_frames_follow_a_change_of_the_delay() -> None:
    pacer = AudioPacer()
    pacer.block(1_000 * MS, due_ns=2_000 * MS)
    pacer.block(1_100 * MS, due_ns=7_100 * MS)  # the step back to the full delay
    for pts in (1_050, 1_100):
        pacer.add(Frame(pts * MS, 1, b"x", b""))
    assert [f.pts // MS for f in pacer.due(2_100 * MS)] == [1_050]
    assert [f.pts // MS for f in pacer.due(7_099 * MS)] == []
    assert [f.pts // MS for f in pacer.due(7_100 * MS)] == [1_100]


def test_opus_is_a_second_track_of_enhanced_rtmp() -> None:
    writer = FlvWriter(START, CONFIG, with_opus=True)
    *_, head = read(writer.opening({}))
    assert head.kind == flv.AUDIO and head.dts_ms == 0
    # Multitrack, one track; sequence start; Opus; track 1.
    assert head.body[:7] == b"\x95\x00Opus\x01"
    assert head.body[7:] == b"OpusHead\x01\x02\x38\x01\x80\xbb\0\0\0\0\0"
    (tag,) = read(writer.opus(Frame(START + 20 * MS, 3, b"abc", b"")))
    assert tag == flv.Tag(flv.AUDIO, 120, b"\x95\x01Opus\x01abc")


@pytest.mark.parametrize(("shown", "reordered"), [((0, 40, 80), False), ((0, 80, 40), True)])
def test_pictures_in_another_order_than_they_are_shown_are_b_frames(
    shown: tuple[int, ...], reordered: bool
) -> None:
    writer = begun()
    for number, pts in enumerate(shown):
        pictures(writer, START + number * 40 * MS, START + pts * MS)
    assert writer.reordered is reordered
