"""Text to phonemes for Kokoro, with espeak-ng run as a separate program (it is GPL).

espeak-ng drops punctuation, which Kokoro needs for its prosody. So the text is cut at punctuation,
the pieces go through the program, and the marks are put back (as phonemizer's
`preserve_punctuation` does).
"""

from __future__ import annotations

import re
import shutil
from collections.abc import Sequence

from dubcast.errors import MissingPartError
from dubcast.languages.language import Variety
from dubcast.sts.providers.espeak import EspeakPool

# Marks at which a voice breathes: only before a space or the end, so that 3.14 and 10:30 are
# whole; quotes and brackets anywhere.
_PUNCTUATION = re.compile(r'([;:,.!?…]+(?=["”’)\]]*(?:\s|$))|\.{3}|\s[-–—]+\s|[—…"“”«»()\[\]¡¿]+)')
# Marks of other scripts, as the voices learned them.
_OWN_MARKS = str.maketrans(
    {
        **{"।": ". ", "。": ". ", "！": "! ", "？": "? ", "、": ", ", "，": ", ", "；": "; "},
        **{"؟": "? ", "،": ", ", "؛": "; "},
    }
)
# espeak-ng marks words that it reads in another language, and ties the letters of the marks too:
# (^e^n)weekend(^p^t-^b^r).
_LANGUAGE_SWITCH = re.compile(r"\((?:\^?[a-z0-9-])+\)")
_MARKS = {"«": "“", "»": "”", "[": "(", "]": ")", "...": "…", "-": "—", "–": "—", "¡": "", "¿": ""}

# Kokoro's symbols for what espeak-ng ties together (hexgrad/misaki, `espeak.py`); what differs by
# language is in the language's own file.
_TIED = {
    "a^ɪ": "I",
    "a^ʊ": "W",
    "d^z": "ʣ",
    "d^ʒ": "ʤ",
    "e^ɪ": "A",
    "o^ʊ": "O",
    "s^s": "S",
    "ə^ʊ": "Q",
    "t^s": "ʦ",
    "t^ʃ": "ʧ",
    "ɔ^ɪ": "Y",
}


class Espeak:
    """Runs `espeak-ng`. Raises MissingPartError on creation if there is none.

    Safe to use from several threads.
    """

    def __init__(self) -> None:
        program = shutil.which("espeak-ng")
        if program is None:
            raise MissingPartError(
                "the program espeak-ng is missing: install the package espeak-ng of your system"
            )
        self._pool = EspeakPool(program)

    def phonemes(self, text: str, variety: Variety) -> str:
        """Phonemes of `text`, spoken as in `variety`, in Kokoro's alphabet.

        Raises RuntimeError if the program fails.
        """
        return " ".join(translate(self.ipa(text, variety.espeak), variety).split())

    def ipa(self, text: str, voice: str) -> str:
        """Phonemes of `text` with its punctuation, as espeak-ng's `voice` says them; `^` ties.

        Raises RuntimeError if the program fails.
        """
        pieces = split(text)
        spoken = [i for i, (piece, mark) in enumerate(pieces) if not mark and piece.strip()]
        sounds = dict(zip(spoken, self._lines([pieces[i][0] for i in spoken], voice), strict=True))
        joined = "".join(
            plain(sounds[i]) if i in sounds else piece for i, (piece, _) in enumerate(pieces)
        )
        return " ".join(joined.split())

    def close(self) -> None:
        """End its processes; it may be used again."""
        self._pool.close()

    def _lines(self, pieces: Sequence[str], voice: str) -> list[str]:
        """Phonemes of each piece, with the spaces around it kept."""
        lines = self._pool.lines(pieces, voice) if pieces else []
        return [
            (" " if piece[0].isspace() else "") + line + (" " if piece[-1].isspace() else "")
            for piece, line in zip(pieces, lines, strict=True)
        ]


def split(text: str) -> list[tuple[str, bool]]:
    """The text in pieces: (piece, whether it is punctuation)."""
    parts = _PUNCTUATION.split(" ".join(text.translate(_OWN_MARKS).split()))
    return [(part, i % 2 == 1) for i, part in enumerate(parts) if part]


def plain(sounds: str) -> str:
    """espeak-ng's phonemes without its notes: which language a word is read in, and hyphens, which
    are no pause.
    """
    return _LANGUAGE_SWITCH.sub("", sounds).replace("-", "")


def translate(sounds: str, variety: Variety) -> str:
    """espeak-ng's IPA and punctuation in Kokoro's alphabet."""
    table = {**_TIED, **dict(variety.misaki), **_MARKS}
    for old in sorted(table, key=len, reverse=True):
        sounds = sounds.replace(old, table[old])
    return sounds.replace("^", "")
