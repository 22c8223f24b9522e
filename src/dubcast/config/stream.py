"""Settings of how a stream is cut, dubbed and mixed."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from dubcast.config.values import Section
from dubcast.contract.glossary import GlossaryEntry

FallbackMode = Literal["original", "background", "ducked", "repeat", "silence"]
Separator = Literal["auto", "dfn3", "nsnet2", "spleeter2", "blend", "centre", "mute", "gate", "off"]


class FragmentSettings(Section):
    """How the speech is cut before it is sent to the speech service."""

    mode: Literal["speech", "fixed"] = Field(
        "speech", description="speech: cut at pauses; fixed: chunks of chunk_s with overlap_ms"
    )
    min_s: float = Field(
        1.0,
        ge=0.2,
        le=10,
        description="a pause ends a fragment from here on; before, one of five times pause_ms",
    )
    max_s: float | None = Field(
        None, ge=1.0, le=8, description="longest fragment; derived from the delay when not set"
    )
    pause_ms: int = Field(
        300,
        ge=100,
        le=2000,
        description="silence that ends a fragment of two thirds of the longest; for a shorter one "
        "up to five times as much",
    )
    vad_threshold: float = Field(0.5, gt=0, lt=1, description="speech probability that opens it")
    chunk_s: float = Field(2.0, ge=1.0, le=2.0, description="fixed mode: chunk length")
    overlap_ms: int = Field(150, ge=100, le=200, description="fixed mode: overlap and crossfade")


class SeparationSettings(Section):
    """The background of the speech, separated from it."""

    separator: Separator = Field(
        "auto",
        description="auto measures this machine and steps down when late; dfn3 (default quality), "
        "nsnet2 (economy), spleeter2, blend (quality); centre, mute, gate need no model; off: the "
        "bed is the ducked original",
    )
    on_failure: Literal["duck", "skip"] = Field(
        "duck", description="separation failed: dub over the ducked original, or skip the dub"
    )
    nice: int = Field(
        10,
        ge=0,
        le=19,
        description="niceness of the separation's process: it has seconds of delay in hand, "
        "so speech that is due sooner goes first",
    )


class DuckingSettings(Section):
    """The bed gives way while the dub speaks."""

    enabled: bool = Field(True, description="duck the bed under the dub")
    attack_ms: int = Field(50, ge=10, le=100, description="time to the full depth, before a word")
    release_ms: int = Field(300, ge=10, le=2000, description="time back, after the last word")
    depth_db: float = Field(3.0, ge=0, le=40, description="how far the bed goes down")
    threshold_db: float = Field(
        -45.0, ge=-90, le=0, description="level of the dub that counts as speaking, dBFS RMS"
    )


class StreamSettings(Section):
    """How a stream is dubbed. Defaults for every stream; `orchestrator.streams` may differ."""

    source_language: str = Field(
        "en",
        description="language that is spoken; auto: any that can be dubbed into the target. Words "
        "in the target language, or in another one, are left alone",
    )
    target_language: str = Field("pt-BR", description="language to dub into")
    voice: str = Field("default", description="voice of the dub; `dubcast voices` lists them")
    glossary: tuple[GlossaryEntry, ...] = Field(
        (),
        max_length=500,
        description="names, fixed translations and pronunciations of this stream; they win over "
        "those of sts_server.glossary",
    )
    dub_songs: bool = Field(
        False, description="dub what is sung too; off: songs are left alone, they play as they came"
    )
    delay_s: float = Field(8.0, ge=3, le=15, description="input to output, fixed")
    duration_policy: Literal["match", "fit"] = Field(
        "fit", description="match: as long as the fragment; fit: natural length within its slot"
    )
    max_tempo: float = Field(1.25, ge=1.0, le=1.5, description="fastest speech allowed")
    max_shift_s: float = Field(
        1.5, ge=0, le=5, description="how late a dub may start when the one before ran long"
    )
    bg_gain: float = Field(1.0, ge=0, le=4, description="gain of the bed under the dub, linear")
    dub_gain: float = Field(1.0, ge=0, le=4, description="gain of the dub, linear")
    duck_db: float = Field(24.0, ge=24, le=90, description="how far the original goes down")
    fallback: FallbackMode = Field(
        "original",
        description="what plays of a fragment that has no dub; while one is a little late the "
        "background plays instead (not of repeat and silence)",
    )
    fallback_order: tuple[FallbackMode, ...] = Field(
        ("ducked",), description="tried in turn where `fallback` is not to be had; then original"
    )
    fallback_duck_db: float = Field(
        12.0, ge=3, le=90, description="fallback ducked: how far the original goes down"
    )
    separation: SeparationSettings = SeparationSettings()
    match_loudness: bool = Field(
        True, description="bring each dub to the loudness of the speech that it replaces"
    )
    crossfade_ms: int = Field(
        50, ge=4, le=50, description="crossfade between the original and what replaces it"
    )
    true_peak_dbtp: float = Field(
        -1.3,
        ge=-20,
        le=0,
        description="ceiling of what replaces the original, dBTP; AAC adds up to 0.3 dB to it",
    )
    target_lufs: float | None = Field(
        None, ge=-40, le=-5, description="bring the whole output to this loudness; none: leave it"
    )
    ducking: DuckingSettings = DuckingSettings()
    fragments: FragmentSettings = FragmentSettings()
