"""Settings of what publishers may send by."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import AfterValidator, Field

from dubcast.config.secret import Secret
from dubcast.config.values import Host, Key, Port, Section, UserPath

IngestProtocol = Literal["rtmp", "rtmps", "rtsp", "srt", "webrtc"]
# SRT takes no others (its handshake, "Key Material").
_SHORTEST, _LONGEST = 10, 79


def _passphrase(key: Secret) -> Secret:
    if not _SHORTEST <= len(key.get_secret_value()) <= _LONGEST:
        raise ValueError(f"must have {_SHORTEST} to {_LONGEST} characters")
    return key


def _even(port: int) -> int:
    if port % 2:
        raise ValueError("must be even: RTCP has the port behind it")
    return port


class IngestSettings(Section):
    """MediaMTX: by what publishers may send, and where. The embedded server takes RTMP alone."""

    protocols: tuple[IngestProtocol, ...] = Field(
        ("rtmp", "rtsp", "srt", "webrtc"),
        description="those that publishers reach. rtmp and rtsp: without them their ports are open "
        "to this machine alone, where dubcast needs them",
    )
    rtmps_port: Port = 1936
    rtp_port: Annotated[Port, AfterValidator(_even)] = Field(
        8000, description="rtsp by UDP: its media; RTCP has the port behind it"
    )
    srt_port: Port = Field(8890, description="srt: UDP")
    srt_passphrase: Annotated[Key, AfterValidator(_passphrase)] | None = Field(
        None, description="srt: publishers must encrypt with this, 10 to 79 characters"
    )
    webrtc_port: Port = Field(8889, description="webrtc: HTTP, where WHIP is asked for")
    webrtc_bind: Host | None = Field(
        None, description="webrtc: address of the HTTP port, behind a proxy; default: `bind`"
    )
    webrtc_udp_port: Port = Field(8189, description="webrtc: UDP, its media")
    webrtc_hosts: tuple[Host, ...] = Field(
        (), description="webrtc: names or addresses at which publishers reach this machine"
    )
    webrtc_origins: tuple[str, ...] = Field(
        (),
        description="webrtc: whose pages may publish and look, as https://studio.example; "
        "MediaMTX's own always may",
    )
    certificate: UserPath | None = Field(
        None, description="rtmps, and WHIP by HTTPS: certificate (PEM); needs its key"
    )
    certificate_key: UserPath | None = Field(None, description="the certificate's key (PEM)")
