"""What is written and not said: pictures, tags, and what captions tell about sounds. Pure."""

from __future__ import annotations

import functools
import re
import unicodedata

_WORD = r"[^\W\d_]+(?:['’-][^\W\d_]+){0,3}"
_TAG = re.compile(r"</?(?:b|i|u|s|em|strong|br|p|span|font|small|sub|sup)\b[^<>]{0,80}>", re.I)
# In square brackets captions tell of sounds, where a sentence begins or ends; within one, somebody
# mended it: it [really] works.
_SQUARE = rf"\[\s?{_WORD}(?: {_WORD}){{0,2}}\s?\]"
_CUE = rf"(?:^|(?<=[.!?…:;\"”»\]] )){_SQUARE}|{_SQUARE}(?=[.!?…]?$)"


def without_asides(text: str, cues: str) -> str:
    """The text without what nobody says; `cues`: a pattern of what stands in any brackets for a
    sound: `laughs`.
    """
    plain = "".join(" " if _is_picture(char) else char for char in text)
    plain = " ".join(_TAG.sub(" ", plain).split())
    return _cue(cues).sub(" ", plain)


@functools.cache
def _cue(cues: str) -> re.Pattern[str]:
    return re.compile(rf"{_CUE}|[(\[*]\s?(?:{cues})\s?[)\]*]", re.IGNORECASE)


def _is_picture(char: str) -> bool:
    """Emoji and what joins them; dingbats are pictures too."""
    kept = char in "°№" or ord(char) < 0x2000
    return not kept and (
        unicodedata.category(char) in ("So", "Sk", "Cs", "Co", "Cn", "Cf")
        or 0xFE00 <= ord(char) <= 0xFE0F
        or char == "\u20e3"
    )
