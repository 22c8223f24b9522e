"""What a stream's policy makes of its sound: the bed, the mixer, the cut into fragments."""

from __future__ import annotations

from dubcast.audio.bed import DuckedOriginal, StoredBed
from dubcast.audio.duck import Ducker
from dubcast.audio.fragmenter import FixedFragmenter, Fragmenter, SpeechFragmenter
from dubcast.audio.mix import Mixer
from dubcast.audio.normalise import NormalisedMixer, Normaliser
from dubcast.audio.pcm import RATE, ms_to_samples
from dubcast.config import FragmentSettings, StreamSettings

# The background is needed from when it comes until it leaves: no more is held of it.
_BACKGROUND_MARGIN_S = 1


def make_bed(policy: StreamSettings) -> StoredBed:
    """The bed: the separated background, the ducked original where there is none."""
    capacity = round((policy.delay_s + _BACKGROUND_MARGIN_S) * RATE)
    fade = ms_to_samples(policy.crossfade_ms)
    return StoredBed(capacity, DuckedOriginal(policy.duck_db), fade)


def make_mixer(policy: StreamSettings, bed: StoredBed) -> Mixer | NormalisedMixer:
    """The mixer that the policy asks for."""
    duck, peak = policy.ducking, policy.true_peak_dbtp
    attack, release = ms_to_samples(duck.attack_ms), ms_to_samples(duck.release_ms)
    ducker = Ducker(attack, release, duck.depth_db, duck.threshold_db) if duck.enabled else None
    fade = ms_to_samples(policy.crossfade_ms)
    mixer = Mixer(bed, policy.bg_gain, policy.dub_gain, fade, ducker, peak)
    if policy.target_lufs is None:
        return mixer
    return NormalisedMixer(mixer, Normaliser(policy.target_lufs, peak))


def make_fragmenter(settings: FragmentSettings) -> Fragmenter:
    """The fragmenter that the settings ask for."""
    if settings.mode == "fixed":
        return FixedFragmenter(
            settings.vad_threshold,
            round(settings.chunk_s * RATE),
            ms_to_samples(settings.overlap_ms),
        )
    return SpeechFragmenter(
        settings.vad_threshold,
        ms_to_samples(settings.pause_ms),
        round(settings.min_s * RATE),
    )
