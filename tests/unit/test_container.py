"""What a file is."""

from __future__ import annotations

from pathlib import Path

import pytest

from dubcast import flv
from dubcast.worker.container import Container, container_of


@pytest.mark.parametrize(
    ("head", "container"),
    [
        (flv.header(), Container.FLV),
        (b"\x1a\x45\xdf\xa3\xa3\x42\x86\x81\x01", Container.MATROSKA),
        (b"\0\0\0\x20ftypisom", Container.OTHER),
        (b"\x47\x40\x11\x10", Container.OTHER),
        (b"FL", Container.OTHER),
        (b"", Container.OTHER),
    ],
)
def test_the_first_bytes_say_it(head: bytes, container: Container, tmp_path: Path) -> None:
    path = tmp_path / "wrongly-named.mp4"
    path.write_bytes(head)
    assert container_of(path) is container


def test_what_cannot_be_read_is_left_to_who_reads_it(tmp_path: Path) -> None:
    assert container_of(tmp_path) is Container.OTHER
