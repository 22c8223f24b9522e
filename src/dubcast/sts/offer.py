"""What the service offers by what its providers can do: directions, voices, and the choice."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from dubcast.contract.sts import FragmentConfig
from dubcast.errors import StsError
from dubcast.languages import catalogue
from dubcast.languages.language import Language
from dubcast.sts.glossary import EMPTY, Glossary
from dubcast.sts.providers.interface import Voice


@dataclass(frozen=True)
class Choice:
    """What a request asks for, checked against what there is."""

    source: Language
    target: Language
    voice: Voice
    glossary: Glossary = EMPTY


class Offer:
    """The directions that can be dubbed and the voices that can speak.

    `pairs`: those of the translation as (source, target) tags; `voices`: those of the synthesis.
    A direction is offered if both languages are known and a voice speaks the target.
    """

    def __init__(self, pairs: Iterable[tuple[str, str]], voices: Iterable[Voice]) -> None:
        self.voices = tuple(voices)
        tags = {language.tag for language in catalogue.known()}
        self.pairs = tuple(
            (source, target)
            for source, target in sorted(pairs)
            if {source, target} <= tags and any(voice.speaks(target) for voice in self.voices)
        )

    def choose(self, config: FragmentConfig) -> Choice:
        """What a request asks for. Raises StsError INVALID_INPUT, which lists the choices."""
        source, target = self.pair(config.source_language, config.target_language)
        return Choice(source, target, self.voice(config.voice_profile, target))

    def pair(self, source: str, target: str) -> tuple[Language, Language]:
        """The languages that a caller names. Raises StsError INVALID_INPUT with the pairs."""
        one, other = catalogue.find(source), catalogue.find(target)
        if one is not None and other is not None and (one.tag, other.tag) in self.pairs:
            return one, other
        listed = ", ".join(f"{a} -> {b}" for a, b in self.pairs)
        raise StsError(
            "INVALID_INPUT",
            f"cannot dub {source!r} into {target!r}; there are: {listed}",
            retryable=False,
        )

    def voice(self, wanted: str, language: Language) -> Voice:
        """The voice that a caller names, or the language's default for `default`.

        The default is the voice that its provider calls so, else the first that speaks the
        language. Raises StsError INVALID_INPUT with the voices that speak it.
        """
        fitting = [voice for voice in self.voices if voice.speaks(language.tag)]
        ranked = sorted(fitting, key=lambda voice: not voice.default)
        for voice in ranked:
            if wanted in (voice.name, "default"):
                return voice
        names = ", ".join(["default", *(voice.name for voice in fitting)] if fitting else ["none"])
        raise StsError(
            "INVALID_INPUT",
            f"voice_profile {wanted!r} does not speak {language.tag}; there are: {names}",
            retryable=False,
        )
