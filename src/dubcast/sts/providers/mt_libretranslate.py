"""Translation by a server of LibreTranslate."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from dubcast.errors import ConfigError, NotReachableError
from dubcast.sts.providers.interface import MtCapabilities, MtProvider, MtTask
from dubcast.sts.providers.mt_remote import capabilities, price, settings_of, tags
from dubcast.sts.providers.registry import Registration, Setup
from dubcast.sts.providers.remote import Ask, BadReply, Got, Remote
from dubcast.sts.which_language import primary

_ALONE_S = 30.0
# What it calls languages otherwise than by their tag, before their bare code.
_OWN_NAMES = {"pt-BR": ("pb",), "zh": ("zh-Hans",)}


class LibreTranslateMt(MtProvider):
    """Translates between the languages of the settings, which the server has to have."""

    def __init__(self, setup: Setup) -> None:
        self._settings = settings_of(setup)
        self.capabilities = _offers(setup)
        self._remote = Remote("mt", "libretranslate", setup)
        self._codes: dict[str, str] = {}

    def load(self) -> None:
        got = self._remote.look("/languages")
        try:
            there = [str(one["code"]) for one in _list(got)]
        except (BadReply, TypeError, KeyError) as error:
            raise NotReachableError(
                f"{self._remote.name}: it has no list of languages: it is no LibreTranslate"
            ) from error
        self._codes = codes(tags(self._settings), there)

    def run(self, batch: Sequence[MtTask]) -> list[str]:
        return self.run_within(batch, _ALONE_S)

    def run_within(self, batch: Sequence[MtTask], left_s: float) -> list[str]:
        return [self._translated(task, left_s) for task in batch]

    def close(self) -> None:
        self._remote.close()

    def _translated(self, task: MtTask, left_s: float) -> str:
        body: dict[str, Any] = {
            "q": task.text,
            "source": self._codes[task.source],
            "target": self._codes[task.target],
            "format": "text",
        }
        if self._settings.api_key is not None:
            body["api_key"] = self._settings.api_key.get_secret_value()
        said = self._remote.call(Ask("POST", "/translate", {"json": body}), translation, left_s)
        self._remote.spend(price(self._settings, task.text))
        return said


def codes(wanted: Sequence[str], there: Sequence[str]) -> dict[str, str]:
    """What the server calls each language. Raises ConfigError if it lacks one."""
    known: Mapping[str, str] = {code.lower(): code for code in there}
    found = {}
    for tag in wanted:
        names = (tag, *_OWN_NAMES.get(tag, ()), primary(tag))
        code = next((known[name.lower()] for name in names if name.lower() in known), None)
        if code is None:
            raise ConfigError(
                f"sts_server.remote.mt.languages: the server has no {tag}; it has: "
                f"{', '.join(sorted(there))}"
            )
        found[tag] = code
    return found


def translation(got: Got) -> str:
    """The translation in a reply. Raises BadReply."""
    text = got.json().get("translatedText")
    if not isinstance(text, str) or not text.strip():
        raise BadReply("its reply has no translation")
    return " ".join(text.split())


def _list(got: Got | None) -> list[Any]:
    if got is None:
        raise BadReply("it has no such page")
    return got.items()


def _offers(setup: Setup) -> MtCapabilities:
    settings = settings_of(setup)
    if not settings.languages:
        raise ConfigError(
            "sts_server.remote.mt.languages is empty: name those that the server shall translate "
            "among, as [en, pt-BR]"
        )
    return capabilities("libretranslate", settings)


PROVIDER = Registration(create=LibreTranslateMt, offers=_offers, remote=True)
