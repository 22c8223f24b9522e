"""What language a stream speaks, by what its fragments were taken for. Pure.

It changes slowly: more speech in another language is needed than one fragment holds, so that no
sentence, quotation or mistake of the recognizer's flips a stream. Who dubs the next fragment weighs
its language by it; a sentence that is surely in another is taken for what it is all the same.
"""

from __future__ import annotations

from dataclasses import dataclass

# More than a fragment's longest, so that no single one undoes what is settled.
_MOST_S = 12.0
# So much speech tells what is spoken.
_SETTLED_S = 2.0
# A fragment that the recognizer is less sure of tells nothing.
_SURE = 0.5


@dataclass(frozen=True)
class SpokenLanguage:
    """The language so far, a tag; empty before the first word.

    `held_s`: how much speech speaks for it, in seconds, more than for others since.
    """

    tag: str = ""
    held_s: float = 0.0

    def heard(self, tag: str, probability: float, speech_s: float) -> SpokenLanguage:
        """With one more fragment that was taken for a language."""
        if probability < _SURE or speech_s <= 0:
            return self
        weight_s = probability * speech_s
        if tag == self.tag:
            return SpokenLanguage(tag, min(_MOST_S, self.held_s + weight_s))
        left_s = self.held_s - weight_s
        return SpokenLanguage(self.tag, left_s) if left_s > 0 else SpokenLanguage(tag, -left_s)

    @property
    def settled(self) -> str:
        """The tag, once enough was said in it; empty before."""
        return self.tag if self.held_s >= _SETTLED_S else ""
