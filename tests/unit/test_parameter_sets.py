"""Parameter sets in a picture against those of its header."""

from __future__ import annotations

import pytest

from dubcast.worker.parameter_sets import config_for

SPS, PPS = b"\x67\x4d\x40\x0d\xec\xa0", b"\x68\xce\x3c"
LARGE, OTHER = b"\x67\x64\x00\x1f\xac\xd9", b"\x68\xeb\xe3"
PICTURE = b"\x65" + bytes(40)


def record(sps: bytes, pps: bytes) -> bytes:
    head = bytes([1, *sps[1:4], 0xFF, 0xE1])
    return head + len(sps).to_bytes(2) + sps + b"\x01" + len(pps).to_bytes(2) + pps


def units(*parts: bytes) -> bytes:
    return b"".join(len(part).to_bytes(4) + part for part in parts)


@pytest.mark.parametrize(
    "picture",
    [
        units(PICTURE),
        units(SPS, PPS, PICTURE),  # said again
        units(LARGE, PICTURE),  # half of it
        units(OTHER, PICTURE),
        units(PICTURE)[:20],  # damaged
        units(LARGE, OTHER)[:-1],
        b"",
    ],
)
def test_the_header_stands(picture: bytes) -> None:
    assert config_for(picture, record(SPS, PPS)) == record(SPS, PPS)


def test_what_the_picture_brings_takes_the_place_of_the_header() -> None:
    assert config_for(units(LARGE, OTHER, PICTURE), record(SPS, PPS)) == record(LARGE, OTHER)
    two = config_for(units(LARGE, OTHER, PPS, PICTURE), record(SPS, PPS))
    assert two.endswith(b"\x02" + b"\x00\x03" + OTHER + b"\x00\x03" + PPS)


def test_lengths_of_another_size_are_left_alone() -> None:
    odd = record(SPS, PPS)
    odd = odd[:4] + b"\xfd" + odd[5:]
    assert config_for(units(LARGE, OTHER, PICTURE), odd) == odd
