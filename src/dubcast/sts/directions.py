"""Which directions the settings or a caller ask for, in codes without a region. Pure."""

from __future__ import annotations

from dubcast.config import Settings
from dubcast.contract.sts import AUTO
from dubcast.languages import catalogue
from dubcast.sts.which_language import primary


def asked(
    settings: Settings, sources: str | None = None, targets: str | None = None
) -> list[tuple[str, str]]:
    """Each source with each target, as lists with commas; without both, what the streams of the
    settings ask for. What is left out is the settings' own. `auto` is every language that is known.
    """
    if sources is None and targets is None:
        pairs = [(one.source_language, one.target_language) for one in settings.policies().values()]
    else:
        stream = settings.stream
        pairs = [
            (source, target)
            for source in _named(sources or stream.source_language)
            for target in _named(targets or stream.target_language)
        ]
    codes = ((code, _code(target)) for source, target in pairs for code in _codes(source))
    return list(dict.fromkeys(pair for pair in codes if pair[0] != pair[1]))


def _named(languages: str) -> list[str]:
    return [one.strip() for one in languages.split(",") if one.strip()]


def _codes(source: str) -> list[str]:
    if source.lower() == AUTO:
        return [primary(language.tag) for language in catalogue.known()]
    return [_code(source)]


def _code(tag: str) -> str:
    """Of a language however it is written; models translate some that are not known here."""
    language = catalogue.find(tag)
    return primary(language.tag if language else tag.replace("_", "-"))
