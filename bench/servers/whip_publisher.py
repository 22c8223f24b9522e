"""Publishes a clip's picture by WHIP, as OBS or a browser would, and its sound as one of WebRTC's.

Usage: whip_publisher.py CLIP URL SOUND [VIDEO], with SOUND one of opus, pcmu, and VIDEO one of h264
(CLIP is FLV with AAC), hevc, av1, vp8, vp9 (CLIP is Matroska with AAC).
Needs gstreamer1.0-nice and gir1.2-gst-plugins-bad-1.0 (webrtcbin, and its types).
"""

from __future__ import annotations

import sys
import threading
import urllib.error
import urllib.request
from typing import Any

import gi

gi.require_version("Gst", "1.0")
gi.require_version("GstSdp", "1.0")
gi.require_version("GstWebRTC", "1.0")
from gi.repository import GLib, Gst, GstSdp, GstWebRTC  # noqa: E402

from dubcast.testing.launch_line import elements_of  # noqa: E402
from dubcast.worker.gst.pipeline import require  # noqa: E402

# MediaMTX takes of H.264 what browsers offer, by name; without B-frames it is that, but for a flag.
_PROFILE = "application/x-rtp,packetization-mode=(string)1,profile-level-id=(string)42e01f"
_AV1 = "application/x-rtp,media=video,clock-rate=90000,encoding-name=AV1,payload=96"
_LAST_PACKETS_MS = 500
_UNBOUNDED = "queue max-size-time=0 max-size-bytes=0 max-size-buffers=0"
LAUNCH = (
    "webrtcbin name=peer bundle-policy=max-bundle filesrc location={clip} ! {picture} ! peer. "
    f"d.{{audio}} ! {_UNBOUNDED} ! aacparse ! avdec_aac ! audioconvert ! audioresample ! {{sound}}"
)
_MATROSKA = f"matroskademux name=d d.video_0 ! {_UNBOUNDED}"
# How each is taken from the clip and sent, and the name of the demuxer's other track.
_PICTURES = {
    "h264": (
        f"flvdemux name=d d.video ! {_UNBOUNDED} ! h264parse ! "
        "rtph264pay pt=96 config-interval=-1 aggregate-mode=zero-latency ! identity sync=true ! "
        f"capssetter caps={_PROFILE}",
        "audio",
    ),
    "hevc": (
        f"{_MATROSKA} ! h265parse ! rtph265pay pt=96 config-interval=-1 ! identity sync=true",
        "audio_0",
    ),
    # GStreamer 1.22 has no payloader: the description is AV1's, the packets are nobody's.
    "av1": (
        f"{_MATROSKA} ! rtpgstpay pt=96 ! identity sync=true ! capssetter replace=true caps={_AV1}",
        "audio_0",
    ),
    "vp8": (f"{_MATROSKA} ! rtpvp8pay pt=96 ! identity sync=true", "audio_0"),
    "vp9": (f"{_MATROSKA} ! rtpvp9pay pt=96 ! identity sync=true", "audio_0"),
}
_SOUNDS = {
    "opus": "opusenc ! rtpopuspay pt=97 ! identity sync=true ! application/x-rtp,media=audio,"
    "encoding-name=OPUS,clock-rate=48000,payload=97,encoding-params=(string)2 ! peer.",
    "pcmu": "audio/x-raw,rate=8000,channels=1 ! mulawenc ! rtppcmupay perfect-rtptime=false "
    "max-ptime=20000000 ! identity sync=true ! application/x-rtp,media=audio,"
    "encoding-name=PCMU,clock-rate=8000,payload=0 ! peer.",
}


class WhipPublisher:
    """One clip to one endpoint; `run` returns when it is at its end, or refused."""

    def __init__(self, clip: str, url: str, sound: str, video: str = "h264") -> None:
        picture, audio = _PICTURES[video]
        launch = LAUNCH.format(clip=clip, picture=picture, audio=audio, sound=_SOUNDS[sound])
        require(elements_of(launch.split()))
        self._url = url
        self._loop = GLib.MainLoop()
        self._pipeline = Gst.parse_launch(launch)
        self._peer = self._pipeline.get_by_name("peer")
        # Reports name the moment of a frame, not when it was sent: all frames wait for their time.
        self._peer.get_by_name("rtpbin").set_property("rtcp-sync-send-time", False)
        self._peer.connect("on-negotiation-needed", self._make_offer)
        self._peer.connect("notify::ice-gathering-state", self._gathered)
        # webrtcbin itself never tells that it is at its end.
        self._playing = [pad for pad in self._peer.pads if pad.direction == Gst.PadDirection.SINK]
        for pad in self._playing:
            pad.add_probe(Gst.PadProbeType.EVENT_DOWNSTREAM, self._passed)
        bus = self._pipeline.get_bus()
        bus.add_signal_watch()
        bus.connect("message", self._heard)

    def run(self) -> None:
        """Publish."""
        self._pipeline.set_state(Gst.State.PLAYING)
        self._loop.run()
        self._pipeline.set_state(Gst.State.NULL)

    def _make_offer(self, *_: Any) -> None:
        made = Gst.Promise.new_with_change_func(self._offer_made)
        self._peer.emit("create-offer", None, made)

    def _offer_made(self, promise: Any, *_: Any) -> None:
        promise.wait()
        reply = promise.get_reply()  # the offer is its own, and goes with it
        self._peer.emit("set-local-description", reply.get_value("offer"), None)

    def _gathered(self, *_: Any) -> None:
        """All candidates are known: the whole offer is one request, as in RFC 9725."""
        state = self._peer.get_property("ice-gathering-state")
        if state == GstWebRTC.WebRTCICEGatheringState.COMPLETE:
            offer = self._peer.get_property("local-description").sdp.as_text()
            threading.Thread(target=self._post, args=(offer,), daemon=True).start()

    def _post(self, offer: str) -> None:
        request = urllib.request.Request(
            self._url, offer.encode(), {"Content-Type": "application/sdp"}
        )
        try:
            with urllib.request.urlopen(request, timeout=10) as reply:
                _, answer = GstSdp.SDPMessage.new_from_text(reply.read().decode())
        except (OSError, urllib.error.HTTPError) as error:
            print(f"{self._url}: {error}", file=sys.stderr)
            self._loop.quit()
            return
        kind = GstWebRTC.WebRTCSDPType.ANSWER
        description = GstWebRTC.WebRTCSessionDescription.new(kind, answer)
        self._peer.emit("set-remote-description", description, None)

    def _passed(self, pad: Any, info: Any) -> Any:
        if info.get_event().type == Gst.EventType.EOS:
            self._playing.remove(pad)
            if not self._playing:
                GLib.timeout_add(_LAST_PACKETS_MS, self._loop.quit)
        return Gst.PadProbeReturn.OK

    def _heard(self, _bus: Any, message: Any) -> None:
        if message.type == Gst.MessageType.ERROR:
            print(message.parse_error(), file=sys.stderr)
            self._loop.quit()


if __name__ == "__main__":
    WhipPublisher(*sys.argv[1:]).run()
