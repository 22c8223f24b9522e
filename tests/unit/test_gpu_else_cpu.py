"""What cannot be done on the GPU is done on the CPU, and the reason is told."""

from __future__ import annotations

import ctypes
from collections.abc import Sequence
from pathlib import Path
from types import SimpleNamespace

import pytest
import structlog

from dubcast.config import ModelsSettings
from dubcast.errors import MissingPartError
from dubcast.models.store import ModelStore
from dubcast.sts.providers import cuda
from dubcast.sts.providers.gpu_else_cpu import MtGpuElseCpu, TtsGpuElseCpu
from dubcast.sts.providers.interface import MtCapabilities, MtProvider, MtTask, TtsCapabilities
from dubcast.sts.providers.kokoro_torch import KokoroTorchTts
from dubcast.sts.providers.registry import Setup
from dubcast.sts.providers.tts_kokoro import KokoroTts

TASK = MtTask("hop", "en", "pt-BR")


class Translator(MtProvider):
    def __init__(self, name: str, batch_max: int, fault: Exception | None = None) -> None:
        self.capabilities = MtCapabilities(name, batch_max)
        self.fault = fault
        self.closed = 0

    def load(self) -> None:
        if self.fault is not None:
            raise self.fault

    def run(self, batch: Sequence[MtTask]) -> list[str]:
        return [self.capabilities.model for _ in batch]

    def close(self) -> None:
        self.closed += 1


def test_the_gpu_is_used_while_it_can_be_loaded() -> None:
    gpu = Translator("gpu", 32)
    provider = MtGpuElseCpu(gpu, lambda: pytest.fail("nobody asked for it"))
    provider.load()
    assert (provider.run([TASK]), provider.capabilities.batch_max) == (["gpu"], 32)
    provider.close()
    assert gpu.closed == 1


@pytest.mark.parametrize("fault", [MissingPartError("no torch"), RuntimeError("out of memory")])
def test_the_cpu_takes_over_with_what_it_can_do(fault: Exception) -> None:
    gpu, cpu = Translator("gpu", 32, fault), Translator("cpu", 4)
    provider = MtGpuElseCpu(gpu, lambda: cpu)
    with structlog.testing.capture_logs() as lines:
        provider.load()
    (line,) = lines
    assert (line["event"], line["stage"]) == ("on_the_cpu", "mt")
    assert str(fault) in line["reason"]
    assert (provider.run([TASK]), provider.capabilities.batch_max) == (["cpu"], 4)
    assert gpu.closed == 1


def test_a_cpu_that_cannot_either_is_the_error() -> None:
    broken = Translator("cpu", 4, MissingPartError("no model"))
    provider = MtGpuElseCpu(Translator("gpu", 32, RuntimeError()), lambda: broken)
    with pytest.raises(MissingPartError, match="no model"):
        provider.load()


def test_a_voice_that_only_a_gpu_speaks_with_is_told_with_the_way_out(tmp_path: Path) -> None:
    (tmp_path / "kokoro-v1_0.pth").touch()
    (tmp_path / "vocab.json").write_text('{"vocab": {}}')
    setup = Setup(ModelStore(ModelsSettings(dir=tmp_path)), str(tmp_path))
    voices = TtsCapabilities("kokoro")

    class NoGpu(KokoroTorchTts):
        def load(self) -> None:
            raise RuntimeError("no GPU")

    gpu = NoGpu(tmp_path, tmp_path, voices, "cuda")
    provider = TtsGpuElseCpu(gpu, lambda: KokoroTts(tmp_path, tmp_path, voices, setup))
    with pytest.raises(MissingPartError, match=rf"{tmp_path} has no model\.onnx.* models pull"):
        provider.load()


@pytest.mark.parametrize("where", ["system", "package"])
def test_cublas_comes_from_the_system_or_its_package(
    where: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    loaded: list[str] = []

    def load(path: str, mode: int) -> None:
        if where == "package" and "/" not in path:
            raise OSError("no such file")
        assert mode == ctypes.RTLD_GLOBAL
        loaded.append(path)

    monkeypatch.setattr(ctypes, "CDLL", load)
    place = SimpleNamespace(submodule_search_locations=[str(tmp_path)])
    monkeypatch.setattr(cuda.importlib.util, "find_spec", lambda name: place)
    cuda.load_cublas()
    names = ["libcublasLt.so.12", "libcublas.so.12"]
    assert loaded == (names if where == "system" else [f"{tmp_path}/lib/{one}" for one in names])


def test_a_missing_cublas_is_told_with_what_brings_it(monkeypatch: pytest.MonkeyPatch) -> None:
    def load(path: str, mode: int) -> None:
        raise OSError("no such file")

    monkeypatch.setattr(ctypes, "CDLL", load)
    monkeypatch.setattr(cuda.importlib.util, "find_spec", lambda name: None)
    with pytest.raises(MissingPartError, match="pip install nvidia-cublas-cu12"):
        cuda.load_cublas()
