"""Looks at a stream by WHEP, as a browser would: `whep_viewer.py URL SECONDS`.

Prints how many packets of `video` and `audio` came, as JSON; exit code 1 if the server refuses.
Needs gstreamer1.0-nice and gir1.2-gst-plugins-bad-1.0 (webrtcbin, and its types).
"""

from __future__ import annotations

import json
import sys
import threading
import urllib.error
import urllib.request
from collections import Counter
from typing import Any

import gi

gi.require_version("Gst", "1.0")
gi.require_version("GstSdp", "1.0")
gi.require_version("GstWebRTC", "1.0")
from gi.repository import GLib, Gst, GstSdp, GstWebRTC  # noqa: E402

from dubcast.worker.gst.pipeline import init, make  # noqa: E402

_WANTED = (
    "application/x-rtp,media=video,encoding-name=H264,payload=96,clock-rate=90000,"
    "packetization-mode=(string)1,profile-level-id=(string)42e01f",
    "application/x-rtp,media=audio,encoding-name=OPUS,payload=97,clock-rate=48000,"
    "encoding-params=(string)2",
)


class WhepViewer:
    """One look; `run` returns the packets of each kind."""

    def __init__(self, url: str) -> None:
        init()
        self._url = url
        self._seen: Counter[str] = Counter()
        self._loop = GLib.MainLoop()
        self._pipeline = Gst.Pipeline()
        self._peer = make("webrtcbin", bundle_policy=GstWebRTC.WebRTCBundlePolicy.MAX_BUNDLE)
        self._pipeline.add(self._peer)
        for caps in _WANTED:
            direction = GstWebRTC.WebRTCRTPTransceiverDirection.RECVONLY
            self._peer.emit("add-transceiver", direction, Gst.Caps.from_string(caps))
        self._peer.connect("on-negotiation-needed", self._make_offer)
        self._peer.connect("notify::ice-gathering-state", self._gathered)
        self._peer.connect("pad-added", self._came)

    def run(self, seconds: float) -> Counter[str]:
        GLib.timeout_add(round(seconds * 1000), self._loop.quit)
        self._pipeline.set_state(Gst.State.PLAYING)
        self._loop.run()
        self._pipeline.set_state(Gst.State.NULL)
        return self._seen

    def _make_offer(self, *_: Any) -> None:
        made = Gst.Promise.new_with_change_func(self._offer_made)
        self._peer.emit("create-offer", None, made)

    def _offer_made(self, promise: Any, *_: Any) -> None:
        promise.wait()
        reply = promise.get_reply()
        self._peer.emit("set-local-description", reply.get_value("offer"), None)

    def _gathered(self, *_: Any) -> None:
        state = self._peer.get_property("ice-gathering-state")
        if state == GstWebRTC.WebRTCICEGatheringState.COMPLETE:
            offer = self._peer.get_property("local-description").sdp.as_text()
            threading.Thread(target=self._post, args=(offer,), daemon=True).start()

    def _post(self, offer: str) -> None:
        headers = {"Content-Type": "application/sdp"}
        request = urllib.request.Request(self._url, offer.encode(), headers)
        try:
            with urllib.request.urlopen(request, timeout=10) as reply:
                _, answer = GstSdp.SDPMessage.new_from_text(reply.read().decode())
        except (OSError, urllib.error.HTTPError) as error:
            print(error, file=sys.stderr)
            self._seen["refused"] += 1
            self._loop.quit()
            return
        kind = GstWebRTC.WebRTCSDPType.ANSWER
        description = GstWebRTC.WebRTCSessionDescription.new(kind, answer)
        self._peer.emit("set-remote-description", description, None)

    def _came(self, _peer: Any, pad: Any) -> None:
        media = pad.get_current_caps().get_structure(0).get_string("media")
        sink = make("appsink", sync=False, async_=False, emit_signals=False, max_buffers=1)
        sink.set_property("drop", True)
        self._pipeline.add(sink)
        sink.sync_state_with_parent()

        def count(_pad: Any, _info: Any) -> Any:
            self._seen[media] += 1
            return Gst.PadProbeReturn.OK

        pad.add_probe(Gst.PadProbeType.BUFFER, count)
        pad.link(sink.get_static_pad("sink"))


if __name__ == "__main__":
    seen = WhepViewer(sys.argv[1]).run(float(sys.argv[2]))
    print(json.dumps(seen))
    sys.exit(1 if seen["refused"] else 0)
