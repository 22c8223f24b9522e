"""Calls that would change what a media server does, in every form that might slip past a check.

Each asks the server to run a program that leaves a mark, or changes its config otherwise. On an
open API the plain ones do; on dubcast's none may.
"""

from __future__ import annotations

import base64
import http.client
import json
import socket
from collections.abc import Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

_WAIT_S = 8.0  # a wrong key is answered late, on purpose
_CONFIG = ("global/get", "pathdefaults/get", "paths/list?itemsPerPage=1000")


@dataclass(frozen=True)
class Injection:
    """One call, as it goes on the wire."""

    name: str
    method: str
    target: str
    body: Mapping[str, Any] = field(default_factory=dict)
    headers: Mapping[str, str] = field(default_factory=dict)
    version: str = "HTTP/1.1"

    def sent(self, host: str) -> bytes:
        """The request with a fixed length, and a connection that ends with it."""
        body = json.dumps(self.body).encode() if self.body else b""
        headers = {
            "Host": host,
            "Content-Type": "application/json",
            "Content-Length": str(len(body)),
            "Connection": "close",
            **self.headers,
        }
        lines = [f"{self.method} {self.target} {self.version}"]
        lines += [f"{name}: {value}" for name, value in headers.items()]
        return "\r\n".join([*lines, "", ""]).encode() + body


def basic(user: str, password: str) -> dict[str, str]:
    """The header of HTTP Basic."""
    return {"Authorization": "Basic " + base64.b64encode(f"{user}:{password}".encode()).decode()}


def injections(marks: Path, keys: Iterable[str]) -> list[Injection]:
    """More than twenty forms; the marks go into `marks`. `keys`: real ones of other doors."""
    return [
        *_other_bodies(marks),
        *_other_calls(marks),
        *_other_ways(marks),
        *(
            _add(marks, f"a key for something else ({count})", headers=basic("dubcast", key))
            for count, key in enumerate(keys)
        ),
    ]


def mark_of(marks: Path, name: str) -> Path:
    """The file that shows that a call of this name ran its program."""
    return marks / "".join(one if one.isalnum() else "-" for one in name)


def _runs(marks: Path, name: str) -> dict[str, Any]:
    return {"runOnInit": f"touch {mark_of(marks, name)}"}


def _add(
    marks: Path,
    name: str,
    *,
    before: str = "/v3/config/paths/add/",
    after: str = "",
    headers: Mapping[str, str] | None = None,
    version: str = "HTTP/1.1",
    method: str = "POST",
) -> Injection:
    """A path that runs a program as soon as it is there."""
    target = f"{before}{mark_of(marks, name).name}{after}"
    return Injection(name, method, target, _runs(marks, name), headers or {}, version)


def _other_bodies(marks: Path) -> list[Injection]:
    """As a page in a browser sends it: no preflight is asked for these."""
    foreign = {"Origin": "https://elsewhere.example"}
    form = "application/x-www-form-urlencoded"
    return [
        _add(marks, "plain"),
        _add(marks, "text from a page", headers={**foreign, "Content-Type": "text/plain"}),
        _add(marks, "a form of a page", headers={**foreign, "Content-Type": form}),
        _add(
            marks,
            "after a preflight",
            headers={**foreign, "Access-Control-Request-Method": "POST"},
        ),
    ]


def _other_calls(marks: Path) -> list[Injection]:
    command = {"runOnConnect": f"touch {mark_of(marks, 'on connect')}"}
    defaults = {"runOnUnavailable": f"touch {mark_of(marks, 'by default')}"}
    return [
        _add(marks, "replaced", before="/v3/config/paths/replace/"),
        Injection("on connect", "PATCH", "/v3/config/global/patch", command),
        Injection("by default", "PATCH", "/v3/config/pathdefaults/patch", defaults),
        Injection("everybody", "PATCH", "/v3/config/global/patch", {"authMethod": "internal"}),
        Injection(
            "takeover", "PATCH", "/v3/config/pathdefaults/patch", {"overridePublisher": True}
        ),
        Injection("a path less", "DELETE", "/v3/config/paths/delete/all_others"),
        Injection("a path more", "PATCH", "/v3/config/paths/patch/all_others", defaults),
    ]


def _other_ways(marks: Path) -> list[Injection]:
    """Around whatever looks at the credentials, the address or the method."""
    near = {"X-Forwarded-For": "127.0.0.1", "X-Real-IP": "127.0.0.1", "Forwarded": "for=127.0.0.1"}
    overridden = {"X-HTTP-Method-Override": "POST", "X-Method-Override": "POST"}
    return [
        _add(marks, "no password", headers=basic("dubcast", "")),
        _add(marks, "anybody", headers=basic("any", "any")),
        _add(marks, "an empty token", headers={"Authorization": "Bearer "}),
        _add(marks, "digest", headers={"Authorization": 'Digest username="dubcast"'}),
        _add(marks, "a query", after="?user=dubcast&pass=&token=&jwt=&key="),
        _add(marks, "from near", headers=near),
        _add(marks, "another method", method="GET", headers=overridden),
        _add(marks, "doubled slashes", before="//v3//config//paths/add/"),
        _add(marks, "up and down", before="/v3/config/paths/add/x/../../add/"),
        _add(marks, "escaped", before="/v3/%63onfig/paths/%61dd/"),
        _add(marks, "an old version", version="HTTP/1.0"),
    ]


def sent(address: tuple[str, int], calls: Iterable[Injection]) -> dict[str, int]:
    """Send them all at once; name -> status, 0 for a connection that was cut."""
    with ThreadPoolExecutor(40) as pool:
        waiting = {one.name: pool.submit(_send, address, one) for one in calls}
        return {name: one.result() for name, one in waiting.items()}


def _send(address: tuple[str, int], call: Injection) -> int:
    try:
        with socket.create_connection(address, timeout=_WAIT_S) as raw:
            raw.sendall(call.sent(f"{address[0]}:{address[1]}"))
            reply = http.client.HTTPResponse(raw, method=call.method)
            reply.begin()
            return reply.status
    except (OSError, http.client.HTTPException):
        return 0


def config_of(address: tuple[str, int], headers: Mapping[str, str]) -> str:
    """The whole config of a server, as its API tells it to who may ask."""
    told = []
    for part in _CONFIG:
        connection = http.client.HTTPConnection(*address, timeout=_WAIT_S)
        try:
            connection.request("GET", f"/v3/config/{part}", headers=dict(headers))
            reply = connection.getresponse()
            told.append(f"{reply.status} {reply.read().decode()}")
        finally:
            connection.close()
    return "\n".join(told)


def accepted(marks: Path, statuses: Mapping[str, int]) -> list[str]:
    """The calls that were taken: by their answer, or by what they left."""
    return sorted(
        name
        for name, status in statuses.items()
        if 200 <= status < 300 or mark_of(marks, name).exists()
    )
