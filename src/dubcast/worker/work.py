"""One fragment's work for the speech service, and what came of it: two frozen values."""

from __future__ import annotations

from dataclasses import dataclass

from dubcast.audio.pcm import Float, Int16
from dubcast.contract.sts import StsResponse
from dubcast.contract.worker import Outcome


@dataclass(frozen=True)
class Work:
    """What the speech service needs to dub one fragment.

    `audio`: mono int16 at 48 kHz. `deadline_ns`: until when the reply is of use, on the monotonic
    clock. `overlap_ms`: how much of its start was in the fragment that the texts are of; words of
    `source_text` that were said in there are not said again.
    """

    fragment_id: str
    sequence: int
    audio: Int16
    slot_ms: int
    deadline_ns: int
    source_text: str = ""
    target_text: str = ""
    overlap_ms: int = 0


@dataclass(frozen=True)
class DubReply:
    """A checked reply. `voice`: mono float32 at 48 kHz, or None if there is nothing to dub."""

    response: StsResponse
    voice: Float | None
    round_trip_s: float

    @property
    def why_no_dub(self) -> tuple[Outcome, str]:
        """The outcome and the reason of a fragment whose reply has no voice."""
        if self.response.no_dub is not None:
            return Outcome.FAILED, self.response.no_dub.value
        left_alone = self.response.left_alone
        return (Outcome.LEFT_ALONE, left_alone.value) if left_alone else (Outcome.NO_SPEECH, "")
