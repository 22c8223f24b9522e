"""Parameter sets of H.264 that come in the picture itself. Pure.

A server that was read from before the encoder's settings changed may send no second sequence header
(MediaMTX): what decodes the new pictures is then in their own units alone, and who joins later, or
reads headers only, would not have it. Formats: ISO/IEC 14496-15, 5.3.3; ITU-T H.264, 7.3.1.
"""

from __future__ import annotations

from collections.abc import Iterator

_SPS, _PPS = 7, 8
_LENGTH = 4  # bytes before each unit
_LENGTHS_OF_FOUR = 0b11


def config_for(units: bytes, config: bytes) -> bytes:
    """The AVCDecoderConfigurationRecord of an access unit: `config`, or what it brings itself."""
    if len(config) < 7 or config[4] & 0b11 != _LENGTHS_OF_FOUR:
        return config
    found = list(_units(units))
    sps = [unit for unit in found if unit[0] & 0x1F == _SPS]
    pps = [unit for unit in found if unit[0] & 0x1F == _PPS]
    if not sps or not pps or len(sps[0]) < 4 or all(one in config for one in (*sps, *pps)):
        return config
    head = bytes([1, *sps[0][1:4], 0xFF, 0xE0 | len(sps)])
    return head + _listed(sps) + bytes([len(pps)]) + _listed(pps)


def _listed(sets: list[bytes]) -> bytes:
    return b"".join(len(one).to_bytes(2) + one for one in sets)


def _units(data: bytes) -> Iterator[bytes]:
    """The units that have something in them, up to the first that is damaged."""
    at = 0
    while at + _LENGTH < len(data):
        size = int.from_bytes(data[at : at + _LENGTH])
        unit = data[at + _LENGTH : at + _LENGTH + size]
        if len(unit) < size:
            return
        if unit:
            yield unit
        at += _LENGTH + size
