"""The worker's own state: a transition table, nothing else. Pure."""

from __future__ import annotations

from dubcast.contract.worker import WorkerState

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
