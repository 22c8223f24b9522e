"""Pictures that pause, come seldom or late, and timestamps as encoders send them: what
`make bench-onair` shows, as tests.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping

import pytest
from rich.console import Console

from bench.onair import media
from dubcast.config import Settings
from dubcast.measure.figures import Bar, Figure, judge, passed

pytestmark = pytest.mark.timeout(180)


@pytest.fixture(scope="module")
def found(tmp_path_factory: pytest.TempPathFactory) -> Mapping[str, Figure]:
    folder = tmp_path_factory.mktemp("on-air")
    return media.measured(asyncio.run(media.take(Settings(), folder, Console(quiet=True))))


@pytest.mark.parametrize("bar", media.BARS, ids=lambda bar: bar.key)
def test_it_is_within_its_bar(found: Mapping[str, Figure], bar: Bar) -> None:
    assert passed(judge(found, [bar])), found
