"""A provider that works on the GPU, and on the CPU where that fails: itself a provider.

What it can do is what the one in use can: the larger batches of the GPU are gone with it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Generic, TypeVar

from dubcast import log
from dubcast.sts.providers.interface import (
    AsrCapabilities,
    AsrProvider,
    AsrTask,
    MtCapabilities,
    MtProvider,
    MtTask,
    Provider,
    Speech,
    Transcript,
    TtsCapabilities,
    TtsProvider,
    TtsTask,
)

In = TypeVar("In")
Out = TypeVar("Out")
Factory = Callable[[], Provider[In, Out]]


class _GpuElseCpu(Provider[In, Out], Generic[In, Out]):
    """`gpu` while it can be loaded, else what `cpu` makes; the reason is logged."""

    def __init__(self, gpu: Provider[In, Out], cpu: Factory[In, Out]) -> None:
        self._cpu = cpu
        self._use(gpu)

    def load(self) -> None:
        try:
            self._used.load()
        # Provider border: whatever a GPU's library raises, there is a CPU.
        except Exception as error:  # noqa: BLE001
            reason = f"{type(error).__name__}: {error}"
            log.get("gpu").warning("on_the_cpu", stage=self.stage, reason=reason)
            self._used.close()
            self._use(self._cpu())
            self._used.load()

    def run(self, batch: Sequence[In]) -> list[Out]:
        return self._used.run(batch)

    def close(self) -> None:
        self._used.close()

    def _use(self, provider: Provider[In, Out]) -> None:
        self._used = provider
        self.capabilities = provider.capabilities


class AsrGpuElseCpu(_GpuElseCpu[AsrTask, Transcript], AsrProvider):
    """Recognizes."""

    capabilities: AsrCapabilities


class MtGpuElseCpu(_GpuElseCpu[MtTask, str], MtProvider):
    """Translates."""

    capabilities: MtCapabilities


class TtsGpuElseCpu(_GpuElseCpu[TtsTask, Speech], TtsProvider):
    """Speaks."""

    capabilities: TtsCapabilities
