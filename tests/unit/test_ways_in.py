"""By what a source is read, and what is said of one that cannot be served."""

from __future__ import annotations

import pytest

from dubcast.contract.streams import StreamReason
from dubcast.mediaserver.ways_in import missing, refusal, way_in

AAC, OPUS = ("H264", "MPEG-4 Audio"), ("H264", "Opus")


@pytest.mark.parametrize(
    ("source", "tracks", "way"),
    [
        ("rtmpConn", AAC, "rtmp"),
        ("rtmpConn", ("H264", "MPEG-1/2 Audio"), "rtmp"),
        ("rtmpsConn", ("H264", "G711"), "rtmp"),
        ("rtmpConn", ("H264", "LPCM"), "rtmp"),
        ("rtmpConn", OPUS, "srt"),
        ("rtmpConn", ("H264", "AC-3"), "srt"),
        ("srtConn", AAC, "rtmp"),
        ("srtConn", ("H264", "MPEG-4 Audio LATM"), "rtmp"),
        ("srtConn", ("H264", "MPEG-1/2 Audio"), "srt"),  # may be layer 2
        ("srtConn", OPUS, "srt"),
        ("srtConn", ("H264", "AC3"), "srt"),  # its older name
        ("srtConn", ("H264", "MPEG-4 Audio", "KLV"), "rtmp"),
        ("rtspSession", AAC, "rtsp"),
        ("rtspsSession", ("H264", "G722"), "rtsp"),
        ("webRTCSession", OPUS, "rtsp"),
        ("", (), "rtmp"),
    ],
)
def test_no_track_is_lost_on_the_way(source: str, tracks: tuple[str, ...], way: str) -> None:
    assert way_in(source, tracks, has_srt=True) == way


def test_without_srt_what_rtmp_would_lose_is_read_by_rtsp() -> None:
    assert way_in("srtConn", OPUS, has_srt=False) == "rtsp"
    assert way_in("srtConn", AAC, has_srt=False) == "rtmp"


@pytest.mark.parametrize(
    ("track", "name"), [("H265", "HEVC"), ("AV1", "AV1"), ("VP8", "VP8"), ("VP9", "VP9")]
)
def test_another_picture_is_refused_by_name_with_the_way_out(track: str, name: str) -> None:
    found = refusal((track, "Opus"))
    assert found is not None
    assert found.reason == StreamReason.VIDEO_CODEC
    assert f"video is {name}" in found.message
    assert "to H.264" in found.message


def test_another_sound_is_refused_unless_there_is_one_to_take() -> None:
    found = refusal(("H264", "Speex"))
    assert found is not None
    assert (found.reason, "Speex" in found.message) == (StreamReason.AUDIO_CODEC, True)
    assert refusal(("H264", "Speex", "MPEG-4 Audio")) is None
    assert refusal(("H265", "H264")) is None
    assert refusal(()) is refusal(AAC) is refusal(OPUS) is None


def test_what_a_source_lacks_is_said() -> None:
    assert missing(()) is missing(AAC) is missing(OPUS) is None
    for tracks, reason in ((("Opus",), StreamReason.NO_VIDEO), (("H264",), StreamReason.NO_AUDIO)):
        found = missing(tracks)
        assert found is not None
        assert found.reason == reason
