"""`python -m bench.faults`: inject every fault, measure, judge; `--docs` writes the table."""

from __future__ import annotations

import argparse
import asyncio
import json
import signal
import sys
from pathlib import Path
from typing import Any

from rich.console import Console

from bench.faults import apart, live, rows
from bench.faults.rows import Row
from bench.faults.strikes import STRIKES
from dubcast import log
from dubcast.config import Settings
from dubcast.measure import figures, stage
from dubcast.measure.figures import Bar
from dubcast.measure.narrated import narrated

BARS = (
    Bar("faults_missed", "==", 0, "rows with a bar that is not met"),
    Bar("sts_fault_gap_max_ms", "<=", 0),
    Bar("calls_to_dead_sts_60s", "<=", 5, "pings left out"),
    Bar("sts_back_recovery_s", "<=", 11, "a fragment and the delay"),
    Bar("publisher_back_same_worker", "==", True),
    Bar("publisher_back_av_offset_ms", "<=", 20),
    Bar("worker_kill_recovery_s", "<=", 4),
    Bar("media_server_recovery_s", "<=", 5, "after its port is open"),
    Bar("orchestrator_kill_gap_ms", "<=", 0),
    Bar("adopt_s", "<=", 5),
    Bar("hook_orders_violations", "==", 0, "of 10,000"),
    Bar("bad_reply_crashes", "==", 0, "of 1,000 replies"),
    Bar("control_gap_ms", "<=", 0, "the undisturbed stream"),
)
_APART = ("inputs", "hooks", "bad_replies", "bad_config")
_DOCS = Path("docs/reliability.md")
_MARKS = ("<!-- faults -->\n", "<!-- /faults -->\n")
_COLUMNS = {
    "gap_video_ms": "gap video, ms",
    "gap_audio_ms": "gap audio, ms",
    "fallback_onset_ms": "fallback after, ms",
    "recovery_s": "recovery, s",
    "av_offset_after_ms": "A/V after, ms",
    "restarts": "worker restarts",
    "rss_peak_mb": "memory peak, MB",
}


def main() -> None:
    """Exit status 1 if a bar is missed."""
    options = _options()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))
    if options.docs:
        _write_docs(json.loads(options.out.read_text(encoding="utf-8")))
        return
    console, settings = Console(stderr=True), Settings()
    log.setup(settings.log, "bench")
    found = run(settings, options.out.with_suffix(""), options.only, console)
    for row in found:
        row.commit = figures.revision(Path.cwd())[0]
    if options.only is not None and options.out.exists():
        known = json.loads(options.out.read_text(encoding="utf-8"))["figures"]["faults"]
        found = rows.renewed(known, found)
    result = rows.figures(found)
    for row in found:
        if row.missed:
            console.print(f"missed: {row.name}: {', '.join(row.missed)}", highlight=False)
    judged = BARS if options.only is None else [bar for bar in BARS if result[bar.key] is not None]
    ok = figures.report(options.out, result, judged, seed=1, console=console)
    sys.exit(0 if ok else 1)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m bench.faults", description=__doc__)
    names = [*STRIKES, *_APART]
    parser.add_argument(
        "--only",
        nargs="+",
        choices=names,
        metavar="FAULT",
        help=f"these alone; the other rows of the JSON file stay: {', '.join(names)}",
    )
    parser.add_argument("--out", type=Path, default=Path("build/bench/faults.json"))
    parser.add_argument("--docs", action="store_true", help=f"write the table into {_DOCS}")
    return parser.parse_args()


def run(settings: Settings, out: Path, only: list[str] | None, console: Console) -> list[Row]:
    """All rows, or those asked for."""
    stage.clear(out)
    wanted = [name for name in (*STRIKES, *_APART) if only is None or name in only]
    found: list[Row] = []
    strikes = [name for name in wanted if name in STRIKES]
    if strikes:
        clip = narrated(settings).clip
        seen, memory = asyncio.run(live.run(settings, clip, out, strikes, console))
        console.print("measuring", highlight=False)
        found += live.rows(seen, memory, clip, out)
    if "inputs" in wanted:
        found += asyncio.run(apart.bent_inputs(settings, out, console))
    if "hooks" in wanted:
        found += apart.hooks()
    if "bad_replies" in wanted:
        found.append(apart.bad_replies())
    if "bad_config" in wanted:
        found.append(apart.bad_config(out))
    return found


def _write_docs(document: dict[str, Any]) -> None:
    text = _DOCS.read_text(encoding="utf-8")
    head, _, rest = text.partition(_MARKS[0])
    _, _, tail = rest.partition(_MARKS[1])
    table = _table(document["figures"]["faults"])
    _DOCS.write_text(head + _MARKS[0] + table + _MARKS[1] + tail, encoding="utf-8")


def _table(faults: list[dict[str, Any]]) -> str:
    lines = [
        f"| fault | {' | '.join(_COLUMNS.values())} | also | met |",
        "|" + "---|" * (len(_COLUMNS) + 3),
    ]
    for row in faults:
        cells = [_cell(row[key]) for key in _COLUMNS]
        also = ", ".join(f"{key} {_cell(value)}" for key, value in row["detail"].items())
        met = "yes" if row["ok"] else f"no: {', '.join(row['missed'])}"
        lines.append(f"| {row['name']} | {' | '.join(cells)} | {also} | {met} |")
    return "\n".join(lines) + "\n"


def _cell(value: Any) -> str:
    if isinstance(value, float):
        return f"{round(value, 2):g}"
    return "" if value is None else str(value)
