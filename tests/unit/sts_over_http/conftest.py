"""A running service with fake models."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator

import httpx2
import pytest

from dubcast.sts.engine import Engine
from sts_fakes import Script, running
from sts_http import client_of


@pytest.fixture
def script() -> Script:
    return Script()


@pytest.fixture
def engine(script: Script) -> Iterator[Engine]:
    with running(script) as engine:
        yield engine


@pytest.fixture
async def client(engine: Engine) -> AsyncIterator[httpx2.AsyncClient]:
    async with client_of(engine) as client:
        yield client
