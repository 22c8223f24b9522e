"""Languages and voices: names, aliases and defaults. Pure data, no model is loaded."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

from dubcast.errors import StsError

# What callers may write -> the tag that the service uses.
_ALIASES = {
    "en": "en",
    "en-us": "en",
    "en-gb": "en",
    "pt": "pt-BR",
    "pt-br": "pt-BR",
}

# The first letter of a Kokoro voice is its language, the second its gender.
_VOICE_LANGUAGES = {
    "a": "en-US",
    "b": "en-GB",
    "e": "es",
    "f": "fr-FR",
    "h": "hi",
    "i": "it",
    "j": "ja",
    "p": "pt-BR",
    "z": "zh-CN",
}
_DEFAULT_VOICES = {"en": "af_heart", "pt-BR": "pf_dora"}


@dataclass(frozen=True)
class Voice:
    """A voice; `language` is a tag such as `en-GB`."""

    name: str
    language: str
    gender: Literal["female", "male"]
    default: bool = False

    def speaks(self, language: str) -> bool:
        """True if the voice may speak `language`, compared without the region."""
        return _primary(self.language) == _primary(language)


def canonical(language: str) -> str | None:
    """The service's tag of a language (`pt` -> `pt-BR`), or None if it knows no such language."""
    return _ALIASES.get(language.lower().replace("_", "-"))


def voices(names: Iterable[str]) -> list[Voice]:
    """Voices by their Kokoro names (`pf_dora`); a name of another form is left out."""
    found = []
    for name in sorted(names):
        language = _VOICE_LANGUAGES.get(name[:1])
        if language is None or name[1:3] not in ("f_", "m_"):
            continue
        gender: Literal["female", "male"] = "female" if name[1] == "f" else "male"
        found.append(Voice(name, language, gender, name in _DEFAULT_VOICES.values()))
    return found


def choose_voice(wanted: str, language: str, known: Iterable[Voice]) -> Voice:
    """The voice for `language`: the named one, or its default for `default`.

    Raises StsError INVALID_INPUT, which lists the voices that speak the language.
    """
    fitting = {voice.name: voice for voice in known if voice.speaks(language)}
    name = _DEFAULT_VOICES.get(language, wanted) if wanted == "default" else wanted
    if name not in fitting:
        names = ", ".join(["default", *fitting])
        raise StsError(
            "INVALID_INPUT",
            f"voice_profile {wanted!r} does not speak {language}; there are: {names}",
            retryable=False,
        )
    return fitting[name]


def choose_pair(source: str, target: str, pairs: Iterable[tuple[str, str]]) -> tuple[str, str]:
    """The canonical pair of languages. Raises StsError INVALID_INPUT, which lists the pairs."""
    known = sorted(pairs)
    pair = (canonical(source), canonical(target))
    for one in known:
        if one == pair:
            return one
    listed = ", ".join(f"{a} -> {b}" for a, b in known)
    raise StsError(
        "INVALID_INPUT",
        f"cannot dub {source!r} into {target!r}; there are: {listed}",
        retryable=False,
    )


def _primary(language: str) -> str:
    return language.partition("-")[0].lower()
