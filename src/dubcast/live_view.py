"""The live view of a stream: state, delay, and each fragment with its text and outcome."""

from __future__ import annotations

from collections import Counter, deque
from types import TracebackType

from rich.console import Console, Group
from rich.live import Live
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

from dubcast.contract.worker import AsRunEntry, Outcome, WorkerStatus

_ROWS = 8
_COLOURS = {
    Outcome.DUBBED: "green",
    Outcome.NO_SPEECH: "dim",
    Outcome.LEFT_ALONE: "dim",
    Outcome.LATE: "yellow",
    Outcome.SHIFT: "yellow",
}


class LiveView:
    """On a terminal a view that renews itself; elsewhere one line a fragment."""

    def __init__(self, title: str, console: Console | None = None) -> None:
        self._console = console or Console(stderr=True)
        self._title = title
        self._status: WorkerStatus | None = None
        self._rows: deque[AsRunEntry] = deque(maxlen=_ROWS)
        self._outcomes: Counter[Outcome] = Counter()
        self._live = Live(console=self._console, refresh_per_second=4, transient=False)
        self._tty = self._console.is_terminal

    def __enter__(self) -> LiveView:
        if self._tty:
            self._live.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._tty:
            self._live.stop()

    def status(self, status: WorkerStatus | None) -> None:
        """Show the worker's `/status`; None: it has not answered yet."""
        before, self._status = self._status, status
        if self._tty:
            self._live.update(self._render())
        elif status is not None and (before is None or _standing(status) != _standing(before)):
            self._console.print(f"{self._title}: {_standing(status)}", highlight=False)

    def fragment(self, entry: AsRunEntry) -> None:
        """Show one as-run entry."""
        self._rows.append(entry)
        if not entry.beginning:
            self._outcomes[entry.outcome] += 1
        if self._tty:
            self._live.update(self._render())
        else:
            self._console.print(_line(entry), highlight=False, soft_wrap=True)

    def note(self, text: str) -> None:
        """Show a line above the view."""
        self._console.print(text, highlight=False)

    def _render(self) -> Panel:
        status = self._status
        counts = ", ".join(f"{name} {count}" for name, count in sorted(self._outcomes.items()))
        head = Text.assemble(
            ("state ", "dim"), (_standing(status) if status else "starting", "bold"),
            ("   delay ", "dim"), f"{(status and status.delay_s) or '-'} s",
            ("   longest fragment ", "dim"), f"{(status and status.longest_fragment_s) or '-'} s",
            ("   fragments ", "dim"), counts or "none yet",
        )  # fmt: skip
        return Panel(Group(head, _table(self._rows)), title=self._title, border_style="cyan")


def _standing(status: WorkerStatus) -> str:
    fault = status.dubbing.fault
    return f"{status.state.value}, not dubbing ({fault})" if fault else status.state.value


def _table(rows: deque[AsRunEntry]) -> Table:
    table = Table(expand=True, box=None, padding=(0, 1))
    table.add_column("#", justify="right", width=4)
    table.add_column("outcome", width=10)
    table.add_column("s", justify="right", width=5)
    table.add_column("said", ratio=1, no_wrap=True)
    table.add_column("dubbed", ratio=1, no_wrap=True)
    for entry in rows:
        table.add_row(
            entry.number,
            Text(entry.outcome.value, style=_COLOURS.get(entry.outcome, "red")),
            f"{entry.round_trip_ms / 1000:.1f}",
            Text(entry.transcript),
            Text(entry.translated_text),
        )
    return table


def _line(entry: AsRunEntry) -> str:
    reason = f" ({entry.reason})" if entry.reason else ""
    unheard = "" if entry.on_air else " (not on air)"
    return (
        f"#{entry.number:<3} {entry.outcome}{reason}{unheard} "
        f"{entry.round_trip_ms / 1000:.1f} s  {entry.transcript}  ->  {entry.translated_text}"
    )
