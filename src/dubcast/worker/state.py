"""The worker's own state: a transition table, nothing else. Pure."""

from __future__ import annotations

from enum import StrEnum


class WorkerState(StrEnum):
    """What the worker is doing."""

    WAITING = "waiting"  # no input yet
    BUFFERING = "buffering"  # input is there, the delay is filling or the output connects
    LIVE = "live"  # media leaves
    OUTPUT_LOST = "output_lost"  # input is there, the destination is not
    INPUT_LOST = "input_lost"  # the publisher is gone; what is held still leaves
    REFUSED = "refused"  # the source carries what dubcast does not take; never restarted
    STOPPED = "stopped"  # asked to stop, or a file has ended


W = WorkerState
_TRANSITIONS: dict[tuple[WorkerState, str], WorkerState] = {
    (W.WAITING, "input_up"): W.BUFFERING,
    (W.WAITING, "input_down"): W.WAITING,
    (W.WAITING, "output_down"): W.WAITING,
    (W.WAITING, "output_up"): W.WAITING,
    (W.BUFFERING, "output_up"): W.LIVE,
    (W.BUFFERING, "output_down"): W.BUFFERING,
    (W.BUFFERING, "input_down"): W.INPUT_LOST,
    (W.LIVE, "output_down"): W.OUTPUT_LOST,
    (W.LIVE, "output_up"): W.LIVE,
    (W.LIVE, "input_down"): W.INPUT_LOST,
    (W.OUTPUT_LOST, "output_up"): W.LIVE,
    (W.OUTPUT_LOST, "output_down"): W.OUTPUT_LOST,
    (W.OUTPUT_LOST, "input_down"): W.INPUT_LOST,
    (W.INPUT_LOST, "input_up"): W.BUFFERING,
    (W.INPUT_LOST, "input_down"): W.INPUT_LOST,
    (W.INPUT_LOST, "output_down"): W.INPUT_LOST,
    (W.INPUT_LOST, "output_up"): W.INPUT_LOST,
}
_FINAL = {"refuse": W.REFUSED, "stop": W.STOPPED}


def next_state(state: WorkerState, event: str) -> WorkerState:
    """The state after `event`. `refuse` and `stop` end any state that is not final.

    Raises ValueError for a pair that the table does not list.
    """
    if state in (W.REFUSED, W.STOPPED):
        return state
    if event in _FINAL:
        return _FINAL[event]
    try:
        return _TRANSITIONS[state, event]
    except KeyError:
        raise ValueError(f"worker: {event} in {state}") from None
