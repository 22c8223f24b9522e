"""A recording of several connections, and which of them counts."""

from __future__ import annotations

from pathlib import Path

import pytest

from dubcast import flv
from dubcast.measure import arrivals
from dubcast.measure.recorder import TagWriter, keep_picture
from dubcast.measure.recording import iter_tags

SOUND, PICTURE = flv.Tag(flv.AUDIO, 0, b"\xaf\x01s"), flv.Tag(flv.VIDEO, 0, b"\x17\x01p")


def recorded(path: Path, *tags: flv.Tag) -> None:
    writer = TagWriter(path)
    writer.feed(flv.write(tags), 7)
    writer.close()


@pytest.mark.parametrize(
    ("connections", "kept"),
    [
        ([[SOUND], [SOUND, PICTURE], [PICTURE]], [SOUND, PICTURE]),
        ([[PICTURE], [SOUND, PICTURE]], [PICTURE]),
        ([[SOUND], [SOUND, SOUND]], [SOUND]),
    ],
)
def test_the_first_connection_with_a_picture_counts(
    tmp_path: Path, connections: list[list[flv.Tag]], kept: list[flv.Tag]
) -> None:
    path = tmp_path / "out.flv"
    for number, tags in enumerate(connections, start=1):
        recorded(path if number == 1 else tmp_path / f"out-{number}.flv", *tags)
    keep_picture(path)
    assert [tag.kind for tag in iter_tags(path)] == [tag.kind for tag in kept]
    assert len(arrivals.load_media(path)) == len(kept)


def test_a_sequence_header_has_an_arrival_and_is_no_media(tmp_path: Path) -> None:
    # An output tells the sound's header again a second before its first frame.
    headers = [flv.Tag(flv.AUDIO, dts, flv.aac_config(b"\x11\x90")) for dts in (0, 2000)]
    picture = flv.Tag(flv.VIDEO, 2100, PICTURE.body)
    path = tmp_path / "out.flv"
    recorded(path, *headers, flv.Tag(flv.AUDIO, 2067, SOUND.body), picture)
    times = arrivals.load(path)
    assert times is not None and len(times) == 4
    assert arrivals.load_media(path)[:, 2].tolist() == [2067, 2100]
