"""How fast voices speak. Pure."""

from __future__ import annotations

from dubcast.languages.language import Language

_PRIOR_WEIGHT = 4.0
_FORGET = 0.95
# A short text says little about a voice's pace: pauses and rounding dominate.
_LEAST_CHARS = 12


class Pace:
    """How fast each voice speaks, learned from what it has said; at first its language's pace."""

    def __init__(self) -> None:
        self._voices: dict[str, tuple[float, float]] = {}

    def cps(self, voice: str, language: Language) -> float:
        """Characters per second of `voice` at its natural speed."""
        chars, seconds = self._voices.get(voice, (0.0, 0.0))
        return (chars + language.chars_per_s * _PRIOR_WEIGHT) / (seconds + _PRIOR_WEIGHT)

    def predict_s(self, text: str, voice: str, language: Language) -> float:
        """How long `voice` will take for the text, in seconds."""
        return len(text) / self.cps(voice, language)

    def learn(self, text: str, voice: str, seconds: float) -> None:
        """The voice took `seconds` for the text; what is long ago counts less."""
        if len(text) >= _LEAST_CHARS and seconds > 0:
            chars, total = self._voices.get(voice, (0.0, 0.0))
            self._voices[voice] = (chars * _FORGET + len(text), total * _FORGET + seconds)
