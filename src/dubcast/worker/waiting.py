"""Waiting, in the event loop, for what the pipelines' threads bring about."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

_LOOK_S = 0.05

End = tuple[str, str]  # kind (eos, error, refused) and what was said


async def until(condition: Callable[[], bool]) -> None:
    """Wait until `condition` is true; cancelling is safe."""
    while not condition():  # noqa: ASYNC110 - an event would be set a thousand times a second
        await asyncio.sleep(_LOOK_S)


def resolve(ended: asyncio.Future[End], end: End) -> None:
    """The end of a pipeline; the first one counts."""
    if not ended.done():
        ended.set_result(end)
