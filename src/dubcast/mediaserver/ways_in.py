"""By which protocol a path is read, so that none of its tracks is lost. Pure.

Chosen from the tracks that the server lists, by what was measured on MediaMTX:

- A publisher that came by RTSP or WebRTC is read by RTSP, which alone tells its clock: its tracks
  are in step by sender reports. By another protocol they would be as they arrived.
- All others have true timestamps by RTMP and SRT alone: by RTSP the picture would be off by as much
  as its B-frames are reordered. RTMP, unless it would leave a track out: plain RTMP has no tag for
  Opus and AC-3, and of MPEG audio it takes layer 3 alone.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import Literal

Way = Literal["rtmp", "rtsp", "srt"]
_BY_RTP = frozenset({"rtspSession", "rtspsSession", "webRTCSession"})
_BY_RTMP = frozenset({"rtmpConn", "rtmpsConn"})
_PICTURE = "H264"
_MPEG_AUDIO = "MPEG-1/2 Audio"
_AAC = frozenset({"MPEG-4 Audio", "MPEG-4 Audio LATM"})
# MediaMTX's names of what the worker decodes; AC-3 has had two.
_SOUND = _AAC | {_MPEG_AUDIO, "AC-3", "AC3", "G711", "G722", "LPCM", "Opus"}
_IN_RTMP = _AAC | {_PICTURE, "G711", "LPCM"}
_IN_MPEG_TS = _AAC | {_PICTURE, _MPEG_AUDIO, "AC-3", "AC3", "Opus"}
_OTHER_VIDEO = {
    "AV1": "AV1",
    "H265": "HEVC (H.265)",
    "M-JPEG": "Motion JPEG",
    "MPEG-1/2 Video": "MPEG-2",
    "MPEG-4 Video": "MPEG-4 part 2",
    "VP8": "VP8",
    "VP9": "VP9",
}
_OTHER_SOUND = frozenset({"FLAC", "G726", "Speex", "Vorbis"})


@dataclass(frozen=True)
class TrackFault:
    """What is wrong with a source: a reason code of streams, and words with the way out."""

    reason: str
    message: str


NO_VIDEO = TrackFault("no_video", "the publisher sends no picture")
NO_AUDIO = TrackFault("no_audio", "the publisher sends no sound: there is nothing to dub")


def way_in(source_type: str, tracks: Collection[str], *, has_srt: bool) -> Way:
    """What reads a source of this type (as the server names it) with these tracks."""
    if source_type in _BY_RTP:
        return "rtsp"
    carried = {one for one in tracks if one == _PICTURE or one in _SOUND}
    layer_three = {_MPEG_AUDIO} if source_type in _BY_RTMP else set()
    if carried <= _IN_RTMP | layer_three:
        return "rtmp"
    return "srt" if has_srt and carried <= _IN_MPEG_TS else "rtsp"


def refusal(tracks: Collection[str]) -> TrackFault | None:
    """Why a source with these tracks cannot be served; None if it can."""
    others = [_OTHER_VIDEO[one] for one in tracks if one in _OTHER_VIDEO]
    if others and _PICTURE not in tracks:
        return TrackFault(
            "video_codec",
            f"the source's video is {others[0]}; RTMP output needs H.264: set the encoder (in a "
            "browser: the publishing page) to H.264",
        )
    sounds = [one for one in tracks if one in _OTHER_SOUND]
    if sounds and not any(one in _SOUND for one in tracks):
        return TrackFault(
            "audio_codec",
            f"the source's audio is {sounds[0]}, which is not decoded: set the encoder to AAC",
        )
    return None


def missing(tracks: Collection[str]) -> TrackFault | None:
    """What a source with these tracks lacks; None if nothing, or if they are not known."""
    if not tracks:
        return None
    if _PICTURE not in tracks:
        return NO_VIDEO
    if not any(one in _SOUND for one in tracks):
        return NO_AUDIO
    return None
