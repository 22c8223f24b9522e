"""What dubcast asks of a media server, whichever it is.

Starting the server and talking to it are apart: the role `dubcast media-server` starts it, the
orchestrator only talks to it, so that the streams outlive an orchestrator.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import ClassVar

from dubcast.addresses import host_port, reachable
from dubcast.config import MediaServerSettings, Secret, Settings
from dubcast.errors import MediaServerError
from dubcast.mediaserver import ways_in
from dubcast.mediaserver.keys import without_keys
from dubcast.mediaserver.ways_in import TrackFault

# Beyond the grace period: until a publisher that returned is on air again, or a new worker is, it
# takes the longest delay, and the time to connect.
_OUTPUT_MARGIN_S = 30.0


@dataclass(frozen=True)
class PathSource:
    """Who publishes on a path, and what. `source_id` is new with each connection: the fencing
    token. `tracks`: codecs as the server names them, empty if it does not tell."""

    path: str
    source_id: str
    source_type: str = ""
    query: str = field(default="", repr=False)  # the publisher's key may be in it
    tracks: tuple[str, ...] = ()


@dataclass(frozen=True)
class ControlPlane:
    """Where the server sends its hooks and asks about publishers.

    `auth_required`: with the control plane away, publishers are refused. Otherwise any
    well-formed ingest path is open, and stays so (embedded server only; MediaMTX always refuses).
    The question goes to `auth_url` with the key that `keys.own_keys` calls `callback` (HTTP Basic).
    """

    hook_url: str | None  # without the trailing /ready or /not-ready
    hook_secret: Secret
    auth_url: str
    auth_required: bool
    # An output sends nothing while its publisher is away, and is to outlive that.
    silent_output_s: float = 90.0


class MediaServer(ABC):
    """A media server on this machine, or one that is attached to.

    `start`, `wait` and `stop` own its process; the rest needs only that it runs somewhere.
    """

    kind: str
    # Protocols of publishers whom the server lists only a while after it let them in, and as what.
    lists_late: ClassVar[Mapping[str, str]] = {}

    def __init__(self, settings: MediaServerSettings, plane: ControlPlane) -> None:
        self.settings = settings
        self.plane = plane

    @abstractmethod
    async def start(self) -> None:
        """Start the server and return when it accepts publishers.

        Raises MissingPartError if a program is missing, MediaServerError if it does not start.
        """

    @abstractmethod
    async def wait(self) -> int:
        """Wait until the started process ends; returns its exit code. Safe to cancel."""

    @abstractmethod
    async def stop(self) -> None:
        """Stop what `start` started; harmless otherwise."""

    @abstractmethod
    async def ready_paths(self) -> dict[str, PathSource]:
        """Every path that has a publisher. Raises MediaServerError if the server is away."""

    @abstractmethod
    async def kick(self, path: str) -> bool:
        """Cut the publisher of `path` off; False if there is none. Raises MediaServerError."""

    @abstractmethod
    async def close(self) -> None:
        """Release the connections to the server's API."""

    def metrics_address(self) -> str | None:
        """`host:port` where the server tells its own metrics; None if it has none."""
        return None

    def publish_url(self, path: str) -> str:
        """Where a role of dubcast publishes `path`."""
        return f"rtmp://{host_port(self.settings.host, self.settings.rtmp_port)}/{path}"

    def read_url(self, path: str) -> str:
        """Where a role of dubcast reads `path`, of which it knows that RTMP carries all of it."""
        return self.publish_url(path)

    def whep_url(self, path: str) -> str | None:
        """Where a browser looks at `path` by WebRTC; None if that is not asked for."""
        own = self.settings.ingest
        scheme = "https" if own.certificate else "http"
        address = host_port(self.settings.host, own.webrtc_port)
        return f"{scheme}://{address}/{path}/whep" if self.settings.whep else None

    def source_url(self, source: PathSource) -> str:
        """Where a worker reads what `source` publishes, so that none of its tracks is lost."""
        return self.read_url(source.path)

    def expected(self, path: str, protocol: str, query: str) -> PathSource | None:
        """What a publisher who was let in just now will be listed as, but for its id and tracks;
        None where the server lists it at once."""
        kind = self.lists_late.get(protocol)
        return PathSource(path, "", kind, without_keys(query)) if kind else None

    def refusal(self, source: PathSource) -> TrackFault | None:
        """Why what `source` publishes cannot be served, as far as the server tells."""
        return ways_in.refusal(source.tracks)


def control_plane(settings: Settings, hook_secret: Secret) -> ControlPlane:
    """The control plane that `settings` describe."""
    own = settings.orchestrator
    base = f"{own.url or 'http://' + host_port(reachable(own.host), own.port)}/v1"
    return ControlPlane(
        hook_url=f"{base}/mediamtx/events",
        hook_secret=hook_secret,
        auth_url=f"{base}/internal/mtx-auth",
        auth_required=own.publish_key is not None or not own.open_ingest,
        silent_output_s=own.grace_s + _OUTPUT_MARGIN_S,
    )


def api_error(error: Exception, server: str) -> MediaServerError:
    """A failed call of the server's API in dubcast's terms."""
    return MediaServerError(f"the API of {server} does not answer: {type(error).__name__}")
