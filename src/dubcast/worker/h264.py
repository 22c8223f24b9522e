"""What a sequence parameter set says of H.264's order of pictures. Pure.

Formats: ISO/IEC 14496-15, 5.3.3 (the configuration record); ITU-T H.264, 7.3.2.1 and annexes A, E.
"""

from __future__ import annotations

from dubcast import flv

_SPS = 7
_BASELINE = 66
# Profiles whose parameter sets tell the format of the samples.
_HIGH = frozenset({100, 110, 122, 244, 44, 83, 86, 118, 128, 138, 139, 134, 135})
# Those of which constraint_set3 says that all pictures are intra (E.2.1, max_num_reorder_frames).
_INTRA = frozenset({44, 86, 100, 110, 122, 244})
_EXTENDED_SAR = 255
# MaxDpbMbs by level_idc (table A-1); what is not in it counts as the highest.
_DPB_MACROBLOCKS = {
    9: 396, 10: 396, 11: 900, 12: 2376, 13: 2376, 20: 2376, 21: 4752, 22: 8100, 30: 8100,
    31: 18000, 32: 20480, 40: 32768, 41: 32768, 42: 34816, 50: 110400, 51: 184320, 52: 184320,
}  # fmt: skip
_MOST_MACROBLOCKS = 696_320
_MOST_FRAMES = 16


def reorder_depth(config: bytes) -> int:
    """How many pictures may come before one in decoding order and are shown after it, at most.

    `config` is an AVCDecoderConfigurationRecord. Where the stream does not say it, it is what its
    profile and level allow; 0 for a record that cannot be read.
    """
    sets = flv.parameter_sets("h264", config)
    found = [_depth(one) for one in sets if one and one[0] & 0x1F == _SPS]
    return max(found, default=0)


def _depth(sps: bytes) -> int:
    try:
        return _Sps(_Bits(_unescaped(sps[1:]))).depth
    except EOFError:
        return 0


def _unescaped(nal: bytes) -> bytes:
    """Without the bytes that keep start codes out of it (7.4.1)."""
    return nal.replace(b"\0\0\3", b"\0\0")


class _Bits:
    """Reads bits, most significant first; raises EOFError past the end."""

    def __init__(self, data: bytes) -> None:
        self._value = int.from_bytes(data)
        self._left = 8 * len(data)

    def u(self, count: int) -> int:
        """An unsigned number of `count` bits."""
        if count > self._left:
            raise EOFError
        self._left -= count
        return self._value >> self._left & (1 << count) - 1

    def ue(self, count: int = 1) -> int:
        """The last of `count` Exp-Golomb codes (9.1); signed ones are as long."""
        value = 0
        for _ in range(count):
            zeros = 0
            while not self.u(1):
                zeros += 1
            value = (1 << zeros) - 1 + self.u(zeros)
        return value


class _Sps:
    """seq_parameter_set_data, read as far as its order of pictures."""

    def __init__(self, bits: _Bits) -> None:
        self._bits = bits
        profile, constraints, level = bits.u(8), bits.u(8), bits.u(8)
        bits.ue()
        if profile in _HIGH:
            self._sample_format()
        in_order = self._picture_order() or profile == _BASELINE
        in_order = in_order or (profile in _INTRA and bool(constraints & 0x10))
        macroblocks = self._size()
        depth = self._told() if bits.u(1) else None
        if depth is None:
            depth = _DPB_MACROBLOCKS.get(level, _MOST_MACROBLOCKS) // macroblocks
        self.depth = 0 if in_order else min(depth, _MOST_FRAMES)

    def _sample_format(self) -> None:
        bits = self._bits
        chroma = bits.ue()
        if chroma == 3:
            bits.u(1)
        bits.ue(2)
        bits.u(1)
        if bits.u(1):
            for number in range(12 if chroma == 3 else 8):
                if bits.u(1):
                    self._scaling_list(16 if number < 6 else 64)

    def _scaling_list(self, size: int) -> None:
        last = following = 8
        for _ in range(size):
            if following:
                code = self._bits.ue()
                delta = (code + 1) // 2 if code % 2 else -(code // 2)
                following = (last + delta) % 256
            last = following or last

    def _picture_order(self) -> bool:
        """Whether pictures are always shown as they are decoded."""
        bits = self._bits
        bits.ue()
        kind = bits.ue()
        if kind == 0:
            bits.ue()
        elif kind == 1:
            bits.u(1)
            bits.ue(2)
            bits.ue(bits.ue())
        return kind == 2

    def _size(self) -> int:
        """Macroblocks of a frame."""
        bits = self._bits
        bits.ue()
        bits.u(1)
        width, height = bits.ue() + 1, bits.ue() + 1
        is_frames = bits.u(1)
        if not is_frames:
            bits.u(1)
        bits.u(1)
        if bits.u(1):
            bits.ue(4)
        return width * height * (2 - is_frames)

    def _told(self) -> int | None:
        """max_num_reorder_frames of the VUI, if it is there."""
        bits = self._bits
        if bits.u(1) and bits.u(8) == _EXTENDED_SAR:
            bits.u(32)
        if bits.u(1):
            bits.u(1)
        if bits.u(1):
            bits.u(4)
            if bits.u(1):
                bits.u(24)
        if bits.u(1):
            bits.ue(2)
        if bits.u(1):
            bits.u(65)
        if self._buffering() | self._buffering():
            bits.u(1)
        bits.u(1)
        if not bits.u(1):
            return None
        bits.u(1)
        return bits.ue(5)

    def _buffering(self) -> bool:
        """hrd_parameters, if they are there."""
        bits = self._bits
        if not bits.u(1):
            return False
        count = bits.ue() + 1
        bits.u(8)
        for _ in range(count):
            bits.ue(2)
            bits.u(1)
        bits.u(20)
        return True
