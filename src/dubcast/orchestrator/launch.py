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
    StsClientSettings,
)
from dubcast.contract.ids import ingest_path, output_path
from dubcast.egress import targets
from dubcast.mediaserver.auth import is_private
from dubcast.mediaserver.interface import MediaServer
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

    def children(self, stream_id: str, query: str) -> list[ChildSpec]:
        """The worker first, then the egress of every destination."""
        chosen = targets.destinations(self._settings, stream_id)
        return [self._worker(stream_id, query), *(self._egress(stream_id, one) for one in chosen)]

    def _worker(self, stream_id: str, query: str) -> ChildSpec:
        policy = policy_of(self._settings, stream_id, query)
        # The keys of publishers and destinations are none of the worker's business.
        own = self._settings.model_copy(
            update={
                "stream": policy,
                "orchestrator": OrchestratorSettings(),
                "media_server": self._media_server(),
            }
        )
        ends = (
            *("--stream-id", stream_id, *self._patience()),
            *("--input", self._server.read_url(ingest_path(stream_id))),
            *("--output", self._server.publish_url(output_path(stream_id))),
        )
        env = config.child_env(own)
        argv = (*self._program, "passthrough", *ends)
        instead = ChildSpec("worker", stream_id, "", argv, env, mode=PASSTHROUGH)
        argv = (*self._program, "worker", *ends)
        return ChildSpec("worker", stream_id, "", argv, env, again=("--resume",), instead=instead)

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
        own = self._settings.model_copy(
            update={
                "orchestrator": only,
                "sts": StsClientSettings(),
                "media_server": self._media_server(),
            }
        )
        argv = (
            *(*self._program, "egress", "--stream-id", stream_id, *self._patience()),
            *("--input", self._server.read_url(output_path(stream_id))),
            *("--destination", destination.name),
        )
        return ChildSpec("egress", stream_id, destination.name, argv, config.child_env(own))
