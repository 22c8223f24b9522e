"""What one worker is asked to do."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from dubcast.config import DumpSettings, SecretUrl, StreamSettings, StsClientSettings
from dubcast.separation.client import ClientSettings


@dataclass(frozen=True)
class WorkerSpec:
    """One stream: from where, to where, and by which policy."""

    stream_id: str
    source: SecretUrl
    destination: SecretUrl
    policy: StreamSettings
    sts: StsClientSettings
    end_with_input: bool = False  # `run` on a file: stop when it has ended and all has left
    dumps: DumpSettings = field(default_factory=DumpSettings)
    models_dir: Path | None = None  # None: the user's cache folder
    input_patience_s: float | None = None  # stop when the source is gone this long
    must_begin: bool = False  # `run`: a source that never came is an error
    resume_delay_s: float | None = None  # after a crash: the delay to start with
    drain_s: float = 0.0  # on `stop`: play out what is held, at most so long


def separation_settings(policy: StreamSettings, models_dir: Path | None) -> ClientSettings | None:
    """How the stream's speech is separated from its background; None: it is not."""
    chosen = policy.separation
    if chosen.separator == "off":
        return None
    return ClientSettings(chosen.separator, models_dir, chosen.nice)
