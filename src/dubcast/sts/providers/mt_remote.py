"""What translations by services elsewhere share: their directions and their price."""

from __future__ import annotations

from itertools import permutations

from dubcast.config import RemoteMtSettings
from dubcast.errors import ConfigError
from dubcast.languages import catalogue
from dubcast.sts.providers.interface import MtCapabilities
from dubcast.sts.providers.registry import Setup


def settings_of(setup: Setup) -> RemoteMtSettings:
    """The settings of a translation elsewhere."""
    settings = setup.remote
    return settings if isinstance(settings, RemoteMtSettings) else RemoteMtSettings()


def tags(settings: RemoteMtSettings) -> tuple[str, ...]:
    """The languages of the settings, all that are known if none is named. Raises ConfigError."""
    known = [language.tag for language in catalogue.known()]
    if not settings.languages:
        return tuple(known)
    found = {name: catalogue.find(name) for name in settings.languages}
    for name, language in found.items():
        if language is None:
            raise ConfigError(
                f"sts_server.remote.mt.languages: {name!r} is not known; there are: "
                f"{', '.join(known)}"
            )
    return tuple(dict.fromkeys(language.tag for language in found.values() if language))


def capabilities(model: str, settings: RemoteMtSettings) -> MtCapabilities:
    """Every direction between the languages of the settings. Raises ConfigError."""
    return MtCapabilities(
        model=model,
        thread_safe=True,
        at_once=settings.at_once,
        priced=True,
        pairs=frozenset(permutations(tags(settings), 2)),
    )


def price(settings: RemoteMtSettings, text: str) -> float:
    """What the translation of a text costs."""
    return len(text) / 1000 * settings.price_per_1000_characters
