"""What a stream's settings ask of its separation, and what is told about it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from dubcast.audio.pcm import samples_to_s
from dubcast.config import StreamSettings
from dubcast.separation.client import ClientSettings, SeparationClient


def settings_of(policy: StreamSettings, models_dir: Path | None) -> ClientSettings | None:
    """How the stream's speech is separated from its background; None: it is not."""
    chosen = policy.separation
    if chosen.separator == "off":
        return None
    return ClientSettings(chosen.separator, models_dir, chosen.nice)


def describe(separation: SeparationClient | None) -> dict[str, Any]:
    """For `/status`."""
    if separation is None:
        return {"state": "off"}
    return {
        "state": separation.state.value,
        "separator": separation.name,
        "reason": separation.reason,
        "restarts": separation.restarts,
        "cpu": round(separation.cpu, 3),
        "dropped_s": round(samples_to_s(separation.dropped), 3),
    }
