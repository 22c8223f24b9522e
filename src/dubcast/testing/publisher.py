"""A publisher that sends what a well-behaved encoder never would.

It speaks RTMP to a real server and sends FLV tags exactly as given, at the moments given: with
timestamps that jump, wrap or repeat, with damaged bytes, with a track that comes late. The wire
is real; only what is on it is wrong. Only towards this machine: a fault is not for others.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace

from dubcast import flv
from dubcast.errors import ConfigError
from dubcast.flv import Tag
from dubcast.rtmp import amf0
from dubcast.rtmp.address import parse
from dubcast.rtmp.client import Purpose
from dubcast.rtmp.connection import Connection

_LOOPBACK = ("127.0.0.1", "localhost", "::1")
_REPLY_TIMEOUT_S = 5.0


@dataclass(frozen=True)
class Timed:
    """A tag and when it is sent, in s after the start."""

    at_s: float
    tag: Tag


def paced(tags: Iterable[Tag]) -> Iterator[Timed]:
    """Each tag at its own time, as `ffmpeg -re` would. Apply it before timestamps are bent."""
    first: int | None = None
    for tag in tags:
        first = tag.dts_ms if first is None else first
        yield Timed(max(tag.dts_ms - first, 0) / 1000, tag)


def jumped(items: Iterable[Timed], at_s: float, by_ms: int) -> Iterator[Timed]:
    """Timestamps move by `by_ms` from `at_s` on; when they are sent stays the same."""
    for item in items:
        late = item.at_s >= at_s
        yield replace(item, tag=_moved(item.tag, by_ms)) if late else item


def restarted(items: Iterable[Timed], at_s: float) -> Iterator[Timed]:
    """Timestamps begin at 0 again at `at_s`."""
    base: int | None = None
    for item in items:
        if item.at_s >= at_s and base is None:
            base = item.tag.dts_ms
        yield item if base is None else replace(item, tag=_moved(item.tag, -base))


def corrupted(
    items: Iterable[Timed], share: float, seed: int, kind: int, *, first: int = 5
) -> Iterator[Timed]:
    """A `share` of the tags of one kind with some bytes changed; sequence headers are left.

    `first`: the first byte that may be changed; below 5 it is also what says how to read the tag.
    """
    chance = random.Random(seed)
    for item in items:
        body = item.tag.body
        spoil = item.tag.kind == kind and len(body) > 8 and body[1] != 0
        if not spoil or chance.random() >= share:
            yield item
            continue
        damaged = bytearray(body)
        for _ in range(max(2, len(body) // 50)):
            damaged[chance.randrange(first, len(body))] = chance.randrange(256)
        if first < 5:
            damaged[first] = chance.randrange(256)
        yield replace(item, tag=replace(item.tag, body=bytes(damaged)))


def enhanced(items: Iterable[Timed], fourcc: bytes) -> Iterator[Timed]:
    """The pictures in the tags of enhanced RTMP, as of another codec: `hvc1`, `av01`."""
    for item in items:
        body = item.tag.body
        if item.tag.kind == flv.VIDEO:
            begins = body[1] == 0
            head = bytes([0x80 | body[0] & 0x70 | (0 if begins else 1)]) + fourcc
            body = head + body[5 if begins else 2 :]
        yield replace(item, tag=replace(item.tag, body=body))


def equal_dts(items: Iterable[Timed], every: int) -> Iterator[Timed]:
    """Each `every`-th picture carries the DTS of the one before it."""
    last, count = 0, 0
    for item in items:
        if item.tag.kind == flv.VIDEO:
            count += 1
            if count and count % every == 0:
                item = replace(item, tag=replace(item.tag, dts_ms=last))
            last = item.tag.dts_ms
        yield item


def picture_pause(items: Iterable[Timed], from_s: float, until_s: float) -> Iterator[Timed]:
    """No pictures for a while, as of a phone in the background; then from a key frame on."""
    paused = False
    for item in items:
        if _is_picture(item.tag):
            if from_s <= item.at_s < until_s:
                paused = True
            elif _is_key(item.tag):
                paused = False
            if paused:
                continue
        yield item


def keys_only(items: Iterable[Timed]) -> Iterator[Timed]:
    """Of the pictures key frames alone, as of a shared screen."""
    return (item for item in items if not _is_picture(item.tag) or _is_key(item.tag))


def late_picture(items: Iterable[Timed], at_s: float) -> Iterator[Timed]:
    """Sound alone at first; the picture's header and its first key frame come at `at_s`."""
    header: Tag | None = None
    for item in items:
        if item.tag.kind != flv.VIDEO:
            yield item
        elif not _is_picture(item.tag):
            header = item.tag
        elif header is None:
            yield item
        elif item.at_s >= at_s and _is_key(item.tag):
            yield replace(item, tag=replace(header, dts_ms=item.tag.dts_ms))
            header = None
            yield item


def early_pts(items: Iterable[Timed], by_ms: int) -> list[Timed]:
    """Each DTS, and the moment when it is sent, so much later; PTS stay, and may be before DTS."""
    return sorted((_early_pts(item, by_ms) for item in items), key=lambda item: item.at_s)


def _early_pts(item: Timed, by_ms: int) -> Timed:
    if not _is_picture(item.tag):
        return item
    body = item.tag.body
    cts = int.from_bytes(body[2:5], signed=True) - by_ms
    body = body[:2] + cts.to_bytes(3, signed=True) + body[5:]
    return Timed(item.at_s + by_ms / 1000, replace(_moved(item.tag, by_ms), body=body))


def captioned(items: Iterable[Timed], every: int) -> Iterator[Timed]:
    """After each `every`-th picture a caption as script data."""
    for count, item in enumerate(items):
        yield item
        if count and count % every == 0:
            body = amf0.encode("onTextData", {"text": f"caption {count}"})
            yield replace(item, tag=replace(item.tag, kind=flv.SCRIPT, body=body))


def picture_captioned(items: Iterable[Timed]) -> Iterator[Timed]:
    """In each picture captions as SEI (CEA-608 by ATSC A/53 part 4), no two alike, between a
    delimiter and the picture, and filler data behind it."""
    for count, item in enumerate(items):
        tag = item.tag
        if _is_picture(tag):
            pair = bytes([0x80 | count >> 7 & 0x7F, 0x80 | count & 0x7F])
            data = b"\xb5\x00\x31GA94\x03\x41\xff\xfc" + pair + b"\xff"
            sei = b"\x06\x04" + bytes([len(data)]) + data + b"\x80"
            nals = (_nal(b"\x09\xf0"), _nal(sei), tag.body[5:], _nal(b"\x0c\xff\xff\x80"))
            tag = replace(tag, body=tag.body[:5] + b"".join(nals))
        yield replace(item, tag=tag)


def _nal(data: bytes) -> bytes:
    return len(data).to_bytes(4) + data


def _is_picture(tag: Tag) -> bool:
    return tag.kind == flv.VIDEO and tag.body[1:2] == b"\x01"


def _is_key(tag: Tag) -> bool:
    return tag.body[0] >> 4 == 1


def joined(*programmes: Iterable[Timed]) -> Iterator[Timed]:
    """One programme after the other on one connection: the encoder's settings change on air."""
    start_s, start_ms = 0.0, 0
    for programme in programmes:
        end_s, end_ms = start_s, start_ms
        for item in programme:
            yield Timed(start_s + item.at_s, _moved(item.tag, start_ms))
            end_s = max(end_s, start_s + item.at_s)
            end_ms = max(end_ms, start_ms + item.tag.dts_ms)
        start_s, start_ms = end_s + 0.04, end_ms + 40


def _moved(tag: Tag, by_ms: int) -> Tag:
    return replace(tag, dts_ms=(tag.dts_ms + by_ms) % (1 << 32))


async def publish(url: str, items: Iterable[Timed]) -> None:
    """Publish to an RTMP server on this machine until all is sent.

    Raises ConfigError for another machine, MediaError when the server refuses or goes away.
    Cancelling is safe: the connection is closed.
    """
    address = parse(url)
    if address.host not in _LOOPBACK:
        raise ConfigError(f"the test publisher sends to this machine only, not {address.host}")
    room = asyncio.Event()
    connection = Connection(address, Purpose.PUBLISH, on_room=room.set)
    try:
        async with asyncio.timeout(_REPLY_TIMEOUT_S):
            await connection.open()
        await _send(connection, items, room)
    finally:
        await connection.leave()


async def _send(connection: Connection, items: Iterable[Timed], room: asyncio.Event) -> None:
    loop = asyncio.get_running_loop()
    started = loop.time()
    for item in items:
        await asyncio.sleep(max(0.0, started + item.at_s - loop.time()))
        while connection.full and not connection.ended.done():
            room.clear()
            waits = asyncio.ensure_future(room.wait())
            await connection.ended_or(waits)
            waits.cancel()
        if connection.ended.done():
            raise connection.ended.result()
        connection.send(item.tag)
