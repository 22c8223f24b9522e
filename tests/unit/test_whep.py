"""Where a browser looks at an output, or why it cannot."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any, cast

import pytest

from dubcast.config import Secret, Settings
from dubcast.errors import ConfigError
from dubcast.mediaserver.choice import create
from dubcast.mediaserver.interface import control_plane
from dubcast.mediaserver.mediamtx_ingest import protocols
from dubcast.orchestrator.children import StreamChild
from dubcast.orchestrator.report import _describe_whep

URL = "http://127.0.0.1:8889/live/abc/out/whep"


def worker(**output: Any) -> StreamChild:
    return cast(StreamChild, SimpleNamespace(supervisor=SimpleNamespace(status={"output": output})))


@pytest.mark.parametrize(
    ("url", "child", "told"),
    [
        (None, worker(), {"url": None, "reason": "off"}),
        (None, worker(b_frames=True), {"url": None, "reason": "off"}),
        (URL, None, {"url": URL, "reason": ""}),
        (URL, worker(b_frames=False), {"url": URL, "reason": ""}),
        (URL, worker(b_frames=True), {"url": None, "reason": "b_frames"}),
    ],
)
def test_a_url_or_a_reason(
    url: str | None, child: StreamChild | None, told: dict[str, str | None]
) -> None:
    assert _describe_whep(url, child) == told


def settings(**media: Any) -> Settings:
    return Settings.model_validate({"media_server": {"whep": True, **media}})


def test_what_cannot_serve_it_is_refused() -> None:
    embedded = settings(kind="embedded")
    plane = control_plane(embedded, Secret("a-secret"))
    with pytest.raises(ConfigError, match="has no WebRTC"):
        create(embedded, plane)
    with pytest.raises(ConfigError, match="needs `webrtc`"):
        protocols(settings(ingest={"protocols": ["rtmp"]}).media_server)


def test_https_where_there_is_a_certificate() -> None:
    own = settings(attach=True, ingest={"certificate": "/a.pem", "certificate_key": "/a.key"})
    server = create(own, control_plane(own, Secret("a-secret")))
    assert server.whep_url("live/abc/out") == URL.replace("http:", "https:")
