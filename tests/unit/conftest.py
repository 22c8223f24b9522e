"""What all unit tests are spared."""

from collections.abc import Iterator

import pytest


@pytest.fixture(scope="session", autouse=True)
def nothing_is_freed() -> Iterator[None]:
    """A worker frees memory every ten seconds; a virtual one would look through all of pytest's."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("dubcast.worker.telemetry.free_memory", lambda: None)
        yield
