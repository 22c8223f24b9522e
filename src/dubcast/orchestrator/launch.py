"""What is started for a stream: its worker, and one egress per destination. Pure."""

from __future__ import annotations

import sys
from urllib.parse import parse_qs

from dubcast import config
from dubcast.config import (
    DestinationSettings,
    MediaServerSettings,
    OrchestratorSettings,
    Settings,
    StreamSettings,
)
from dubcast.contract.ids import ingest_path, output_path
from dubcast.egress import targets
from dubcast.mediaserver.auth import is_private
from dubcast.mediaserver.interface import MediaServer, PathSource
from dubcast.mediaserver.keys import own_keys
from dubcast.orchestrator.placement.driver import ChildSpec
from dubcast.processes.child import PASSTHROUGH

_LONGEST = 40  # characters of a choice
# What a publisher may choose in its query, and the setting that it changes.
_CHOICES = {"lang": "target_language", "from": "source_language", "voice": "voice"}
# A child whose orchestrator never returns ends when its input is gone this much longer than the
# orchestrator would have waited.
_ORPHAN_S = 30.0


def policy_of(settings: Settings, stream_id: str, query: str) -> StreamSettings:
    """The stream's policy, with what its publisher chose (`?lang=pt-BR&voice=pf_dora`)."""
    policy = settings.stream_policy(stream_id)
    return policy.model_copy(update=_chosen(query))


def _chosen(query: str) -> dict[str, str]:
    try:
        given = parse_qs(query, max_num_fields=32)
    except ValueError:
        return {}
    return {
        setting: _readable(given[name][-1]) for name, setting in _CHOICES.items() if name in given
    }


def _readable(choice: str) -> str:
    """A choice as it is handed on. What is no language or voice is not corrected in silence: the
    stream is refused with these words."""
    return "".join(one if one.isprintable() else "?" for one in choice[:_LONGEST])


class Launcher:
    """Says how the children of a stream are started. `program` is what starts a role."""

    def __init__(
        self,
        settings: Settings,
        server: MediaServer,
        program: tuple[str, ...] = (sys.executable, "-m", "dubcast"),
    ) -> None:
        self._settings = settings
        self._server = server
        self._program = program

    def children(self, stream_id: str, source: PathSource | None) -> list[ChildSpec]:
        """The worker first, then the egress of every destination. `source`: who publishes, if that
        is known."""
        chosen = targets.destinations(self._settings, stream_id)
        egress = (self._egress(stream_id, one) for one in chosen)
        return [self.worker(stream_id, source), *egress]

    def source_url(self, source: PathSource) -> str:
        """Where the worker reads what `source` publishes."""
        return self._server.source_url(source)

    def worker(self, stream_id: str, source: PathSource | None) -> ChildSpec:
        """The worker alone."""
        policy = policy_of(self._settings, stream_id, source.query if source else "")
        known = source or PathSource(ingest_path(stream_id), "")
        # The streams and destinations of others are none of the worker's business.
        own = self._settings.model_copy(
            update={
                "stream": policy,
                "orchestrator": OrchestratorSettings(),
                "media_server": self._media_server(),
            }
        )
        # The passthrough copies into FLV: it reads by RTMP, which has what fits in there.
        copied = self._server.read_url(known.path)
        argv = (*self._program, "passthrough", *self._ends(stream_id, copied))
        env = config.child_env(config.settings_of("passthrough", own))
        instead = ChildSpec("worker", stream_id, "", argv, env, mode=PASSTHROUGH)
        argv = (*self._program, "worker", *self._ends(stream_id, self.source_url(known)))
        env = config.child_env(config.settings_of("worker", own))
        return ChildSpec("worker", stream_id, "", argv, env, again=("--resume",), instead=instead)

    def _ends(self, stream_id: str, source_url: str) -> tuple[str, ...]:
        return (
            *("--stream-id", stream_id, *self._patience(), "--input", source_url),
            *("--output", self._server.publish_url(output_path(stream_id))),
        )

    def _media_server(self) -> MediaServerSettings:
        """The media server as children know it: with the roles' key, where it asks for one."""
        own = self._settings.media_server
        key = own_keys(own, self._server.plane.hook_secret).roles
        asks = not is_private(own)
        return own.model_copy(update={"api_key": None, "roles_key": key if asks else None})

    def _patience(self) -> tuple[str, str]:
        patience_s = 2 * self._settings.orchestrator.grace_s + _ORPHAN_S
        return "--patience", f"{patience_s:g}"

    def _egress(self, stream_id: str, destination: DestinationSettings) -> ChildSpec:
        only = OrchestratorSettings(destinations=(destination,))
        media = self._media_server()
        own = self._settings.model_copy(update={"orchestrator": only, "media_server": media})
        argv = (
            *(*self._program, "egress", "--stream-id", stream_id, *self._patience()),
            *("--input", self._server.read_url(output_path(stream_id))),
            *("--destination", destination.name),
        )
        env = config.child_env(config.settings_of("egress", own))
        return ChildSpec("egress", stream_id, destination.name, argv, env)
