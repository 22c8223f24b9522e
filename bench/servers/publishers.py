"""Publishers by each protocol: what they send, and how they are started."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from pathlib import Path

from dubcast.addresses import host_port
from dubcast.config import MediaServerSettings
from dubcast.contract.ids import ingest_path
from dubcast.measure.recording import ffmpeg_program
from dubcast.testing.media import run_ffmpeg

_WHIP = Path(__file__).with_name("whip_publisher.py")
# How ffmpeg encodes a sound, and the file that holds it beside H.264.
SOUNDS = {
    "aac": ("flv", ("-c:a", "aac", "-b:a", "128k")),
    "mp3": ("mkv", ("-c:a", "libmp3lame", "-b:a", "128k")),
    "opus": ("mkv", ("-c:a", "libopus", "-b:a", "96k")),
    "g711": ("mkv", ("-c:a", "pcm_mulaw", "-ar", "8000", "-ac", "1")),
    "lpcm": ("mkv", ("-c:a", "pcm_s16be")),
    "ac3": ("mkv", ("-c:a", "ac3", "-b:a", "192k")),
}
_PICTURES = {
    "h264": "-c:v libx264 -preset ultrafast -pix_fmt yuv420p",
    "hevc": "-c:v libx265 -preset ultrafast -x265-params log-level=none:bframes=0",
    "av1": "-c:v libaom-av1 -usage realtime -cpu-used 8",
    "vp8": "-c:v libvpx -deadline realtime -cpu-used 8",
    "vp9": "-c:v libvpx-vp9 -deadline realtime -cpu-used 8",
}


@dataclass(frozen=True)
class Ingest:
    """What a publisher sends, and by what."""

    protocol: str
    audio: str = "aac"
    bframes: bool = False
    video: str = "h264"
    mark: str = ""  # sets its stream apart from one that is sent the same

    @property
    def name(self) -> str:
        """Also its stream's id."""
        parts = (self.protocol, self.video, self.audio, "b" if self.bframes else "p", self.mark)
        return "-".join(filter(None, parts))


def coded(ingest: Ingest, clip: Path, folder: Path, seconds: float) -> Path:
    """The beginning of a clip as this publisher sends it. Raises MediaError."""
    sound = "aac" if ingest.protocol == "whip" else ingest.audio  # made of it as it is sent
    container, encoder = SOUNDS[sound]
    container = container if ingest.video == "h264" else "mkv"
    out = folder / f"{ingest.video}-{sound}-{'b' if ingest.bframes else 'p'}.{container}"
    if out.exists():
        return out
    picture = ("-vf", "scale=320:180", "-g", "60", "-bf", "2" if ingest.bframes else "0")
    codec = (*_PICTURES[ingest.video].split(), "-b:v", "400k", "-threads", "1")
    run_ffmpeg(["-i", str(clip), "-t", f"{seconds:g}", *picture, *codec, *encoder, str(out)])
    return out


def command(ingest: Ingest, file: Path, server: MediaServerSettings) -> list[str]:
    """What publishes `file` in real time."""
    path = ingest_path(ingest.name)
    if ingest.protocol == "whip":
        url = f"http://{host_port(server.host, server.ingest.webrtc_port)}/{path}/whip"
        sound = _WHIP_SOUNDS[ingest.audio]
        return [sys.executable, str(_WHIP), str(file), url, sound, ingest.video]
    argv = [ffmpeg_program(), "-hide_banner", "-loglevel", "warning", "-nostdin", "-re"]
    # MediaMTX takes one frame of AC-3 a packet; ffmpeg packs three, unless it is told.
    single = ["-pes_payload_size", "0"] if (ingest.protocol, ingest.audio) == ("srt", "ac3") else []
    target = _target(ingest.protocol, path, server)
    return [*argv, "-i", str(file), "-c", "copy", *single, *target]


_WHIP_SOUNDS = {"opus": "opus", "g711": "pcmu"}


def _target(protocol: str, path: str, server: MediaServerSettings) -> list[str]:
    if protocol == "rtmp":
        return ["-f", "flv", f"rtmp://{host_port(server.host, server.rtmp_port)}/{path}"]
    if protocol == "srt":
        address = host_port(server.host, server.ingest.srt_port)
        return ["-f", "mpegts", f"srt://{address}?streamid=publish:{path}&pkt_size=1316"]
    transport = protocol.removeprefix("rtsp-")
    url = f"rtsp://{host_port(server.host, server.rtsp_port)}/{path}"
    # ffmpeg calls VP9 by RTP experimental.
    return ["-strict", "-2", "-f", "rtsp", "-rtsp_transport", transport, url]
