"""The services elsewhere that do a stage of the speech service: asked whether they are there."""

from __future__ import annotations

from typing import Any

from dubcast.config import Settings
from dubcast.doctor.report import Finding
from dubcast.errors import DubcastError
from dubcast.sts.build import elsewhere
from dubcast.sts.providers.interface import Provider


def findings(settings: Settings) -> list[Finding]:
    """One line for each; none where every stage is done here."""
    try:
        providers = elsewhere(settings)
    except DubcastError as error:
        return [Finding("services elsewhere", False, str(error))]
    return [_asked(f"{stage} elsewhere", one) for stage, one in providers.items()]


def _asked(name: str, provider: Provider[Any, Any]) -> Finding:
    try:
        provider.load()
    except DubcastError as error:
        return Finding(name, False, str(error))
    finally:
        provider.close()
    return Finding(name, True, provider.capabilities.model)
