"""An RTMP URL, taken apart as RTMP servers understand it. Pure."""

from __future__ import annotations

from dataclasses import dataclass, replace
from urllib.parse import unquote, urlsplit

from dubcast.config import Secret
from dubcast.errors import ConfigError

_PORTS = {"rtmp": 1935, "rtmps": 443}
_NONE = Secret("")


@dataclass(frozen=True)
class Address:
    """Where a stream is published or played. `name` is the stream key, with its query."""

    scheme: str
    host: str
    port: int
    app: str
    name: str
    user: str = ""
    password: Secret = _NONE
    # The query by which a server's question for user and password is answered (`rtmp.auth`).
    answer: str = ""

    def __repr__(self) -> str:
        return f"Address({self.scheme}://{self.host}:{self.port}/***)"

    @property
    def secure(self) -> bool:
        return self.scheme == "rtmps"

    @property
    def told_app(self) -> str:
        """The application as the server is told it."""
        return self.app + self.answer

    @property
    def tc_url(self) -> str:
        """The URL of the application, without the stream's name."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        port = "" if self.port == _PORTS[self.scheme] else f":{self.port}"
        return f"{self.scheme}://{host}{port}/{self.told_app}"


def parse(url: str) -> Address:
    """Raises ConfigError for a URL that is not RTMP or has no host; its message has no URL.

    Of a path with more than two parts the first two are the application, as ffmpeg and OBS's
    librtmp have it; a query belongs to what it stands behind.
    """
    try:
        parts = urlsplit(url.strip())
        port = parts.port
    except ValueError as error:
        raise ConfigError("the URL cannot be read") from error
    if parts.scheme not in _PORTS or not parts.hostname:
        raise ConfigError("the URL is not rtmp://host/app/key, or rtmps://host/app/key")
    rest = url.strip().partition("://")[2].partition("/")[2]
    app, name = _split(rest)
    return Address(
        *(parts.scheme, parts.hostname, port or _PORTS[parts.scheme], app, name),
        user=unquote(parts.username or ""),
        password=Secret(unquote(parts.password or "")),
    )


def _split(path: str) -> tuple[str, str]:
    """Application and stream name."""
    plain = path.partition("?")[0]
    if "/" not in plain:
        # One part, perhaps with a query that holds the slash before the name.
        app, slash, name = path.rpartition("/")
        return (app, name) if slash else (path, "")
    first, _, rest = path.partition("/")
    second, slash, name = rest.partition("/")
    if slash and "?" not in second and ":" not in second:
        return f"{first}/{second}", name
    return first, rest


def redirected(address: Address, url: str) -> Address:
    """Where a server sends a publisher: to a whole URL, or to an application for the same name.

    Raises ConfigError for what is no RTMP URL, or would send an encrypted key readable.
    """
    target = parse(url)
    if address.secure and not target.secure:
        raise ConfigError("the server redirects from rtmps to rtmp, where the key can be read")
    name = address.name.partition("?")[0]
    whole = url.partition("://")[2].partition("/")[2]
    if not name or whole.partition("?")[0].rpartition("/")[2] != name.rpartition("/")[2]:
        target = replace(target, app=whole.strip("/"), name=address.name)
    return replace(target, user=address.user, password=address.password)
