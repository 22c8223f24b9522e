"""Translation by models in CTranslate2's format from a folder: OPUS-MT, NLLB, M2M-100, MADLAD-400.

They translate more, and more faithfully, than the models that are there by default, and cost more:
on a GPU they work in half precision on what waits, on a CPU in 8-bit integers.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from dubcast.errors import MissingPartError, StsError
from dubcast.languages import catalogue
from dubcast.languages.sentences import sentences
from dubcast.sts.providers import cuda
from dubcast.sts.providers.gpu_else_cpu import MtGpuElseCpu
from dubcast.sts.providers.interface import MtCapabilities, MtProvider, MtTask
from dubcast.sts.providers.mt_layouts import END, Layout, layout_of
from dubcast.sts.providers.registry import Device, Registration, Setup

_BATCH_ON_CPU = 4
_BATCH_ON_GPU = 32
_BEAMS = 2
# A translation longer than this has gone round in circles.
_LONGEST = 20
_LONGEST_PER_PIECE = 3


class CTranslate2Mt(MtProvider):
    """Translates sentence by sentence, the sentences of a batch together."""

    def __init__(self, folder: Path, capabilities: MtCapabilities, setup: Setup) -> None:
        self.capabilities = capabilities
        self._folder = folder
        self._setup = setup
        self._model: Any = None
        self._pieces: Any = None
        self._joiner: Any = None
        self._layout: Layout = layout_of(folder)

    def load(self) -> None:
        try:
            import ctranslate2
            from sentencepiece import SentencePieceProcessor
        except ImportError as error:
            raise MissingPartError(
                f"{error.name} is missing: pip install 'dubcast[sts]'"
            ) from error
        on_gpu = self._setup.device == "cuda"
        if on_gpu:
            cuda.load_cublas()
        self._pieces = SentencePieceProcessor(model_file=str(self._layout.source_pieces))
        self._joiner = SentencePieceProcessor(model_file=str(self._layout.target_pieces))
        self._model = ctranslate2.Translator(
            str(self._folder),
            device=self._setup.device,
            compute_type=cuda.float_type() if on_gpu else "int8",
            inter_threads=1,
            intra_threads=self._setup.threads,
        )
        # What a GPU cannot compute shows at the first text, while the CPU can still take its place.
        for source, target in sorted(self.capabilities.pairs)[:1]:
            self.run([MtTask("Ok.", source, target)])

    def run(self, batch: Sequence[MtTask]) -> list[str]:
        parts = [self._sentences(task) for task in batch]
        asked = [(task, part) for task, own in zip(batch, parts, strict=True) for part in own]
        said = iter(self._translate(asked) if asked else [])
        return [" ".join(next(said) for _ in own) for own in parts]

    def close(self) -> None:
        self._model = None

    def _sentences(self, task: MtTask) -> list[str]:
        language = catalogue.find(task.source)
        if language is None or (task.source, task.target) not in self.capabilities.pairs:
            message = f"cannot translate {task.source} into {task.target}"
            raise StsError("INVALID_INPUT", message, retryable=False)
        return sentences(task.text, language)

    def _translate(self, asked: Sequence[tuple[MtTask, str]]) -> list[str]:
        layout = self._layout
        texts = [
            layout.given(self._pieces.encode(text, out_type=str), task.source, task.target)
            for task, text in asked
        ]
        begins = [layout.begins(task.target) for task, _ in asked]
        results = self._model.translate_batch(
            texts,
            target_prefix=begins if any(begins) else None,
            beam_size=_BEAMS,
            max_batch_size=_BATCH_ON_GPU,
            max_decoding_length=_LONGEST + _LONGEST_PER_PIECE * max(map(len, texts)),
        )
        return [self._joined(*one) for one in zip(results, begins, strict=True)]

    def _joined(self, result: Any, begin: list[str] | None) -> str:
        pieces = result.hypotheses[0][len(begin or ()) :]
        return str(self._joiner.decode([one for one in pieces if one != END])).strip()


def _folder(setup: Setup) -> Path:
    if setup.model is None:
        raise MissingPartError(
            "this provider needs the folder of a model: set sts_server.mt_model (gpu.md)"
        )
    return setup.folder()


def _offers(setup: Setup) -> MtCapabilities:
    folder = _folder(setup)
    tags = [language.tag for language in catalogue.known()]
    return MtCapabilities(
        model=setup.model_name,
        batch_max=_BATCH_ON_GPU if setup.device == "cuda" else _BATCH_ON_CPU,
        pairs=layout_of(folder).pairs(tags),
    )


def _create(setup: Setup) -> MtProvider:
    def on(device: Device) -> CTranslate2Mt:
        own = replace(setup, device=device)
        return CTranslate2Mt(_folder(own), _offers(own), own)

    return on("cpu") if setup.device == "cpu" else MtGpuElseCpu(on("cuda"), lambda: on("cpu"))


PROVIDER = Registration(create=_create, offers=_offers)
