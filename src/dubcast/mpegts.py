"""Tags as MPEG-TS: H.264 and AAC as they are, in packets of 188 bytes. Pure.

Formats: ISO/IEC 13818-1 (packets, tables, PES), ISO/IEC 13818-7, 6.2 (ADTS). Pictures keep every
NAL unit; before those that lack them come a delimiter and, of key frames, the parameter sets, which
have no other place here. Script data has none at all.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import chain
from struct import Struct

from dubcast import flv
from dubcast.flv import Tag
from dubcast.wire import NotCarriedError

PACKET = 188
_PAYLOAD = PACKET - 4
_PAT, _PMT, _PICTURE, _SOUND = 0, 0x1000, 0x100, 0x101
_STREAM_TYPES = {_PICTURE: 0x1B, _SOUND: 0x0F}
_STREAM_IDS = {_PICTURE: 0xE0, _SOUND: 0xC0}
_TICKS = 90  # of PTS and DTS in a ms
_WRAP = 1 << 33
# How long before it is shown a unit is in the packets: a receiver's buffers are filled meanwhile.
_AHEAD_MS = 500
# A receiver that joins finds the tables, and one that follows the clock its mark, so often.
_TABLES_MS = 100
_CLOCK_MS = 80
_BACK_MS = 1_000  # by more the stream's clock was set back
_START = b"\0\0\0\1"
_DELIMITER = _START + b"\x09\xf0"
_SPS, _PPS, _DELIMITER_TYPE = 7, 8, 9
_ADTS_HEADER = 7
_LONGEST_FRAME = (1 << 13) - 1
_CUT = Struct(f"{_PAYLOAD}s")
_COUNTS = bytes(0x10 | count for count in range(16))  # the fourth byte of a packet that is full
_RANDOM_ACCESS, _HAS_CLOCK = 0x40, 0x10


@dataclass(frozen=True)
class _Aac:
    """What ADTS says of each frame: object type less one, index of the rate, channels."""

    profile: int
    rate: int
    channels: int

    def framed(self, frame: bytes) -> bytes:
        """The frame behind its ADTS header."""
        size = len(frame) + _ADTS_HEADER
        if size > _LONGEST_FRAME:
            raise NotCarriedError("a frame of its sound is longer than MPEG-TS takes")
        head = 0xFFF1 << 40 | self.profile << 38 | self.rate << 34 | self.channels << 30
        return (head | size << 13 | 0x7FF << 2).to_bytes(_ADTS_HEADER) + frame


class TsMuxer:
    """Tags in, whole packets out; the first ones in are the stream's headers."""

    def __init__(self) -> None:
        self._counts = dict.fromkeys((_PAT, _PMT, _PICTURE, _SOUND), 0)
        self._sets: list[bytes] = []  # parameter sets, as a key frame has them before it
        self._prefix = 4  # bytes of a NAL unit's length
        self._aac: _Aac | None = None
        self._tracks: list[int] = []
        self._version = 0
        self._sections: tuple[bytes, bytes] = (b"", b"")  # PAT and PMT of that version
        self._tables_ms: int | None = None  # when they were sent last
        self._clock_ms: int | None = None

    def take(self, tag: Tag) -> bytes:
        """The packets of a tag; none of one that only configures, or has no place here.

        Raises NotCarriedError for another codec, and for headers that make no sense.
        """
        try:
            if tag.kind == flv.VIDEO:
                return self._picture(tag)
            return self._sound(tag) if tag.kind == flv.AUDIO else b""
        except flv.FlvError as error:
            raise NotCarriedError(f"its headers: {error}") from error

    # -- pictures ---------------------------------------------------------------------------

    def _picture(self, tag: Tag) -> bytes:
        packet = flv.video_packet(tag)
        if packet is None:
            return b""
        if packet.codec != "h264" or tag.body[0] & 0x80:
            raise NotCarriedError(f"its picture is {packet.codec}, MPEG-TS is sent H.264 here")
        if packet.config is not None:
            self._prefix = flv.length_size("h264", packet.config)
            sets = flv.parameter_sets("h264", packet.config)
            # A picture parameter set belongs behind the sequence's.
            self._sets = sorted(sets, key=lambda one: (one[:1] or b"\0")[0] & 0x1F != _SPS)
            self._add_track(_PICTURE)
            return b""
        units = [one for one in flv.nal_units(packet.payload, self._prefix) if one]
        if not units or _PICTURE not in self._tracks:
            return b""
        pes = self._pes(_PICTURE, self._annex_b(units, packet.key), tag.dts_ms, packet.cts_ms)
        field = self._field(tag.dts_ms, _RANDOM_ACCESS if packet.key else 0)
        tables = self._tables(tag.dts_ms, at_once=packet.key)
        return tables + self._packets(_PICTURE, pes, field)

    def _annex_b(self, units: list[bytes], key: bool) -> bytes:
        kinds = {unit[0] & 0x1F for unit in units}
        before = b"" if units[0][0] & 0x1F == _DELIMITER_TYPE else _DELIMITER
        if key and not {_SPS, _PPS} <= kinds:
            if before == b"":
                before, units = _START + units[0], units[1:]
            before += b"".join(_START + one for one in self._sets)
        return before + b"".join(_START + unit for unit in units)

    # -- sound ------------------------------------------------------------------------------

    def _sound(self, tag: Tag) -> bytes:
        packet = flv.audio_packet(tag)
        if packet is None:
            return b""
        if packet.codec != "aac":
            raise NotCarriedError(f"its sound is {packet.codec}, MPEG-TS is sent AAC here")
        if packet.config is not None:
            self._aac = _aac(tag.body[2:])
            self._add_track(_SOUND)
            return b""
        if self._aac is None or not packet.payload:
            return b""
        pes = self._pes(_SOUND, self._aac.framed(packet.payload), tag.dts_ms)
        tables = self._tables(tag.dts_ms, at_once=False)
        return tables + self._clock(tag.dts_ms) + self._packets(_SOUND, pes, b"")

    def _clock(self, at_ms: int) -> bytes:
        """The clock's mark in a packet of its own, where no picture has brought it."""
        if self._clock_ms is not None and 0 <= at_ms - self._clock_ms < _CLOCK_MS:
            return b""
        field = self._field(at_ms, 0)
        if not field:
            return b""
        pid = self._tracks[0]
        # A packet without payload keeps the count (2.4.3.3).
        head = _head(pid, 0, 0x20 | (self._counts[pid] - 1) % 16)
        return head + _adaptation(field, _PAYLOAD - 1 - len(field))

    def _field(self, at_ms: int, flags: int) -> bytes:
        """Flags and the clock (PCR) for an adaptation field; a clock that would go back is left
        out: sound may be a little ahead of the picture."""
        if self._clock_ms is not None and -_BACK_MS < at_ms - self._clock_ms <= 0:
            return bytes([flags]) if flags else b""
        self._clock_ms = at_ms
        base = at_ms * _TICKS % _WRAP
        return bytes([flags | _HAS_CLOCK]) + (base << 15 | 0x3F << 9).to_bytes(6)

    # -- tables -----------------------------------------------------------------------------

    def _add_track(self, pid: int) -> None:
        if pid in self._tracks:
            return
        self._tracks = sorted([*self._tracks, pid])
        self._version = (self._version + 1) % 32
        self._tables_ms = None
        clock = (0xE000 | self._tracks[0]).to_bytes(2) + b"\xf0\0"
        tracks = b"".join(
            bytes([_STREAM_TYPES[one]]) + (0xE000 | one).to_bytes(2) + b"\xf0\0"
            for one in self._tracks
        )
        self._sections = (
            _section(0, 1, self._version, b"\0\1" + (0xE000 | _PMT).to_bytes(2)),
            _section(2, 1, self._version, clock + tracks),
        )

    def _tables(self, at_ms: int, *, at_once: bool) -> bytes:
        last_ms = self._tables_ms
        if not at_once and last_ms is not None and 0 <= at_ms - last_ms < _TABLES_MS:
            return b""
        self._tables_ms = at_ms
        pat, pmt = self._sections
        return self._table(_PAT, pat) + self._table(_PMT, pmt)

    def _table(self, pid: int, section: bytes) -> bytes:
        head = _head(pid, 0x40, 0x10 | self._counted(pid))
        return head + (b"\0" + section).ljust(_PAYLOAD, b"\xff")

    # -- packets ----------------------------------------------------------------------------

    def _pes(self, pid: int, unit: bytes, dts_ms: int, cts_ms: int = 0) -> bytes:
        dts = (dts_ms + _AHEAD_MS) * _TICKS
        pts = dts + cts_ms * _TICKS
        times = _stamp(3, pts) + _stamp(1, dts) if cts_ms else _stamp(2, pts)
        head = bytes([0x84, 0xC0 if cts_ms else 0x80, len(times)]) + times
        # A picture may be longer than the length can say; then it is 0.
        size = 0 if pid == _PICTURE else len(head) + len(unit)
        return b"\0\0\1" + bytes([_STREAM_IDS[pid]]) + size.to_bytes(2) + head + unit

    def _packets(self, pid: int, pes: bytes, field: bytes) -> bytes:
        """`field`: of the first packet, flags and what they announce; empty for none."""
        first = _PAYLOAD - (1 + len(field) if field else 0)
        found: list[bytes | bytearray] = [self._packet(pid, 0x40, pes[:first], field)]
        # Nearly all are full and carry nothing besides: they are put together at once.
        count = (len(pes) - first) // _PAYLOAD
        rest = first + max(count, 0) * _PAYLOAD
        found.append(self._full(pid, pes[first:rest]))
        if rest < len(pes):
            found.append(self._packet(pid, 0, pes[rest:], b""))
        return b"".join(found)

    def _full(self, pid: int, payloads: bytes) -> bytearray:
        """Packets that are full of payload and begin no unit."""
        head = _head(pid, 0, 0)
        packets = bytearray(head.join((b"", *chain.from_iterable(_CUT.iter_unpack(payloads)))))
        number, count = len(packets) // PACKET, self._counts[pid]
        packets[3::PACKET] = (_COUNTS * (number // 16 + 2))[count : count + number]
        self._counts[pid] = (count + number) % 16
        return packets

    def _packet(self, pid: int, start: int, payload: bytes, field: bytes) -> bytes:
        """One packet, stuffed where the payload does not fill it."""
        room = _PAYLOAD - (1 + len(field) if field else 0)
        if not field and len(payload) == room:
            return _head(pid, start, 0x10 | self._counted(pid)) + payload
        head = _head(pid, start, 0x30 | self._counted(pid))
        return head + _adaptation(field, room - len(payload)) + payload

    def _counted(self, pid: int) -> int:
        count = self._counts[pid]
        self._counts[pid] = (count + 1) % 16
        return count


def _aac(config: bytes) -> _Aac:
    """An AudioSpecificConfig as ADTS has it; of HE-AAC the core, as decoders expect it there."""
    bits = flv.Bits(config)
    kind, rate, channels = bits.read(5), _rate(bits), bits.read(4)
    if kind in (5, 29):
        _rate(bits)
        kind = bits.read(5)
    if not (1 <= kind <= 4 and 1 <= channels <= 7):
        raise NotCarriedError(f"its AAC is of a kind that MPEG-TS lacks ({kind}, {channels})")
    return _Aac(kind - 1, rate, channels)


def _rate(bits: flv.Bits) -> int:
    index = bits.read(4)
    if index > 12:
        raise NotCarriedError("its AAC is of a sample rate that MPEG-TS lacks")
    return index


def _head(pid: int, start: int, rest: int) -> bytes:
    """The 4 bytes before a packet's field and payload."""
    return bytes((0x47, start | pid >> 8, pid & 0xFF, rest))


def _adaptation(field: bytes, stuffing: int) -> bytes:
    """An adaptation field of `field`, made longer; alone, of exactly `stuffing` bytes."""
    if field:
        return bytes([len(field) + stuffing]) + field + b"\xff" * stuffing
    if stuffing == 1:
        return b"\0"
    return bytes([stuffing - 1, 0]) + b"\xff" * (stuffing - 2)


def _stamp(prefix: int, ticks: int) -> bytes:
    """A PTS or DTS in its 5 bytes."""
    ticks %= _WRAP
    high, middle, low = ticks >> 30, ticks >> 15 & 0x7FFF, ticks & 0x7FFF
    first = bytes([prefix << 4 | high << 1 | 1])
    return first + (middle << 1 | 1).to_bytes(2) + (low << 1 | 1).to_bytes(2)


def _section(table: int, number: int, version: int, body: bytes) -> bytes:
    """A table with its checksum. `number`: of the transport stream, or of the program."""
    rest = number.to_bytes(2) + bytes([0xC1 | version << 1, 0, 0]) + body
    section = bytes([table]) + (0xB000 | len(rest) + 4).to_bytes(2) + rest
    return section + _crc(section).to_bytes(4)


def _crc(data: bytes) -> int:
    """CRC-32 of MPEG-2 (annex A)."""
    crc = 0xFFFFFFFF
    for byte in data:
        crc ^= byte << 24
        for _ in range(8):
            crc = crc << 1 ^ (0x04C11DB7 if crc & 0x80000000 else 0)
        crc &= 0xFFFFFFFF
    return crc
