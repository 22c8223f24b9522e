"""What the service offers by what its providers can do: directions, voices, and the choice."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

from dubcast.contract.sts import AUTO, FragmentConfig
from dubcast.errors import StsError
from dubcast.languages import catalogue
from dubcast.languages.language import Language
from dubcast.sts.glossary import EMPTY, Glossary
from dubcast.sts.providers.interface import (
    AsrCapabilities,
    Capabilities,
    MtCapabilities,
    TtsCapabilities,
    Voice,
)


@dataclass(frozen=True)
class Choice:
    """What a request asks for, checked against what there is.

    `sources`: what may be spoken; one, or several if it is to be heard (`named` is False then).
    """

    sources: tuple[Language, ...]
    target: Language
    voice: Voice
    named: bool = True
    glossary: Glossary = EMPTY

    @property
    def source(self) -> Language:
        """What is spoken, as far as it is known."""
        return self.sources[0]

    def heard(self, tag: str) -> Choice:
        """The choice, now that it is known which of `sources` is spoken."""
        found = tuple(one for one in self.sources if one.tag == tag)
        return replace(self, sources=found or self.sources)


class Offer:
    """The directions that can be dubbed and the voices that can speak.

    `pairs`: those of the translation as (source, target) tags; `voices`: those of the synthesis;
    `tells_languages`: whether the recognition hears which language is spoken. A direction is
    offered if both languages are known and a voice speaks the target; and into each such target
    from `auto`, if languages can be told.
    """

    def __init__(
        self,
        pairs: Iterable[tuple[str, str]],
        voices: Iterable[Voice],
        *,
        tells_languages: bool = False,
        to_get: Mapping[tuple[str, str], str] | None = None,
        cautions: Mapping[tuple[str, str], str] | None = None,
    ) -> None:
        self.voices = tuple(voices)
        self._tells_languages = tells_languages
        self._named = tuple(pair for pair in sorted(pairs) if self._is_known(pair))
        self.to_get = {
            pair: how for pair, how in sorted((to_get or {}).items()) if self._is_known(pair)
        }
        """The command that gets what a direction lacks, for those that may be offered then."""
        self.cautions = dict(cautions or {})
        """What is to be known of the licence of a direction's translation."""

    def _is_known(self, pair: tuple[str, str]) -> bool:
        tags = {language.tag for language in catalogue.known()}
        return set(pair) <= tags and any(voice.speaks(pair[1]) for voice in self.voices)

    @classmethod
    def of(cls, asr: Capabilities, mt: MtCapabilities, tts: TtsCapabilities) -> Offer:
        """What providers of these capabilities can do together."""
        tells = isinstance(asr, AsrCapabilities) and asr.tells_languages
        return cls(
            mt.pairs,
            tts.voices,
            tells_languages=tells,
            to_get=mt.to_get,
            cautions=mt.cautions,
        )

    @property
    def pairs(self) -> tuple[tuple[str, str], ...]:
        """The directions as they may be asked for."""
        targets = sorted({target for _, target in self._named}) if self._tells_languages else ()
        return (*self._named, *((AUTO, target) for target in targets))

    def choose(self, config: FragmentConfig) -> Choice:
        """What a request asks for. Raises StsError INVALID_INPUT, which lists the choices."""
        sources, target = self.direction(config.source_language, config.target_language)
        voice = self.voice(config.voice_profile, target)
        return Choice(sources, target, voice, named=not _is_auto(config.source_language))

    def direction(self, source: str, target: str) -> tuple[tuple[Language, ...], Language]:
        """The languages that a caller names: the source, or all that `auto` may be, and the target.

        Raises StsError INVALID_INPUT with the pairs.
        """
        into = catalogue.find(target)
        if into is not None and (sources := self._sources(source, into)):
            return sources, into
        why = self._why_not(source, into)
        listed = ", ".join(f"{a} -> {b}" for a, b in self.pairs)
        raise StsError(
            "INVALID_INPUT",
            f"cannot dub {source!r} into {target!r}{why}; there are: {listed}",
            retryable=False,
        )

    def _why_not(self, source: str, target: Language | None) -> str:
        if _is_auto(source) and not self._tells_languages:
            return " (this recognition cannot tell languages)"
        how = self.lacking(source, target.tag) if target else None
        return f" (its translation is not installed: `{how}` gets it)" if how else ""

    def _sources(self, wanted: str, target: Language) -> tuple[Language, ...]:
        known = [one for one in catalogue.known() if (one.tag, target.tag) in self._named]
        if _is_auto(wanted):
            return tuple(known) if self._tells_languages else ()
        named = catalogue.find(wanted)
        return tuple(one for one in known if one is named)

    def lacking(self, source: str, target: str) -> str | None:
        """The command that gets the translation that a direction lacks; None if it is here, or if
        there is none. `auto` lacks one where nothing is dubbed into the target yet.
        """
        into = catalogue.find(target)
        if into is None or self._sources(source, into):
            return None
        named = None if _is_auto(source) else catalogue.find(source)
        return next(
            (
                how
                for (one, other), how in self.to_get.items()
                if other == into.tag and (_is_auto(source) or (named and one == named.tag))
            ),
            None,
        )

    def refusal(self, source: str, target: str, voice: str) -> str | None:
        """What is said of a stream that asks for this; None if it can be dubbed."""
        try:
            self.voice(voice, self.direction(source, target)[1])
        except StsError as error:
            return str(error)
        return None

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


def _is_auto(source: str) -> bool:
    return source.lower() == AUTO
