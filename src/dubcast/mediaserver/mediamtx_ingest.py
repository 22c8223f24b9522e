"""By what publishers may send to MediaMTX, as its config says it. Pure."""

from __future__ import annotations

from typing import Any

from dubcast.addresses import host_port, is_this_machine
from dubcast.config import IngestSettings, MediaServerSettings
from dubcast.errors import ConfigError
from dubcast.mediaserver.ways_in import Way

# Between server and worker, which are near each other: time to send again what was lost.
_SRT_LATENCY_MS = 200
_THIS_MACHINE = "127.0.0.1"


def protocols(settings: MediaServerSettings) -> dict[str, Any]:
    """The listeners. Raises ConfigError for a protocol that lacks what it needs."""
    return {**_rtmp(settings), **_rtsp(settings), **_srt(settings), **_webrtc(settings)}


def of_path(settings: MediaServerSettings) -> dict[str, Any]:
    """What holds for the paths that publishers send to."""
    # Of RTSP and WebRTC the server tells the publisher's own clock on, which is what says how sound
    # and picture belong together; by arrival they were up to 0.5 s apart.
    found: dict[str, Any] = {"useAbsoluteTimestamp": True}
    phrase = settings.ingest.srt_passphrase
    if phrase is not None:
        found["srtPublishPassphrase"] = phrase.get_secret_value()
    return found


def read_url(settings: MediaServerSettings, way: Way, path: str) -> str:
    """Where a worker reads `path` by one of the protocols."""
    if way == "srt":
        address = host_port(settings.host, settings.ingest.srt_port)
        return f"srt://{address}?mode=caller&latency={_SRT_LATENCY_MS}&streamid=read:{path}"
    port = settings.rtsp_port if way == "rtsp" else settings.rtmp_port
    return f"{way}://{host_port(settings.host, port)}/{path}"


def _rtmp(settings: MediaServerSettings) -> dict[str, Any]:
    own = settings.ingest
    found: dict[str, Any] = {
        "rtmp": True,
        "rtmpAddress": host_port(_bind(settings, "rtmp"), settings.rtmp_port),
    }
    if "rtmps" in own.protocols:
        if own.certificate is None:
            raise ConfigError("media_server.ingest.certificate: rtmps needs one")
        found["rtmpEncryption"] = "optional"
        found["rtmpsAddress"] = host_port(settings.bind, own.rtmps_port)
        found |= _certified("rtmp", own)
    return found


def _rtsp(settings: MediaServerSettings) -> dict[str, Any]:
    bind, port = _bind(settings, "rtsp"), settings.ingest.rtp_port
    found = {"rtsp": True, "rtspAddress": host_port(bind, settings.rtsp_port)}
    if "rtsp" not in settings.ingest.protocols:
        return {**found, "rtspTransports": ["tcp"]}
    return {
        **found,
        "rtspTransports": ["tcp", "udp"],
        "rtpAddress": host_port(bind, port),
        "rtcpAddress": host_port(bind, port + 1),
    }


def _srt(settings: MediaServerSettings) -> dict[str, Any]:
    if "srt" not in settings.ingest.protocols:
        return {"srt": False}
    return {"srt": True, "srtAddress": host_port(settings.bind, settings.ingest.srt_port)}


def _webrtc(settings: MediaServerSettings) -> dict[str, Any]:
    own = settings.ingest
    if "webrtc" not in own.protocols:
        if settings.whep:
            raise ConfigError("media_server.whep: needs `webrtc` in media_server.ingest.protocols")
        return {"webrtc": False}
    hosts = list(own.webrtc_hosts)
    if not hosts and is_this_machine(settings.bind):
        hosts = [settings.bind]  # of interfaces only those are told that others reach
    found = {
        "webrtc": True,
        "webrtcAddress": host_port(own.webrtc_bind or settings.bind, own.webrtc_port),
        "webrtcLocalUDPAddress": host_port(settings.bind, own.webrtc_udp_port),
        "webrtcIPsFromInterfaces": not is_this_machine(settings.bind),
        "webrtcAdditionalHosts": hosts,
        # Else any page that somebody looks at here could publish, and look at what is on air.
        "webrtcAllowOrigins": list(own.webrtc_origins),
    }
    if own.certificate is not None:
        found |= {"webrtcEncryption": True, **_certified("webrtc", own)}
    return found


def _certified(protocol: str, own: IngestSettings) -> dict[str, str]:
    if own.certificate_key is None:
        raise ConfigError("media_server.ingest.certificate_key: the certificate needs it")
    return {
        f"{protocol}ServerCert": str(own.certificate),
        f"{protocol}ServerKey": str(own.certificate_key),
    }


def _bind(settings: MediaServerSettings, protocol: str) -> str:
    """Where a protocol that dubcast itself needs listens: if it is off, to this machine alone."""
    return settings.bind if protocol in settings.ingest.protocols else _THIS_MACHINE
