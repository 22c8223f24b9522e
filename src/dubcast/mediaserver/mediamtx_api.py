"""The API of MediaMTX: asked with a key, page by page."""

from __future__ import annotations

import contextlib
from typing import Any
from urllib.parse import quote

import httpx2

from dubcast.addresses import host_port, reachable
from dubcast.certificates import trusted
from dubcast.config import MediaServerSettings, Secret
from dubcast.errors import MediaServerError
from dubcast.mediaserver.interface import api_error
from dubcast.mediaserver.keys import USER
from dubcast.mediaserver.mediamtx_check import Found, parse_version

_PAGE = 100
# Whoever comes with a wrong key gets his answer after 2 s.
_TIMEOUT_S = 4.0
_COLLECTIONS = {  # type of a source -> its collection in the API
    "rtmpConn": "rtmpconns",
    "rtmpsConn": "rtmpsconns",
    "rtspSession": "rtspsessions",
    "rtspsSession": "rtspssessions",
    "srtConn": "srtconns",
    "webRTCSession": "webrtcsessions",
}


def api_url(settings: MediaServerSettings) -> str:
    """Where the API is asked: as it is set, or where it listens, or at the attached server."""
    if settings.api_url is not None:
        return settings.api_url
    host = settings.host if settings.attach else reachable(settings.api_host)
    return f"http://{host_port(host, settings.api_port)}"


class MediaMtxApi:
    """Every method raises MediaServerError if the API does not answer, or not to us."""

    def __init__(self, url: str, key: Secret) -> None:
        self.url = url
        auth = (USER, key.get_secret_value())
        self._client = httpx2.AsyncClient(
            base_url=url, auth=auth, timeout=_TIMEOUT_S, trust_env=False, verify=trusted()
        )

    async def pages(self, url: str) -> list[dict[str, Any]]:
        """All items of a list."""
        items: list[dict[str, Any]] = []
        page, pages = 0, 1
        while page < pages:
            reply = await self.call("GET", url, page=page, itemsPerPage=_PAGE)
            try:
                body = reply.raise_for_status().json()
                items += body["items"]
                pages = int(body["pageCount"])
            except (httpx2.HTTPError, ValueError, KeyError, TypeError) as error:
                raise api_error(error, "mediamtx") from error
            page += 1
        return items

    async def source(self, kind: str, source_id: str) -> dict[str, Any] | None:
        """What is known of a publisher; None if it is gone, or its kind has no list."""
        collection = _COLLECTIONS.get(kind)
        if collection is None:
            return None
        return await self.value(f"/v3/{collection}/get/{quote(source_id)}")

    async def kick(self, kind: str, source_id: str) -> bool:
        """Cut a connection off; False if it is gone, or its kind cannot be."""
        collection = _COLLECTIONS.get(kind)
        if collection is None:
            return False
        reply = await self.call("POST", f"/v3/{collection}/kick/{quote(source_id)}")
        return reply.status_code == 200

    async def value(self, url: str) -> dict[str, Any] | None:
        """One JSON object; None if there is none of that name."""
        reply = await self.call("GET", url)
        if reply.status_code != 200:
            return None
        try:
            return dict(reply.json())
        except (ValueError, TypeError) as error:
            raise api_error(error, "mediamtx") from error

    async def found(self) -> Found:
        """What the server is and how it is configured."""
        info = await self.value("/v3/info")
        return Found(
            version=parse_version(str((info or {}).get("version", ""))),
            general=await self.value("/v3/config/global/get") or {},
            paths=await self.pages("/v3/config/paths/list"),
        )

    async def call(self, method: str, url: str, **params: int) -> httpx2.Response:
        try:
            reply = await self._client.request(method, url, params=params or None)
        except httpx2.HTTPError as error:
            raise api_error(error, "mediamtx") from error
        if reply.status_code == 401:
            raise MediaServerError(
                "the API of mediamtx refuses our key: orchestrator.hook_secret must be the same in "
                "all roles, or media_server.api_key what the server asks for"
            )
        return reply

    async def close(self) -> None:
        with contextlib.suppress(httpx2.HTTPError):
            await self._client.aclose()
