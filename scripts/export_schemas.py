"""Writes docs/schemas/ from the code: OpenAPI of both services, JSON Schema of the hook event."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any
from unittest.mock import MagicMock, patch

FOLDER = Path(__file__).parents[1] / "docs" / "schemas"


def documents() -> dict[str, dict[str, Any]]:
    """File name -> document."""
    from dubcast.config import Secret, Settings
    from dubcast.contract.hooks import HookEvent
    from dubcast.contract.stream_reply import FRAMES
    from dubcast.contract.streams import EgressStatus
    from dubcast.contract.sts import StsRequest, StsResponse
    from dubcast.contract.worker import AsRunEntry, WorkerStatus
    from dubcast.orchestrator.app import create_app as orchestrator_app
    from dubcast.sts.app import create_app as sts_app

    settings = Settings()
    # Describing an application runs none of its parts.
    with patch("dubcast.sts.app.Service"):
        sts = sts_app(settings, MagicMock())
    orchestrator = orchestrator_app(MagicMock(), settings, Secret(""))
    return {
        "egress-status.json": EgressStatus.model_json_schema(),
        "sts-openapi.json": sts.openapi(),
        "orchestrator-openapi.json": orchestrator.openapi(),
        "sts-request.json": StsRequest.model_json_schema(),
        "sts-response.json": StsResponse.model_json_schema(),
        "sts-stream-frames.json": FRAMES.json_schema(mode="serialization"),
        "hook-event.json": HookEvent.model_json_schema(),
        "worker-status.json": WorkerStatus.model_json_schema(mode="serialization"),
        "as-run-entry.json": AsRunEntry.model_json_schema(mode="serialization"),
    }


def text(document: dict[str, Any]) -> str:
    """As it is written to the file."""
    return json.dumps(document, indent=2, ensure_ascii=False, sort_keys=True) + "\n"


if __name__ == "__main__":
    FOLDER.mkdir(parents=True, exist_ok=True)
    for name, document in documents().items():
        (FOLDER / name).write_text(text(document), encoding="utf-8")
