"""Which tags of an RTMP source reach flvdemux, and which sources are refused. Pure.

flvdemux of GStreamer 1.22 ends at a tag that it does not know, and names nothing. Such tags come
from enhanced RTMP, which puts a FourCC where the codec's number was (Veovera, "Enhanced RTMP" v1
and v2), or from one damaged byte; and a media server sends that again from the GOP that it keeps.
So of a source the first tags are looked at, and after an end that damage may explain it is read
again with care: to look at every tag costs a tenth of the worker.
"""

from __future__ import annotations

from dubcast import flv

_ENHANCED_VIDEO = 0x80
_ENHANCED_AUDIO = 9
_MOST_BYTES = 2_000_000
# About a second of either track without one that is right: that is no damage.
_ALL_WRONG = 30
_LONGEST_AAC_CONFIG = 64

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
    """Takes a source's bytes until both tracks were seen, or enough; then `done` is true.

    `headers`: takes the sequence headers seen, by the kind of their tag.
    """

    def __init__(self, headers: dict[int, bytes] | None = None) -> None:
        self.done = False
        self._headers = {} if headers is None else headers
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
            if _is_header(tag):
                self._headers[tag.kind] = flv.encode(tag)
        self.done = self._kinds >= {flv.AUDIO, flv.VIDEO} or self._size > _MOST_BYTES
        return None


def _refusal(tag: flv.Tag) -> Refusal | None:
    head = tag.body[:1]
    if tag.kind == flv.VIDEO and head:
        packet = flv.video_packet(tag)
        if packet is not None and packet.codec != "h264":
            return video_refusal(_named(packet.codec))
        if head[0] & _ENHANCED_VIDEO:
            return "video_codec", _PLAIN_RTMP
    if tag.kind == flv.AUDIO and head and head[0] >> 4 == _ENHANCED_AUDIO:
        return audio_refusal(f"{_named(tag.body[1:5].decode('latin-1'))} by enhanced RTMP")
    return None


def _named(codec: str) -> str:
    return codec if codec.isascii() and codec.isprintable() else "of an unknown codec"


class TagGuard:
    """Looks at every tag: what cannot be right is dropped. `refusal` is set if nothing is right.

    `headers`: the sequence headers of an earlier read. A server keeps the latest for its readers,
    and a damaged tag may have taken its place.
    """

    def __init__(self, headers: dict[int, bytes] | None = None) -> None:
        self._headers = {} if headers is None else headers
        self._without = {flv.VIDEO, flv.AUDIO}  # kinds whose header has not come yet
        self.refusal: Refusal | None = None
        self._wrong = {flv.VIDEO: 0, flv.AUDIO: 0}  # of each kind, before the first that is right
        self._good: set[int] = set()
        self._sound = flv.AAC

    def takes(self, tag: flv.Tag) -> bool:
        """Whether this tag goes on."""
        if tag.kind == flv.SCRIPT:
            return True
        if _is_avc(tag.body) if tag.kind == flv.VIDEO else _is_sound(tag.body, self._sound):
            self._good.add(tag.kind)
            if _is_header(tag):
                self._without.discard(tag.kind)
            return True
        if tag.kind not in self._good:
            self._wrong[tag.kind] += 1
            if self._wrong[tag.kind] >= _ALL_WRONG:
                self._believe_all_of_a_kind(tag)
        return False

    def missing(self, tag: flv.Tag) -> bytes | None:
        """The header, as a tag, that has to go before this tag and has not come; told once."""
        if tag.kind not in self._without or tag.kind not in self._headers or _is_header(tag):
            return None
        self._without.discard(tag.kind)
        return self._headers[tag.kind]

    def _believe_all_of_a_kind(self, tag: flv.Tag) -> None:
        """So many are no damage: the source is of that kind, and refused or taken as it is."""
        self.refusal = self.refusal or _refusal(tag)
        if tag.kind == flv.AUDIO and self.refusal is None and tag.body:
            self._sound = tag.body[0] >> 4


def _is_header(tag: flv.Tag) -> bool:
    """A sequence header of H.264 or AAC that is right and not empty."""
    kind, body = tag.kind, tag.body
    if len(body) < 4 or body[1] != 0:
        return False
    return _is_avc(body) if kind == flv.VIDEO else kind == flv.AUDIO and _is_sound(body, flv.AAC)


def _is_avc(body: bytes) -> bool:
    """A picture or a sequence header of H.264, as far as its first bytes tell."""
    if len(body) < 6 or body[0] & 0x8F != flv.AVC or not 1 <= body[0] >> 4 <= 5:
        return False
    if body[1] != 0:
        return body[1] <= 2
    # The version and the reserved bits of an AVCDecoderConfigurationRecord (ISO/IEC 14496-15).
    return len(body) > 10 and body[5] == 1 and body[9] >= 0xFC and body[10] >= 0xE0


def _is_sound(body: bytes, codec: int) -> bool:
    """A frame of this codec, or AAC's configuration, as far as its first bytes tell."""
    if len(body) < 2 or body[0] >> 4 != codec:
        return False
    if codec != flv.AAC or body[1] == 1:
        return len(body) > 2
    if body[1] != 0 or len(body) > 2 + _LONGEST_AAC_CONFIG:
        return False
    try:
        return len(body) < 4 or 0 < flv.parse_audio_config(body[2:]).channels <= 8
    except flv.FlvError:
        return False
