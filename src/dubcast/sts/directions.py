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
            (source.strip(), target.strip())
            for source in (sources or stream.source_language).split(",")
            for target in (targets or stream.target_language).split(",")
        ]
    codes = ((code, primary(target)) for source, target in pairs for code in _codes(source))
    return list(dict.fromkeys(pair for pair in codes if pair[0] != pair[1]))


def _codes(source: str) -> list[str]:
    if source.lower() == AUTO:
        return [primary(language.tag) for language in catalogue.known()]
    return [primary(source)]
