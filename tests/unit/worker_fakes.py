"""What tests of the worker share: a voice detector by level, and replies of the service."""

from __future__ import annotations

from typing import Any

import numpy as np

from dubcast.audio.pcm import RATE, Float
from dubcast.contract.sts import StageTimes, StsResponse
from dubcast.worker.work import DubReply, Work


class LevelVad:
    """Calls loud windows speech."""

    def probability(self, window: Float) -> float:
        return 0.9 if float(np.abs(window).max()) > 0.1 else 0.0

    def reset(self) -> None:
        pass


def dub_reply(voice: Float | None, round_trip_s: float = 0.5, **response: Any) -> DubReply:
    """A checked reply; its sound is in `voice` alone. `response`: fields of the response."""
    status = "no_speech" if voice is None else "success"
    told = {"detected_language": "en", "stages_ms": StageTimes(), **response}
    return DubReply(StsResponse.model_construct(status=status, **told), voice, round_trip_s)


def work(deadline_ns: int, **changes: Any) -> Work:
    """A second of silence to be dubbed, after "before"."""
    given: dict[str, Any] = {
        "fragment_id": "run-7",
        "sequence": 7,
        "audio": np.zeros(RATE, np.int16),
        "slot_ms": 1200,
        "source_text": "before",
        "target_text": "antes",
        **changes,
    }
    return Work(deadline_ns=deadline_ns, **given)
