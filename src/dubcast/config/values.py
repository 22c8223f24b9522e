"""What single settings are made of: the base of the sections, and the kinds of their values."""

from __future__ import annotations

import ipaddress
import re
from pathlib import Path
from typing import Annotated
from urllib.parse import SplitResult, urlsplit

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from dubcast.config.secret import Secret, SecretUrl
from dubcast.config.srt_url import SRT, parse_srt_url


class Section(BaseModel):
    """Base of the settings: frozen, strict about names; its errors hold no value."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)


def _key(key: Secret) -> Secret:
    text = key.get_secret_value()
    if not text:
        raise ValueError("is empty, which opens nothing; leave it out to have none")
    if not text.isprintable():
        raise ValueError("holds a line break or another character that cannot be printed")
    return key


def _bearer_key(key: Secret) -> Secret:
    """One that a header carries as it is. What a library cannot send it quotes in its error."""
    text = key.get_secret_value()
    if text != text.strip():
        raise ValueError("begins or ends with a space")
    if not text.isascii():
        raise ValueError("holds a letter or sign that is not of ASCII")
    return key


def _http_url(url: str) -> str:
    if not url.startswith(("http://", "https://")):
        raise ValueError("must start with http:// or https://")
    parts = _split(url)
    # A URL is printed and logged as it is; keys have settings of their own, which are not.
    if parts.username or parts.password or parts.query or parts.fragment:
        raise ValueError("must hold no user, password or ?query; a key is a setting of its own")
    return url.rstrip("/")


def _destination_url(url: SecretUrl) -> SecretUrl:
    text = url.get_secret_value()
    if not text.startswith(("rtmp://", "rtmps://", SRT)):
        raise ValueError("must start with rtmp://, rtmps:// or srt://")
    if not text.isprintable() or " " in text:
        raise ValueError("must hold no space or line break; a space in a key is written %20")
    if text.startswith(SRT):
        parse_srt_url(text)
        return url
    if not _split(text).path.strip("/"):
        raise ValueError("must name what to publish, as rtmp://host/app/key")
    return url


def _host(text: str) -> str:
    """A name or an address, without the brackets that a URL has around one of IPv6."""
    bare = text.removeprefix("[").removesuffix("]") if text.startswith("[") else text
    if not bare or not bare.isprintable() or re.search(r"[\s/@\[\]]", bare):
        raise ValueError("must be a host name or an address, without a port")
    if ":" in bare:
        try:
            ipaddress.IPv6Address(bare)
        except ValueError:
            raise ValueError(
                "must be a host name or an address; a port is a setting of its own"
            ) from None
    return bare


def _split(url: str) -> SplitResult:
    """The parts of a URL that has a host. Raises ValueError, whose text holds nothing of it."""
    try:
        parts = urlsplit(url)
        _ = parts.port
    except ValueError:
        raise ValueError("is not a URL: its host or port cannot be read") from None
    if not parts.hostname:
        raise ValueError("must name a host")
    return parts


def _at_home(path: Path) -> Path:
    try:
        return path.expanduser()
    except RuntimeError:
        raise ValueError("names a home folder that is not known here") from None


Host = Annotated[str, AfterValidator(_host)]
Port = Annotated[int, Field(ge=1, le=65535)]
Key = Annotated[Secret, AfterValidator(_key)]
BearerKey = Annotated[Key, AfterValidator(_bearer_key)]
HttpUrl = Annotated[str, AfterValidator(_http_url)]
DestinationUrl = Annotated[SecretUrl, AfterValidator(_destination_url)]
UserPath = Annotated[Path, AfterValidator(_at_home)]  # `~` is the user's home
