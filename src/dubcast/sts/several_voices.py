"""Several providers of voices as one: each speaks what its own voices are asked for."""

from __future__ import annotations

from collections.abc import Sequence

from dubcast.sts.providers.interface import Speech, TtsCapabilities, TtsProvider, TtsTask


class SeveralVoices(TtsProvider):
    """The voices of all of them; of two with one name the first is meant."""

    def __init__(self, providers: Sequence[TtsProvider]) -> None:
        self._providers = tuple(providers)
        self.capabilities = joined([one.capabilities for one in providers])
        self._by_voice = {
            voice.name: one
            for one in reversed(self._providers)
            for voice in one.capabilities.voices
        }

    def load(self) -> None:
        for one in self._providers:
            one.load()

    def run(self, batch: Sequence[TtsTask]) -> list[Speech]:
        return [self._by_voice[task.voice.name].run([task])[0] for task in batch]

    def run_within(self, batch: Sequence[TtsTask], left_s: float) -> list[Speech]:
        return [self._by_voice[task.voice.name].run_within([task], left_s)[0] for task in batch]

    def close(self) -> None:
        for one in self._providers:
            one.close()


def together(providers: Sequence[TtsProvider]) -> TtsProvider:
    """One provider as it is, several as one."""
    return providers[0] if len(providers) == 1 else SeveralVoices(providers)


def joined(capabilities: Sequence[TtsCapabilities]) -> TtsCapabilities:
    """What several can do together. One text goes in a call, since each may be another's."""
    if len(capabilities) == 1:
        return capabilities[0]
    first = {voice.name: one for one in reversed(capabilities) for voice in one.voices}
    return TtsCapabilities(
        model="+".join(one.model for one in capabilities),
        voices=tuple(
            voice for one in capabilities for voice in one.voices if first[voice.name] is one
        ),
    )
