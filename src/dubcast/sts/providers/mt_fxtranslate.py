"""Translation: Mozilla's and other Bergamot models, in Mozilla's engine; one a direction.

A direction that no model has goes by way of English. The engine's objects belong to the thread that
made them, and hold the interpreter while they translate (3 to 15 ms a sentence), so that more
threads would bring nothing.
"""

from __future__ import annotations

import gzip
from collections.abc import Mapping, Sequence
from itertools import permutations
from pathlib import Path
from typing import Any, get_args

from dubcast.errors import ConfigError, MissingPartError, StsError
from dubcast.languages import catalogue
from dubcast.languages.sentences import sentences
from dubcast.models.manifest import Architecture
from dubcast.models.store import ModelStore
from dubcast.models.translations import Leg, Translations
from dubcast.sts.providers.interface import MtCapabilities, MtProvider, MtTask
from dubcast.sts.providers.registry import Registration, Setup
from dubcast.sts.which_language import primary

# So many are loaded at the start, the rest when they are asked for (from 50 MB and 0.1 s on).
_WARM = 4
Pair = tuple[str, str]
# The models of a direction's legs, by their names.
Route = tuple[str, ...]


class FxTranslateMt(MtProvider):
    """Translates the directions whose models are here."""

    def __init__(self, setup: Setup) -> None:
        self._routes, self.capabilities = _survey(setup)
        if not self._routes:
            raise MissingPartError(
                f"no translation in {setup.store.dir}: run `dubcast models pull`, which gets what "
                "the settings ask for, or `dubcast models pull --from en --to es`"
            )
        self._store = setup.store
        self._engines: dict[str, Any] = {}

    def load(self) -> None:
        names = dict.fromkeys(name for route in self._routes.values() for name in route)
        for name in list(names)[:_WARM]:
            self._engine(name)

    def run(self, batch: Sequence[MtTask]) -> list[str]:
        return [self._translate(task) for task in batch]

    def close(self) -> None:
        self._engines.clear()

    def _translate(self, task: MtTask) -> str:
        route = self._routes.get((task.source, task.target))
        language = catalogue.find(task.source)
        if route is None or language is None:
            message = f"cannot translate {task.source} into {task.target}"
            raise StsError("INVALID_INPUT", message, retryable=False)
        parts = sentences(task.text, language)
        for name in route:
            engine = self._engine(name)
            parts = [_said_by(engine, part) for part in parts]
        return " ".join(part for part in parts if part)

    def _engine(self, name: str) -> Any:
        """The engine of a model, loaded at its first use. Raises MissingPartError."""
        if name not in self._engines:
            self._engines[name] = _loaded(self._store.path(name))
        return self._engines[name]


def _survey(setup: Setup) -> tuple[dict[Pair, Route], MtCapabilities]:
    """The directions that can be translated now, and all that could be said of the others."""
    if setup.model not in (None, *get_args(Architecture)):
        raise ConfigError(
            f"sts_server.mt_model = {setup.model!r}: fxtranslate has no such architecture; "
            f"there are: {', '.join(get_args(Architecture))}"
        )
    known = Translations(setup.store.translations, setup.model)
    here = {name for name in setup.store.translations if setup.store.has(name)}
    routes: dict[Pair, Route] = {}
    to_get: dict[Pair, str] = {}
    for pair in permutations([language.tag for language in catalogue.known()], 2):
        legs = known.way(primary(pair[0]), primary(pair[1]))
        models = _models(known, legs, here)
        if models is not None:
            routes[pair] = models
        elif legs:
            to_get[pair] = "dubcast models pull --from {} --to {}".format(*pair)
    return routes, MtCapabilities(
        model="bergamot",
        batch_max=4,
        bookish=True,
        pairs=frozenset(routes),
        to_get=to_get,
        cautions=_cautions(routes, setup.store),
    )


def _models(known: Translations, legs: Sequence[Leg], here: set[str]) -> Route | None:
    """The best model for each leg of those that are here; None if one has none."""
    found = [next((name for name in known.models(leg) if name in here), "") for leg in legs]
    return tuple(found) if found and all(found) else None


def _cautions(routes: Mapping[Pair, Route], store: ModelStore) -> dict[Pair, str]:
    """What is to be known of the licences of a direction's models."""
    return {
        pair: f"{name}: {caution}"
        for pair, route in routes.items()
        for name in route
        if (caution := store.translations[name].caution) is not None
    }


def _loaded(folder: Path) -> Any:
    try:
        from fxtranslate import Translator
    except ImportError as error:
        raise MissingPartError("fxtranslate is missing: pip install 'dubcast[sts]'") from error
    files = {path.name: path for path in folder.iterdir()}
    source, target = (
        _read(files, "vocab.spm") or _read(files, own) for own in ("source.spm", "target.spm")
    )
    return Translator(
        _read(files, "model.bin"), source, target, _read(files, "shortlist.bin") or None
    )


def _read(files: Mapping[str, Path], name: str) -> bytes:
    """A file's bytes, unpacked; none if it is not there."""
    if name in files:
        return files[name].read_bytes()
    packed = files.get(f"{name}.gz")
    return gzip.decompress(packed.read_bytes()) if packed is not None else b""


def _said_by(engine: Any, text: str) -> str:
    try:
        return str(engine.translate(text)).strip()
    # A panic of the engine is no Exception, and would end the thread.
    except BaseException as error:
        if type(error).__name__ != "PanicException":
            raise
        raise RuntimeError(f"the engine panicked: {error}") from error


def _offers(setup: Setup) -> MtCapabilities:
    return _survey(setup)[1]


PROVIDER = Registration(create=FxTranslateMt, offers=_offers)
