"""What people see of a stream while it runs."""

from __future__ import annotations

import io

from rich.console import Console

from dubcast.contract.streams import NotDubbing
from dubcast.contract.worker import AsRunEntry, DubbingStatus, Outcome, WorkerState, WorkerStatus
from dubcast.live_view import LiveView


def entry(number: int, outcome: Outcome, **more: object) -> AsRunEntry:
    told = {
        "fragment_id": f"run-{number}",
        "sequence_number": number,
        "source_start_s": 1.0,
        "source_end_s": 2.0,
        "outcome": outcome,
        "transcript": "hello",
        "translated_text": "olá",
        "round_trip_ms": 1234.0,
        **more,
    }
    return AsRunEntry.model_validate(told)


def status(state: WorkerState) -> WorkerStatus:
    return WorkerStatus(stream_id="demo", state=state, delay_s=8.0, longest_fragment_s=4.5)


def seen(*told: WorkerStatus | AsRunEntry | None, terminal: bool = False) -> str:
    """All that was shown."""
    out = io.StringIO()
    console = Console(file=out, force_terminal=terminal, width=120, color_system=None)
    with LiveView("demo", console) as view:
        for one in told:
            if isinstance(one, AsRunEntry):
                view.fragment(one)
            else:
                view.status(one)
    return out.getvalue()


def test_without_a_terminal_each_change_and_each_fragment_is_a_line() -> None:
    shown = seen(
        None,
        status(WorkerState.WAITING),
        status(WorkerState.WAITING),
        status(WorkerState.LIVE),
        entry(3, Outcome.DUBBED),
        entry(4, Outcome.LATE, reason="deadline"),
        entry(5, Outcome.DUBBED, on_air=False),
    )
    assert shown.splitlines() == [
        "demo: waiting",
        "demo: live",
        "#3   dubbed 1.2 s  hello  ->  olá",
        "#4   late (deadline) 1.2 s  hello  ->  olá",
        "#5   dubbed (not on air) 1.2 s  hello  ->  olá",
    ]


def test_a_stream_that_is_not_dubbed_says_so_and_when_it_is_again() -> None:
    fault = DubbingStatus(fault=NotDubbing.STS_UNREACHABLE)
    silent = status(WorkerState.LIVE).model_copy(update={"dubbing": fault})
    live = status(WorkerState.LIVE)
    assert seen(live, silent, silent, live).splitlines() == [
        "demo: live",
        "demo: live, not dubbing (sts_unreachable)",
        "demo: live",
    ]


def test_on_a_terminal_it_is_a_table() -> None:
    shown = seen(status(WorkerState.LIVE), entry(3, Outcome.DUBBED), entry(4, Outcome.DUBBED),
                 terminal=True)  # fmt: skip
    for words in ("live", "8.0 s", "4.5 s", "dubbed 2", "hello", "olá", "1.2"):
        assert words in shown


def test_before_the_worker_answers_it_is_starting() -> None:
    assert "starting" in seen(entry(3, Outcome.SEPARATION), terminal=True)
