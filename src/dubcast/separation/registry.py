"""The separators by name."""

from __future__ import annotations

from collections.abc import Callable

from dubcast.audio.vad import SileroVad, SpeechModel
from dubcast.errors import ConfigError
from dubcast.models.store import ModelStore
from dubcast.separation.fixed_latency import FixedLatency
from dubcast.separation.separator import Separator


def create(name: str, models: ModelStore) -> Separator:
    """A separator for one stream.

    Raises ConfigError for a name that is not in NAMES, and MissingPartError if its model or engine
    is not installed; the message says how to get it (`dubcast models pull`).
    """
    if name not in _MAKERS:
        raise ConfigError(f"separator: {name!r} is unknown; there are: {', '.join(NAMES)}")
    return _MAKERS[name](models)


def _dfn3(models: ModelStore) -> Separator:
    from dubcast.separation.dfn3 import MODEL, DeepFilter
    from dubcast.separation.hold import Hold
    from dubcast.separation.wiener import WienerCore

    # Measured (make bench-separation): windows of 85 ms separate 0.2 dB better than those of 43 ms
    # and leak 0.2 dB less; 171 ms are worse again, and a larger alpha costs more than it removes.
    estimator = DeepFilter(models.path(MODEL))
    core = WienerCore(estimator, alpha=2.0, size=4096, hop=1024)
    return Hold(FixedLatency("dfn3", core), _vad())


def _nsnet2(models: ModelStore) -> Separator:
    from dubcast.separation.hold import Hold
    from dubcast.separation.nsnet2 import MODEL, Nsnet2
    from dubcast.separation.wiener import WienerCore

    core = WienerCore(Nsnet2(models.path(MODEL)), alpha=3.0)
    return Hold(FixedLatency("nsnet2", core), _vad())


def _spleeter2(models: ModelStore) -> Separator:
    from dubcast.separation.spleeter import MODEL, SpleeterCore

    return FixedLatency("spleeter2", SpleeterCore(models.path(MODEL)), speech_channels=2)


def _blend(models: ModelStore) -> Separator:
    from dubcast.separation.blend import Blend

    return Blend("blend", music=_spleeter2(models), speech=_dfn3(models))


def _centre(models: ModelStore) -> Separator:
    from dubcast.separation.vad_separators import CentreRemoval, SpectralCore

    return FixedLatency("centre", SpectralCore(_vad(), CentreRemoval()))


def _mute(models: ModelStore) -> Separator:
    from dubcast.separation.vad_separators import MuteCore

    return FixedLatency("mute", MuteCore(_vad()))


def _gate(models: ModelStore) -> Separator:
    from dubcast.separation.vad_separators import SpectralCore, SpectralGate

    return FixedLatency("gate", SpectralCore(_vad(), SpectralGate()))


def _vad() -> SpeechModel:
    return SileroVad()


_MAKERS: dict[str, Callable[[ModelStore], Separator]] = {
    "dfn3": _dfn3,
    "nsnet2": _nsnet2,
    "spleeter2": _spleeter2,
    "blend": _blend,
    "centre": _centre,
    "mute": _mute,
    "gate": _gate,
}
NAMES: tuple[str, ...] = tuple(_MAKERS)
