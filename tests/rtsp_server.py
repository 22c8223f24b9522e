"""A small RTSP server for the tests: serves one FLV clip, again for each client.

Usage: rtsp_server.py CLIP PORT SOUND, with SOUND one of aac, pcmu, opus
"""

from __future__ import annotations

import sys

import gi

gi.require_version("Gst", "1.0")
gi.require_version("GstRtspServer", "1.0")
from gi.repository import GLib, GstRtspServer  # noqa: E402

from dubcast.testing.launch_line import elements_of  # noqa: E402
from dubcast.worker.gst.pipeline import require  # noqa: E402

LAUNCH = (
    "( filesrc location={clip} ! flvdemux name=d "
    "d.video ! queue ! h264parse ! rtph264pay name=pay0 pt=96 config-interval=-1 "
    "d.audio ! queue ! aacparse {sound} name=pay1 pt=97 )"
)
_DECODED = "! avdec_aac ! audioconvert ! audioresample"
SOUNDS = {
    "aac": "! rtpmp4gpay",
    "pcmu": f"{_DECODED} ! mulawenc ! rtppcmupay",
    "opus": f"{_DECODED} ! opusenc ! rtpopuspay",
}


def main() -> None:
    clip, port, sound = sys.argv[1:]
    launch = LAUNCH.format(clip=clip, sound=SOUNDS[sound])
    require(elements_of(launch.split()))
    server = GstRtspServer.RTSPServer()
    server.set_address("127.0.0.1")
    server.set_service(port)
    factory = GstRtspServer.RTSPMediaFactory()
    factory.set_launch(launch)
    server.get_mount_points().add_factory("/live/t/in", factory)
    server.attach(None)
    GLib.MainLoop().run()


if __name__ == "__main__":
    main()
