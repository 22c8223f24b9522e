"""Tiny providers for tests of the service: they compute nothing, and fail on request."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from dubcast.clock import Clock
from dubcast.config import Settings
from dubcast.contract.sts import FragmentConfig, PcmAudio, StsRequest
from dubcast.sts.engine import Engine, Providers
from dubcast.sts.providers.interface import (
    AsrCapabilities,
    AsrProvider,
    AsrTask,
    Capabilities,
    FitProvider,
    FitTask,
    Fitted,
    Heard,
    HearProvider,
    MtCapabilities,
    MtProvider,
    MtTask,
    PcmTask,
    Speech,
    Transcript,
    TtsCapabilities,
    TtsProvider,
    TtsTask,
    Tune,
    Word,
)
from dubcast.sts.providers.tts_kokoro import voices as kokoro_voices
from dubcast.sts.which_language import decide

STAGES = ("resample", "asr", "mt", "tts", "fit")
VOICES = kokoro_voices(["af_heart", "bf_emma", "pf_dora", "pm_alex", "ef_dora"])
PAIRS = frozenset({("en", "pt-BR"), ("pt-BR", "en")})


@dataclass
class Script:
    """What the fakes do: per stage a function that is called with the batch before the result."""

    hooks: dict[str, Callable[[Sequence[Any]], None]] = field(default_factory=dict)
    calls: dict[str, list[Any]] = field(default_factory=dict)
    threads: dict[str, set[str]] = field(default_factory=dict)
    speech: bool = True
    text: str = "hello"
    translation: str = "olá"
    tts_samples: int = 24_000
    fits: bool = True
    speech_ms: int = 1000
    words: tuple[Word, ...] = ()
    bounds_s: tuple[float, float] | None = (0.1, 0.4)
    likely: dict[str, float] | None = None  # languages; None: cannot be told
    hears_around: bool = False
    tune: Tune | None = None
    begun: dict[str, threading.Event] = field(
        default_factory=lambda: {stage: threading.Event() for stage in STAGES}
    )

    def called(self, stage: str, batch: Sequence[Any]) -> None:
        self.calls.setdefault(stage, []).append(list(batch))
        self.threads.setdefault(stage, set()).add(threading.current_thread().name)
        self.begun[stage].set()
        self.hooks.get(stage, lambda _: None)(batch)

    def wait_for(self, stage: str) -> None:
        """Wait until a stage has begun its first batch; fails the test if it never does."""
        assert self.begun[stage].wait(20), f"{stage} was never called"

    def loading(self, stage: str) -> None:
        self.hooks.get(f"load {stage}", lambda _: None)(())


class FakeHear(HearProvider):
    capabilities = Capabilities("fake-vad")

    def __init__(self, script: Script) -> None:
        self.script = script

    def load(self) -> None:
        self.script.loading("resample")

    def run(self, batch: Sequence[PcmTask]) -> list[Heard]:
        self.script.called("resample", batch)
        return [
            Heard(
                np.zeros(16_000, np.float32),
                self.script.speech,
                self.script.bounds_s if task.bounds and self.script.speech else None,
                self.script.tune if task.tune else None,
            )
            for task in batch
        ]


class FakeAsr(AsrProvider):
    def __init__(self, script: Script) -> None:
        self.script = script
        self.capabilities = AsrCapabilities(
            "fake-asr",
            batch_max=4,
            tells_languages=script.likely is not None,
            hears_around=script.hears_around,
        )

    def load(self) -> None:
        self.script.loading("asr")

    def run(self, batch: Sequence[AsrTask]) -> list[Transcript]:
        self.script.called("asr", batch)
        return [self._transcript(task) for task in batch]

    def _transcript(self, task: AsrTask) -> Transcript:
        script = self.script
        words = script.words if getattr(task, "words", False) else ()
        if script.likely is None or task.question is None:
            return Transcript(script.text, words=words)
        answer = decide(task.question, script.likely)
        return Transcript("" if answer.left_alone else script.text, words=words, answer=answer)


class FakeMt(MtProvider):
    capabilities = MtCapabilities("fake-mt", trusted=True, pairs=PAIRS)

    def __init__(self, script: Script) -> None:
        self.script = script

    def run(self, batch: Sequence[MtTask]) -> list[str]:
        self.script.called("mt", batch)
        return [self.script.translation for _ in batch]


class FakeTts(TtsProvider):
    capabilities = TtsCapabilities("fake-tts", voices=tuple(VOICES))

    def __init__(self, script: Script) -> None:
        self.script = script

    def run(self, batch: Sequence[TtsTask]) -> list[Speech]:
        self.script.called("tts", batch)
        return [Speech(np.zeros(self.script.tts_samples, np.float32), 24_000) for _ in batch]


class FakeFit(FitProvider):
    capabilities = Capabilities("fake-fit")

    def __init__(self, script: Script) -> None:
        self.script = script

    def run(self, batch: Sequence[FitTask]) -> list[Fitted]:
        self.script.called("fit", batch)
        return [
            Fitted(
                bytes(2 * task.channels * task.frames),
                self.script.speech_ms,
                1.0,
                self.script.fits,
                tuple((100 * i, 100 * i + 90) for i in range(len(task.clauses))),
            )
            for task in batch
        ]


def fake_engine(script: Script, inbox_limit: int = 16, clock: Clock | None = None) -> Engine:
    providers = Providers(
        FakeHear(script), FakeAsr(script), FakeMt(script), FakeTts(script), FakeFit(script)
    )
    return Engine(providers, inbox_limit=inbox_limit, clock=clock)


@contextmanager
def running(script: Script) -> Iterator[Engine]:
    """An engine with fake models that is ready."""
    engine = fake_engine(script)
    engine.start()
    assert engine.wait(5) == "ready"
    yield engine
    engine.stop()


def settings(**sts_server: Any) -> Settings:
    """Settings of a service whose fakes are asked for everything, greetings too."""
    return Settings.model_validate({"sts_server": {"phrasebook": False, **sts_server}})


def request(fragment_id: str = "f1", *, ms: int = 500, **changes: Any) -> StsRequest:
    audio = PcmAudio.from_pcm(bytes(2 * 16 * ms), 16_000, 1)
    fields: dict[str, Any] = {
        "fragment_id": fragment_id,
        "stream_id": "demo",
        "sequence_number": 1,
        "audio": audio,
        "config": FragmentConfig(),
    }
    return StsRequest.model_validate({**fields, **changes})
