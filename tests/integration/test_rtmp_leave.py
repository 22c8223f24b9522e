"""What was sent before a connection is left arrives, at a peer that is slow and talks meanwhile."""

from __future__ import annotations

from dubcast import flv
from dubcast.flv import Tag
from dubcast.rtmp.address import parse
from dubcast.rtmp.client import Purpose
from dubcast.rtmp.connection import Connection
from dubcast.testing.destination import Destination

TAGS = 30


async def test_what_was_sent_before_the_leave_arrives_at_a_slow_peer() -> None:
    async with Destination("slow", bytes_per_s=500_000, acknowledges=True).running() as there:
        one = Connection(parse(there.rtmp()), Purpose.PUBLISH)
        await one.open()
        for number in range(TAGS):
            one.send(Tag(flv.SCRIPT, number, bytes(10_000)))
        await one.leave()
        (visit,) = there.visits
        await visit.over.wait()
    assert [tag.dts_ms for _, tag in visit.tags] == list(range(TAGS))
    assert visit.commands[-1][0] == "deleteStream"
