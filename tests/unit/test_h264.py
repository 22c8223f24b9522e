"""How far pictures may be out of order, as parameter sets say it."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dubcast.worker.h264 import reorder_depth

# Configuration records that x264 wrote, and what ffprobe says of them (has_b_frames).
WRITTEN = {
    "no-b-frames": (
        0,
        "0164000dffe100186764000dacb202833f3e0220000003002000000781e2854901000668ebc3cb22"
        "c0fdf8f800",
    ),
    "b-frames": (
        2,
        "0164000dffe1001a6764000dacd941419f9f0110000003001000000303c0f142996001000668ebe3"
        "cb22c0fdf8f800",
    ),
    "422-with-hrd": (
        2,
        "017a000dffe10024677a000db6cd941419f8dc0440000003004000000f1810003d090007a13928c0"
        "1e28532c01000568ebecb22cfefafa00",
    ),
    "interlaced": (
        2,
        "01640015ffe1001967640015acd941433f260220000003002000000783e28532c001000668fba3cb"
        "22c0fdf8f800",
    ),
    "baseline": (
        0,
        "0142c00dffe100196742c00dd901419f9f0110000003001000000303c0f142a48001000568cb83cb20",
    ),
    "444-pyramid": (
        1,
        "01f4000dffe1001a67f4000d919c80a0cfc6e022000003000200000300781e28522401000868ebe3"
        "c44c000440fff8f800",
    ),
}


@pytest.mark.parametrize(("depth", "record"), WRITTEN.values(), ids=WRITTEN)
def test_it_is_what_the_encoder_wrote(depth: int, record: str) -> None:
    assert reorder_depth(bytes.fromhex(record)) == depth


class Sps:
    """Writes a sequence parameter set of 320x192, 240 macroblocks, without a VUI unless told."""

    def __init__(self) -> None:
        self._bits = ""

    def u(self, count: int, value: int) -> Sps:
        self._bits += f"{value:0{count}b}"
        return self

    def ue(self, *values: int) -> Sps:
        for value in values:
            code = f"{value + 1:b}"
            self._bits += "0" * (len(code) - 1) + code
        return self

    def record(self) -> bytes:
        """It alone in a configuration record."""
        bits = self._bits + "1"
        bits += "0" * (-len(bits) % 8)
        nal = b"\x67" + int(bits, 2).to_bytes(len(bits) // 8)
        nal = nal.replace(b"\0\0", b"\0\0\3")
        return b"\x01\x64\0\x1f\xff\xe1" + len(nal).to_bytes(2) + nal + b"\0"


def sps(profile: int, level: int, *, constraints: int = 0, order: int = 0) -> Sps:
    one = Sps().u(8, profile).u(8, constraints).u(8, level).ue(0)
    if profile == 100:
        one.ue(1, 0, 0).u(1, 0).u(1, 1)
        for number in range(8):  # lists of each kind: told, left out, ended early
            one.u(1, int(number in (0, 7)))
            if number == 0:
                one.ue(*[0] * 16)
            if number == 7:
                one.ue(16)  # -8: the rest as before
    one.ue(0, order)
    if order == 0:
        one.ue(4)
    if order == 1:
        one.u(1, 0).ue(1, 2, 3, 1, 2, 3)
    return one.ue(4).u(1, 0).ue(19, 11).u(1, 1).u(1, 1).u(1, 0)


UNTOLD = {
    "main-1.2": (sps(77, 12), 2376 // 240),
    "high-1.1": (sps(100, 11), 900 // 240),
    "high-4": (sps(100, 40), 16),
    "unknown-level": (sps(77, 99), 16),
    "type-1": (sps(77, 12, order=1), 2376 // 240),
    "baseline": (sps(66, 12), 0),
    "type-2": (sps(77, 12, order=2), 0),
    "intra": (sps(100, 12, constraints=0x10), 0),
    "constrained-main": (sps(77, 12, constraints=0x10), 2376 // 240),
}


@pytest.mark.parametrize(("one", "depth"), UNTOLD.values(), ids=UNTOLD)
def test_where_it_is_not_told_it_is_what_profile_and_level_allow(one: Sps, depth: int) -> None:
    assert reorder_depth(one.u(1, 0).record()) == depth


def told(depth: int) -> Sps:
    """With a VUI that has all there is before the restriction."""
    one = sps(77, 40).u(1, 1)
    one.u(1, 1).u(8, 255).u(32, 0x00010001)  # sample aspect ratio
    one.u(1, 1).u(1, 0).u(1, 1).u(4, 0).u(1, 1).u(24, 0)  # overscan, signal type, colours
    one.u(1, 1).ue(1, 1)  # chroma's place
    one.u(1, 1).u(32, 1).u(32, 60).u(1, 1)  # timing
    for _ in range(2):
        one.u(1, 1).ue(1).u(8, 0).ue(5, 6).u(1, 0).ue(7, 8).u(1, 0).u(20, 0)
    one.u(1, 0).u(1, 0)
    return one.u(1, 1).u(1, 1).ue(0, 0, 10, 10, depth, 4)


@pytest.mark.parametrize(("written", "depth"), [(0, 0), (3, 3), (500, 16)])
def test_where_it_is_told_that_counts(written: int, depth: int) -> None:
    assert reorder_depth(told(written).record()) == depth


def test_without_a_restriction_nothing_is_told() -> None:
    one = sps(77, 12).u(1, 1).u(5, 0).u(2, 0).u(1, 0).u(1, 0)
    assert reorder_depth(one.record()) == 2376 // 240


@given(st.binary(max_size=80))
def test_no_bytes_break_it(data: bytes) -> None:
    assert 0 <= reorder_depth(data) <= 16
    assert 0 <= reorder_depth(b"\x01\x64\0\x1f\xff\xe1\0\x50\x67" + data.ljust(79, b"\0")) <= 16
