"""Its presence puts this folder on the import path, so that tests share `rig`."""

from __future__ import annotations

import gc
from collections.abc import Generator, Iterator

import pytest
import structlog
from hypothesis import HealthCheck, settings

# `--hypothesis-profile=deep` (`make test-deep`): as many examples as the figures are about.
settings.register_profile("deep", max_examples=1000, stateful_step_count=50, deadline=None)
settings.register_profile(
    "quick", deadline=None, suppress_health_check=[HealthCheck.too_slow], derandomize=True
)
settings.load_profile("quick")

# The default draws every frame's variables: seconds of CPU for one error that is logged.
PLAIN = structlog.dev.plain_traceback

_NO_BINARY = "no mediamtx binary on PATH or in media_server.mediamtx_path"


@pytest.fixture(autouse=True)
def own_log() -> Iterator[None]:
    """A test that sets the log up has it for itself: its stream is closed after it."""
    structlog.configure([structlog.dev.ConsoleRenderer(colors=False, exception_formatter=PLAIN)])
    yield
    structlog.reset_defaults()
    structlog.contextvars.clear_contextvars()


@pytest.fixture(scope="module", params=["embedded", "mediamtx"])
def server_kind(request: pytest.FixtureRequest) -> str:
    """The media server of a test: each test that asks for it runs on both."""
    from rig import mediamtx_found

    if request.param == "mediamtx" and not mediamtx_found():
        pytest.skip(_NO_BINARY)
    return str(request.param)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Without MediaMTX the summary has one line with the number of tests, not a line for each."""
    report = yield
    if isinstance(report.longrepr, tuple) and _NO_BINARY in report.longrepr[2]:
        report.longrepr = (__file__, None, report.longrepr[2])
    return report


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """`fails_on_real_server(reason)`: the test must fail on MediaMTX, and only there."""
    for item in items:
        marker = item.get_closest_marker("fails_on_real_server")
        callspec = getattr(item, "callspec", None)
        if marker and callspec and callspec.params.get("server_kind") == "mediamtx":
            item.add_marker(
                pytest.mark.xfail(strict=True, raises=AssertionError, reason=marker.args[0])
            )


def pytest_collection() -> None:
    """What is collected now lives to the end: there is no garbage to look for."""
    gc.disable()


def pytest_collection_finish() -> None:
    """Nor need it be looked for among what pytest holds, nor after every 700 new objects."""
    gc.freeze()
    gc.set_threshold(20_000, 10, 10)
    gc.enable()
