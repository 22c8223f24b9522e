"""The table of GStreamer elements: what each is for, and the Debian package that brings it.

Pure data. The pipelines take their elements from here (`worker/gst/pipeline.py` makes no other),
`dubcast doctor` looks for each, and `scripts/check_packages.py` proves that `scripts/setup.sh`
installs every package and that nothing names an element that is not here. The packages are those of
Debian 12; `tests/integration/test_packages.py` compares them with what the machine has.
"""

from __future__ import annotations

from collections.abc import Iterable

# Codec -> the elements that decode it to PCM. Named one by one: what is not here is refused, where
# decodebin would leave silence.
SOUND: dict[str, tuple[str, ...]] = {
    "PCM": (),
    "AAC": ("aacparse", "avdec_aac"),
    "AAC in LATM": ("aacparse", "avdec_aac_latm"),
    "MPEG-1 audio": ("mpegaudioparse", "mpg123audiodec"),
    "AC-3": ("ac3parse", "avdec_ac3"),
    "E-AC-3": ("ac3parse", "avdec_eac3"),
    "Opus": ("opusdec",),
    "Vorbis": ("vorbisdec",),
    "FLAC": ("flacparse", "flacdec"),
    "Speex": ("speexdec",),
    "Nellymoser": ("avdec_nellymoser",),
    "A-law": ("alawdec",),
    "mu-law": ("mulawdec",),
    "G.722": ("avdec_g722",),
}
# Media type -> codec. `audio/mpeg` is three: its other fields tell (`worker/gst/decoding.py`).
SOUND_BY_CAPS = {
    "audio/x-raw": "PCM",
    "audio/x-ac3": "AC-3",
    "audio/x-eac3": "E-AC-3",
    "audio/x-opus": "Opus",
    "audio/x-vorbis": "Vorbis",
    "audio/x-flac": "FLAC",
    "audio/x-speex": "Speex",
    "audio/x-nellymoser": "Nellymoser",
    "audio/x-alaw": "A-law",
    "audio/x-mulaw": "mu-law",
}
# Encoding name of RTP -> depayloader and codec.
SOUND_BY_RTP = {
    "MPEG4-GENERIC": ("rtpmp4gdepay", "AAC"),
    "MP4A-LATM": ("rtpmp4adepay", "AAC"),
    "MPA": ("rtpmpadepay", "MPEG-1 audio"),
    "PCMA": ("rtppcmadepay", "A-law"),
    "PCMU": ("rtppcmudepay", "mu-law"),
    "L16": ("rtpL16depay", "PCM"),
    "G722": ("rtpg722depay", "G.722"),
    "OPUS": ("rtpopusdepay", "Opus"),
    "AC3": ("rtpac3depay", "AC-3"),
}
# Of payload types that need no name (RFC 3551, 6), since not every server gives one.
RTP_STATIC = {0: "PCMU", 8: "PCMA", 9: "G722", 10: "L16", 11: "L16", 14: "MPA"}

# Scheme of a source -> what reads it, with what those elements make inside themselves.
SOURCES: dict[str, tuple[str, ...]] = {
    "rtmp": ("rtmp2src",),
    "rtmps": ("rtmp2src",),
    "http": ("souphttpsrc",),
    "https": ("souphttpsrc",),
    "rtsp": (
        *("rtspsrc", "rtpbin", "rtpsession", "rtpstorage", "rtpssrcdemux", "rtpjitterbuffer"),
        *("rtpptdemux", "rtph264depay", "h264parse", "h264timestamper"),
    ),
    "srt": ("srtsrc", "tsdemux", "h264parse"),
    "file": ("filesrc", "parsebin", "typefind", "queue", "h264parse"),
}
# What every stream needs, whatever its source.
INPUT = ("appsrc", "audioconvert", "audioresample", "capsfilter", "appsink")
OUTPUT = ("appsrc", "audioconvert", "voaacenc", "capsfilter", "appsink", "rtmp2sink")
WHEP = ("opusenc",)
FILES = ("flvdemux", "qtdemux", "matroskademux", "tsdemux")
RECORDER = ("rtmp2src", "fdsink")
# What the tests need besides.
TESTS = (
    *("capssetter", "filesink", "flvmux", "identity", "mulawenc", "opusenc"),
    *("rtph264pay", "rtpmp4gpay", "rtppcmupay", "rtpopuspay", "webrtcbin"),
    *("h265parse", "rtpgstpay", "rtph265pay", "rtpvp8pay", "rtpvp9pay"),
)

# Package -> the elements that it brings.
PACKAGES: dict[str, tuple[str, ...]] = {
    "libgstreamer1.0-0": (
        *("capsfilter", "fdsink", "filesink", "filesrc", "identity", "queue", "typefind"),
    ),
    "gstreamer1.0-plugins-base": (
        *("appsink", "appsrc", "audioconvert", "audioresample", "opusdec", "opusenc"),
        *("parsebin", "vorbisdec"),
    ),
    "gstreamer1.0-plugins-good": (
        *("aacparse", "ac3parse", "alawdec", "capssetter", "flacdec", "flacparse"),
        *("flvdemux", "flvmux"),
        *("matroskademux", "mpegaudioparse", "mpg123audiodec", "mulawdec", "mulawenc", "qtdemux"),
        *("rtpL16depay", "rtpac3depay", "rtpbin", "rtpg722depay", "rtph264depay", "rtph264pay"),
        *("rtpgstpay", "rtph265pay", "rtpvp8pay", "rtpvp9pay"),
        *("rtpjitterbuffer", "rtpmp4adepay", "rtpmp4gdepay", "rtpmp4gpay", "rtpmpadepay"),
        *("rtpopusdepay", "rtpopuspay", "rtppcmadepay", "rtppcmudepay", "rtppcmupay"),
        *("rtpptdemux", "rtpsession", "rtpssrcdemux", "rtpstorage", "rtspsrc", "souphttpsrc"),
        "speexdec",
    ),
    "gstreamer1.0-plugins-bad": (
        *(
            "h264parse",
            "h264timestamper",
            "h265parse",
            "rtmp2sink",
            "rtmp2src",
            "srtsrc",
            "tsdemux",
        ),
        *("voaacenc", "webrtcbin"),
    ),
    "gstreamer1.0-libav": (
        *("avdec_aac", "avdec_aac_latm", "avdec_ac3", "avdec_eac3", "avdec_g722"),
        "avdec_nellymoser",
    ),
}
_PACKAGE_OF = {name: package for package, names in PACKAGES.items() for name in names}
ELEMENTS = frozenset(_PACKAGE_OF)


def package_of(name: str) -> str:
    """The package that brings an element. Raises LookupError for one that is not in the table."""
    if name not in _PACKAGE_OF:
        raise LookupError(f"{name} is not in the table of elements, gst_elements.py")
    return _PACKAGE_OF[name]


def uses() -> dict[str, tuple[str, ...]]:
    """What elements are for, in a person's words -> those elements, sorted."""
    found = {
        "output": set(OUTPUT),
        "output with Opus, for WHEP": set(WHEP),
        "any input": set(INPUT),
        **{f"input by {scheme}": set(names) for scheme, names in SOURCES.items()},
        "files in FLV, MP4, Matroska or MPEG-TS": set(FILES),
        **{f"{codec} sound": set(names) for codec, names in SOUND.items() if names},
        "recorder": set(RECORDER),
        "tests": set(TESTS),
    }
    for depayloader, codec in SOUND_BY_RTP.values():
        found.setdefault(f"{codec} sound", set()).add(depayloader)
    return {use: tuple(sorted(names)) for use, names in found.items()}


def missing_message(names: Iterable[str]) -> str:
    """What to say when these elements are not here: each by name, and how to get them.

    Raises LookupError for one that is not in the table.
    """
    listed = sorted(set(names))
    packages = sorted({package_of(name) for name in listed})
    kind = "element" if len(listed) == 1 else "elements"
    return f"GStreamer has no {kind} {', '.join(listed)}: apt install {' '.join(packages)}"
