"""The table of elements agrees with itself."""

from __future__ import annotations

from collections import Counter

import pytest

from dubcast import gst_elements, system_packages
from dubcast.testing.launch_line import elements_of


def test_every_element_is_for_something_and_comes_from_one_package() -> None:
    used = {name for names in gst_elements.uses().values() for name in names}
    assert used == gst_elements.ELEMENTS
    brought = Counter(name for names in gst_elements.PACKAGES.values() for name in names)
    assert [name for name, times in brought.items() if times > 1] == []


def test_each_named_codec_has_its_elements() -> None:
    named = {*gst_elements.SOUND_BY_CAPS.values()}
    named |= {codec for _, codec in gst_elements.SOUND_BY_RTP.values()}
    # These three share one media type.
    named |= {"AAC", "AAC in LATM", "MPEG-1 audio"}
    assert named == set(gst_elements.SOUND)


def test_a_codec_names_its_depayloader_as_well() -> None:
    assert gst_elements.uses()["AC-3 sound"] == ("ac3parse", "avdec_ac3", "rtpac3depay")


def test_what_is_missing_is_named_with_its_packages() -> None:
    assert gst_elements.missing_message(["rtmp2src", "avdec_aac", "rtmp2src"]) == (
        "GStreamer has no elements avdec_aac, rtmp2src: "
        "apt install gstreamer1.0-libav gstreamer1.0-plugins-bad"
    )
    with pytest.raises(LookupError, match="x264enc is not in the table"):
        gst_elements.missing_message(["x264enc"])


def test_nothing_gpl_comes_into_the_process() -> None:
    # The one that brings GStreamer's x264 and the like.
    assert not [name for name in system_packages.needed() if "ugly" in name]


def test_elements_are_told_from_what_else_a_launch_line_holds() -> None:
    line = (
        "( filesrc location={clip} ! flvdemux name=d d.video ! queue ! video/x-h264,alignment=au ! "
        "rtph264pay name=pay0 pt=96 d.audio ! {sound} ! rtpL16pay )"
    )
    assert elements_of(line.split()) == ["filesrc", "flvdemux", "queue", "rtph264pay", "rtpL16pay"]
    assert elements_of(["gst-launch-1.0", "-q", "fakesrc", "num-buffers=1"]) == ["fakesrc"]
