"""What `dubcast run` says at its end, in words and as an exit code."""

from __future__ import annotations

import pytest

from dubcast.contract.worker import AsRunEntry, Outcome
from dubcast.run_result import RunResult

DUBBED, LATE, FAILED, QUIET = Outcome.DUBBED, Outcome.LATE, Outcome.FAILED, Outcome.NO_SPEECH
ALONE = Outcome.LEFT_ALONE


@pytest.mark.parametrize(
    ("delivered_s", "fragments", "code", "line"),
    [
        (31.24, [(DUBBED, True)] * 11 + [(LATE, True)], 0,
         "delivered 31.2 s to there; 11 of 12 fragments dubbed (92 %)"),
        (9.0, [], 0, "delivered 9.0 s to there; nobody spoke"),
        (9.0, [(QUIET, True)], 0, "delivered 9.0 s to there; nobody spoke"),
        (9.0, [(ALONE, True)] * 2, 0,
         "delivered 9.0 s to there; nothing was to be dubbed, 2 left alone"),
        (9.0, [(DUBBED, True), (ALONE, True)], 0,
         "delivered 9.0 s to there; 1 of 1 fragments dubbed (100 %), "
         "1 left alone"),
        (9.0, [(FAILED, True)] * 2, 4, "delivered 9.0 s to there; 0 of 2 fragments dubbed (0 %)"),
        (9.0, [(DUBBED, False)], 4, "delivered 9.0 s to there; 0 of 1 fragments dubbed (0 %)"),
        (0.0, [(DUBBED, False)] * 3, 3, "nothing was delivered to there: refused"),
    ],
)  # fmt: skip
def test_the_line_and_the_code_say_the_same(
    delivered_s: float, fragments: list[tuple[Outcome, bool]], code: int, line: str
) -> None:
    one = RunResult()
    for number, (outcome, on_air) in enumerate(fragments):
        times = {"source_start_s": 0.0, "source_end_s": 1.0}
        known = {"fragment_id": "f", "sequence_number": number, **times}
        one.fragment(AsRunEntry.model_validate({**known, "outcome": outcome, "on_air": on_air}))
    one.delivered_s, one.lost_for = delivered_s, "" if delivered_s else "refused"
    assert (one.exit_code, one.line("there")) == (code, line)
