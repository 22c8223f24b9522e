"""What the bench of ingests makes of what it saw."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from bench.servers import egress
from bench.servers.ingests import (
    ALONE,
    INGESTS,
    REFUSED,
    Refusal,
    Watched,
    _live_too_early,
    dubbed_share,
)
from bench.servers.publishers import Ingest, command
from dubcast.config import MediaServerSettings
from dubcast.flv import VIDEO, Tag, is_key, is_picture


def entry(outcome: str) -> str:
    return json.dumps(
        {
            "fragment_id": outcome,
            "sequence_number": 1,
            "source_start_s": 0,
            "source_end_s": 1,
            "outcome": outcome,
        }
    )


@pytest.mark.parametrize(
    ("outcomes", "share"),
    [
        ((), 0),
        (("no_speech",), 0),
        (("dubbed", "no_speech"), 1),
        (("dubbed", "late", "shift", "dubbed"), 0.5),
    ],
)
def test_the_share_is_of_what_was_spoken(
    outcomes: tuple[str, ...], share: float, tmp_path: Path
) -> None:
    file = tmp_path / "a.jsonl"
    file.write_text("\n".join(map(entry, outcomes)))
    assert dubbed_share(file) == share
    assert dubbed_share(tmp_path / "none.jsonl") == 0


@pytest.mark.parametrize(
    ("seen", "too_early"),
    [
        (Watched(), False),
        (Watched(out_s=10, live_s=10.5), False),
        (Watched(out_s=10, live_s=5), True),
        (Watched(live_s=5), True),
    ],
)
def test_live_is_too_early_if_nobody_could_read_the_output(seen: Watched, too_early: bool) -> None:
    assert _live_too_early(seen) is too_early


@pytest.mark.parametrize(
    ("seen", "ready_s"),
    [
        (Watched(listed_s=2.2, out_s=12.2), 10.0),
        (Watched(listed_s=2.2), None),
        (Watched(out_s=12.2), None),
    ],
)
def test_an_output_is_timed_from_when_the_publisher_is_listed(
    seen: Watched, ready_s: float | None
) -> None:
    assert seen.out_ready_s == ready_s


def test_a_refusal_names_the_codec_and_the_way_out() -> None:
    said = "the source's video is HEVC (H.265); set the encoder to H.264"
    assert Refusal("rtsp-tcp-hevc-aac-p", 0.2, said).ok
    assert not Refusal("rtsp-tcp-vp8-aac-p", 0.2, said).ok
    assert not Refusal("rtsp-tcp-hevc-aac-p", None, said).ok
    assert not Refusal("rtsp-tcp-hevc-aac-p", 0.2, "refused: HEVC").ok


def test_each_stream_has_an_id_of_its_own_that_every_protocol_can_name() -> None:
    names = [one.name for one in (*INGESTS, *REFUSED, ALONE)]
    assert len(set(names)) == len(names)
    for one in INGESTS:
        words = " ".join(command(one, Path("clip.mkv"), MediaServerSettings()))
        assert f"live/{one.name}/in" in words


def test_one_frame_of_ac3_a_packet() -> None:
    words = command(Ingest("srt", "ac3"), Path("clip.mkv"), MediaServerSettings())
    assert words[words.index("-pes_payload_size") + 1] == "0"


def test_of_minutes_of_pictures_a_mark_is_kept_by_which_each_is_known() -> None:
    key, other = (
        Tag(VIDEO, 40, head + bytes(30_000)) for head in (b"\x17\1\0\0\0", b"\x27\1\0\0\0")
    )
    kept = egress.marked(key)
    assert len(kept.body) < 30 and kept.dts_ms == 40
    assert is_picture(kept) and is_key(kept) and not is_key(egress.marked(other))
    assert kept.body.endswith(egress.mark(key)) and egress.mark(key) != egress.mark(other)


def test_a_part_of_another_name_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    assert egress.main(["isolation", "joys"]) == 2
    assert "joys" in capsys.readouterr().err
