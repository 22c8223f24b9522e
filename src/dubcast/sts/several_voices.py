"""Several providers of voices as one: each speaks what its own voices are asked for."""

from __future__ import annotations

import threading
import time
from collections.abc import Sequence
from contextlib import nullcontext

from dubcast.sts.providers.interface import Speech, TtsCapabilities, TtsProvider, TtsTask


class SeveralVoices(TtsProvider):
    """The voices of all of them; of two with one name the first is meant."""

    def __init__(self, providers: Sequence[TtsProvider]) -> None:
        self._members = [_Member(one) for one in providers]
        self.capabilities = joined([one.capabilities for one in providers])
        self._by_voice = {
            voice.name: member
            for member in reversed(self._members)
            for voice in member.provider.capabilities.voices
        }

    def load(self) -> None:
        for member in self._members:
            member.provider.load()
        # One that cannot be loaded on the GPU does less at a time on the CPU.
        self.capabilities = joined([one.provider.capabilities for one in self._members])

    def run(self, batch: Sequence[TtsTask]) -> list[Speech]:
        return self._spoken(batch, None)

    def run_within(self, batch: Sequence[TtsTask], left_s: float) -> list[Speech]:
        return self._spoken(batch, time.monotonic() + left_s)

    def close(self) -> None:
        for member in self._members:
            member.provider.close()

    def _spoken(self, batch: Sequence[TtsTask], until: float | None) -> list[Speech]:
        """Each member's share of a batch goes to it at once."""
        owners = [self._by_voice[task.voice.name] for task in batch]
        speech: dict[int, Speech] = {}
        for member in dict.fromkeys(owners):
            places = [i for i, owner in enumerate(owners) if owner is member]
            spoken = member.speak([batch[i] for i in places], until)
            speech.update(zip(places, spoken, strict=True))
        return [speech[i] for i in range(len(batch))]


class _Member:
    """One of them. If it is not safe to run from several threads, they wait for each other."""

    def __init__(self, provider: TtsProvider) -> None:
        self.provider = provider
        safe = provider.capabilities.thread_safe
        self._turn = nullcontext() if safe else threading.Lock()

    def speak(self, tasks: Sequence[TtsTask], until: float | None) -> list[Speech]:
        """In as many calls as it takes. `until`: when nobody wants it any more, monotonic."""
        with self._turn:
            most = self.provider.capabilities.batch_max
            parts = [tasks[i : i + most] for i in range(0, len(tasks), most)]
            return [one for part in parts for one in self._called(part, until)]

    def _called(self, tasks: Sequence[TtsTask], until: float | None) -> list[Speech]:
        if until is None:
            return self.provider.run(tasks)
        return self.provider.run_within(tasks, until - time.monotonic())


def together(providers: Sequence[TtsProvider]) -> TtsProvider:
    """One provider as it is, several as one."""
    return providers[0] if len(providers) == 1 else SeveralVoices(providers)


def joined(capabilities: Sequence[TtsCapabilities]) -> TtsCapabilities:
    """What several can do together: as much at a time as the one that can do the most."""
    if len(capabilities) == 1:
        return capabilities[0]
    first = {voice.name: one for one in reversed(capabilities) for voice in one.voices}
    return TtsCapabilities(
        model="+".join(one.model for one in capabilities),
        batch_max=max(one.batch_max for one in capabilities),
        thread_safe=any(one.thread_safe for one in capabilities),
        at_once=max(one.at_once for one in capabilities),
        voices=tuple(
            voice for one in capabilities for voice in one.voices if first[voice.name] is one
        ),
    )
