"""What an FLV source carries and flvdemux gives up on without naming it. Pure.

Enhanced RTMP puts a FourCC where the codec's number was (Veovera, "Enhanced RTMP" v1 and v2);
flvdemux of GStreamer 1.22 knows no such tag, nor HEVC by its number in use before that.
"""

from __future__ import annotations

from dubcast.probe import flv

_ENHANCED_VIDEO = 0x80
_ENHANCED_AUDIO = 9
_MOST_BYTES = 2_000_000

_PLAIN_RTMP = (
    "the source's video comes by enhanced RTMP, which is not read: switch that off in the encoder"
)

Refusal = tuple[str, str]  # a reason code, and words with the way out


def video_refusal(codec: str) -> Refusal:
    """Of a source whose video is not H.264."""
    return (
        "video_codec",
        f"the source's video is {codec}; RTMP output needs H.264: set the encoder to H.264",
    )


def audio_refusal(codec: str) -> Refusal:
    """Of a source whose audio has no decoder."""
    return (
        "audio_codec",
        f"the source's audio is {codec}, which is not decoded: set the encoder to AAC",
    )


class FirstTags:
    """Takes a source's bytes until both tracks were seen, or enough; then `done` is true."""

    def __init__(self) -> None:
        self.done = False
        self._parser = flv.FlvParser()
        self._kinds: set[int] = set()
        self._size = 0

    def feed(self, data: bytes) -> Refusal | None:
        """Why this source must be refused, as soon as a tag says so.

        Bytes that are not FLV end the look: flvdemux says what it thinks of them.
        """
        self._size += len(data)
        try:
            tags = self._parser.feed(data)
        except flv.FlvError:
            self.done = True
            return None
        for tag in tags:
            refusal = _refusal(tag)
            if refusal is not None:
                self.done = True
                return refusal
            self._kinds.add(tag.kind)
        self.done = self._kinds >= {flv.AUDIO, flv.VIDEO} or self._size > _MOST_BYTES
        return None


def _refusal(tag: flv.Tag) -> Refusal | None:
    head = tag.body[:1]
    if tag.kind == flv.VIDEO and head:
        packet = flv.video_packet(tag)
        if packet is not None and packet.codec != "h264":
            return video_refusal(packet.codec)
        if head[0] & _ENHANCED_VIDEO:
            return "video_codec", _PLAIN_RTMP
    if tag.kind == flv.AUDIO and head and head[0] >> 4 == _ENHANCED_AUDIO:
        return audio_refusal(f"{tag.body[1:5].decode('latin-1')} by enhanced RTMP")
    return None
