"""Tags as MPEG-TS, read back by a demultiplexer of the test's own."""

from __future__ import annotations

from collections import defaultdict

import pytest

from dubcast import mpegts
from dubcast.flv import AUDIO, SCRIPT, VIDEO, Tag
from dubcast.wire import NotCarriedError

SPS, PPS = b"\x67\x64\x00\x1f", b"\x68\xee"
AVC = b"\x01\x64\x00\x1f\xff\xe1\x00\x04" + SPS + b"\x01\x00\x02" + PPS
AAC = b"\x11\x90"  # AAC-LC, 48 kHz, stereo
START = b"\0\0\0\1"
DELIMITER = START + b"\x09\xf0"
PICTURE, SOUND = 0x100, 0x101
AHEAD = 500 * 90
HEADERS = (Tag(VIDEO, 0, b"\x17\0\0\0\0" + AVC), Tag(AUDIO, 0, b"\xaf\0" + AAC))


def picture(at_ms: int, *units: bytes, key: bool = False, cts_ms: int = 0) -> Tag:
    body = b"".join(len(unit).to_bytes(4) + unit for unit in units)
    head = (b"\x17\1" if key else b"\x27\1") + cts_ms.to_bytes(3, signed=True)
    return Tag(VIDEO, at_ms, head + body)


def sound(at_ms: int, frame: bytes) -> Tag:
    return Tag(AUDIO, at_ms, b"\xaf\1" + frame)


class Read:
    """What a receiver finds in packets."""

    def __init__(self, data: bytes) -> None:
        self.units: dict[int, list[bytes]] = defaultdict(list)  # PES, by PID
        self.clocks: list[int] = []
        self.keys = 0
        self._counts: dict[int, int] = {}
        assert len(data) % 188 == 0
        for at in range(0, len(data), 188):
            self._packet(data[at : at + 188])

    def _packet(self, packet: bytes) -> None:
        assert packet[0] == 0x47
        pid, kind, count = int.from_bytes(packet[1:3]) & 0x1FFF, packet[3] >> 4 & 3, packet[3] & 15
        has_payload = bool(kind & 1)
        if pid in self._counts:
            assert count == (self._counts[pid] + has_payload) % 16
        self._counts[pid] = count
        payload = packet[4:]
        if kind & 2:
            size = payload[0]
            self._field(payload[1 : 1 + size])
            payload = payload[1 + size :]
        assert bool(payload) == has_payload
        if packet[1] & 0x40:
            self.units[pid].append(payload)
        elif payload:
            self.units[pid][-1] += payload

    def _field(self, field: bytes) -> None:
        if field and field[0] & 0x10:
            self.clocks.append(int.from_bytes(field[1:7]) >> 15)
        self.keys += bool(field and field[0] & 0x40)

    def pes(self, pid: int) -> list[tuple[int, int, bytes]]:
        """PTS and DTS in ticks, and the unit."""
        return [_pes(one) for one in self.units[pid]]


def _pes(one: bytes) -> tuple[int, int, bytes]:
    assert one[:3] == b"\0\0\1"
    size = int.from_bytes(one[4:6])
    assert size in (0, len(one) - 6)
    times = one[9 : 9 + one[8]]
    stamps = [_stamp(times[at : at + 5]) for at in range(0, len(times), 5)]
    return stamps[0], stamps[-1], one[9 + one[8] :]


def _stamp(five: bytes) -> int:
    value = int.from_bytes(five)
    assert value & 1 and value >> 16 & 1 and value >> 32 & 1
    return (value >> 33 & 7) << 30 | (value >> 17 & 0x7FFF) << 15 | value >> 1 & 0x7FFF


def muxed(*tags: Tag) -> Read:
    muxer = mpegts.TsMuxer()
    return Read(b"".join(muxer.take(tag) for tag in (*HEADERS, *tags)))


def test_pictures_keep_their_units_and_times() -> None:
    slices = [bytes([0x65, 3]) * 4000, bytes([0x41, 5]) * 30, bytes([0x01, 7]) * 91]
    found = muxed(
        picture(0, b"\x06sei", slices[0], key=True, cts_ms=80),
        picture(40, slices[1], cts_ms=120),
        picture(80, slices[2]),
    )
    sets = START + SPS + START + PPS
    assert found.pes(PICTURE) == [
        (AHEAD + 7200, AHEAD, DELIMITER + sets + START + b"\x06sei" + START + slices[0]),
        (AHEAD + 160 * 90, AHEAD + 3600, DELIMITER + START + slices[1]),
        (AHEAD + 7200, AHEAD + 7200, DELIMITER + START + slices[2]),
    ]
    assert found.keys == 1
    assert found.clocks == [0, 3600, 7200]


def test_a_unit_that_has_delimiter_and_sets_gets_no_second_ones() -> None:
    units = (b"\x09\x10", SPS, PPS, b"\x65abc")
    ((_, _, unit),) = muxed(picture(0, *units, key=True)).pes(PICTURE)
    assert unit == b"".join(START + one for one in units)
    ((_, _, unit),) = muxed(picture(0, b"\x09\x10", b"\x65abc", key=True)).pes(PICTURE)
    assert unit == START + b"\x09\x10" + START + SPS + START + PPS + START + b"\x65abc"


@pytest.mark.parametrize(
    "size", [1, 160, 161, 162, 163, 164, 165, 169, 170, 171, 344, 345, 346, 8000]
)
def test_a_frame_of_sound_of_any_length_fills_packets(size: int) -> None:
    frame = bytes(range(1, 255)) * 32
    found = muxed(sound(0, frame[:size]), sound(21, frame[:size]))
    (pts, _, unit), (second, _, _) = found.pes(SOUND)
    assert (pts, second) == (AHEAD, AHEAD + 21 * 90)
    header, rest = unit[:7], unit[7:]
    assert rest == frame[:size]
    assert header[:2] == b"\xff\xf1"
    assert int.from_bytes(header) >> 13 & 0x1FFF == size + 7
    assert int.from_bytes(header) >> 30 & 0x3FF == (1 << 8 | 3 << 4 | 2)  # LC, 48 kHz, stereo


def test_the_tables_name_the_tracks_before_the_first_unit_and_again() -> None:
    muxer = mpegts.TsMuxer()
    for tag in HEADERS:
        assert muxer.take(tag) == b""
    first = Read(muxer.take(picture(0, b"\x65", key=True)))
    assert list(first.units) == [0, 0x1000, PICTURE]
    assert not Read(muxer.take(picture(40, b"\x41"))).units[0]
    again = Read(muxer.take(picture(120, b"\x41")))
    for found in (first, again):
        (pat,), (pmt,) = found.units[0], found.units[0x1000]
        assert _section(pat)[8:] == b"\0\1\xf0\0"
        tracks = b"\x1b\xe1\0\xf0\0" + b"\x0f\xe1\1\xf0\0"
        assert _section(pmt)[8:] == b"\xe1\0\xf0\0" + tracks


def _section(payload: bytes) -> bytes:
    """Without its checksum, which is right if that of all is 0."""
    size = int.from_bytes(payload[2:4]) & 0xFFF
    section = payload[1 : 4 + size]
    assert mpegts._crc(section) == 0
    assert mpegts._crc(b"123456789") == 0x0376E6E7  # of the catalogue: CRC-32/MPEG-2
    return section[:-4]


def test_a_track_that_joins_is_in_the_next_tables() -> None:
    muxer = mpegts.TsMuxer()
    muxer.take(HEADERS[1])
    alone = Read(muxer.take(sound(0, b"a"))).units[0x1000][0]
    muxer.take(HEADERS[0])
    both = Read(muxer.take(picture(10, b"\x65", key=True))).units[0x1000][0]
    assert _section(alone)[8:10] == b"\xe1\1"
    assert _section(both)[8:10] == b"\xe1\0"
    assert _section(alone)[5] != _section(both)[5]


def test_sound_alone_has_a_clock_that_never_goes_back() -> None:
    muxer = mpegts.TsMuxer()
    muxer.take(HEADERS[1])
    data = b"".join(muxer.take(sound(at, b"frame")) for at in range(0, 400, 21))
    clocks = Read(data).clocks
    assert clocks == [at * 90 for at in (0, 84, 168, 252, 336)]
    late = muxed(picture(0, b"\x65", key=True), sound(200, b"a"), picture(190, b"\x41"))
    assert late.clocks == [0, 200 * 90]


def test_a_clock_of_32_bits_goes_on_where_it_ends() -> None:
    before, after = (1 << 32) - 40, 0
    found = muxed(picture(before, b"\x65", key=True), picture(after, b"\x41"))
    (first, _, _), (second, _, _) = found.pes(PICTURE)
    assert (second - first) % (1 << 33) == 40 * 90


def test_he_aac_is_told_by_its_core() -> None:
    """Explicit signalling of SBR: 24 kHz core, 48 kHz out."""
    muxer = mpegts.TsMuxer()
    muxer.take(
        Tag(AUDIO, 0, b"\xaf\0" + (5 << 27 | 6 << 23 | 2 << 19 | 3 << 15 | 2 << 10).to_bytes(4))
    )
    ((_, _, unit),) = Read(muxer.take(sound(0, b"frame"))).pes(SOUND)
    assert int.from_bytes(unit[:7]) >> 30 & 0x3FF == (1 << 8 | 6 << 4 | 2)


@pytest.mark.parametrize(
    ("tag", "words"),
    [
        (Tag(AUDIO, 0, b"\x2f\xff\xfb"), "its sound is mp3"),
        (Tag(AUDIO, 0, b"\x7eaa"), "its sound is pcm_alaw"),
        (Tag(VIDEO, 0, b"\x90hvc1abc"), "its picture is hevc"),
        (Tag(VIDEO, 0, b"\x90av01abc"), "its picture is av1"),
        (Tag(AUDIO, 0, b"\xaf\0\xf8\xff"), "too short"),
        (Tag(AUDIO, 0, b"\xaf\0\x11\x80"), "MPEG-TS lacks"),
    ],
)
def test_what_has_no_place_is_named(tag: Tag, words: str) -> None:
    with pytest.raises(NotCarriedError, match=words):
        mpegts.TsMuxer().take(tag)


def test_script_data_and_what_comes_before_its_header_is_left_out() -> None:
    muxer = mpegts.TsMuxer()
    assert muxer.take(Tag(SCRIPT, 0, b"\x02\0\x0aonMetaData")) == b""
    assert muxer.take(picture(0, b"\x65", key=True)) == b""
    assert muxer.take(sound(0, b"frame")) == b""
    assert muxer.take(Tag(VIDEO, 0, b"\x17\2\0\0\0")) == b""
