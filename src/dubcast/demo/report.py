"""The demo's report: one JSON file, and one HTML file that needs nothing else."""

from __future__ import annotations

import html
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from dubcast.contract.worker import AsRunEntry
from dubcast.demo.plots import OUTCOME_COLOURS, Sound
from dubcast.measure import figures
from dubcast.measure.figures import Bar, Figure, Verdict


@dataclass
class DemoReport:
    """What a demo run found. `av_points` are (output s, ms), `delay_points` (output s, s);
    both sounds are on stream time (the output shifted back by the delay).
    """

    figures: Mapping[str, Figure]
    bars: Sequence[Bar] = ()
    fragments: Sequence[AsRunEntry] = ()
    av_points: Sequence[tuple[float, float]] = ()
    delay_points: Sequence[tuple[float, float]] = ()
    source: Sound | None = None
    output: Sound | None = None
    title: str = "dubcast demo"
    summary: str = ""
    seed: int | None = None
    notes: Sequence[str] = ()
    detail: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Written:
    """The files, and whether every bar is met."""

    json: Path
    html: Path
    passed: bool


def write(report: DemoReport, out_dir: Path) -> Written:
    """Write `report.json` and `report.html` into `out_dir`."""
    verdicts = figures.judge(report.figures, report.bars)
    detail = {
        **report.detail,
        "fragments": [fragment.model_dump(mode="json") for fragment in report.fragments],
        "av_points": list(report.av_points),
        "delay_points": list(report.delay_points),
        "notes": list(report.notes),
    }
    document = figures.document(report.figures, seed=report.seed, detail=detail)
    document["bars"] = figures.bars_as_data(report.bars)
    written = Written(
        out_dir / "report.json", out_dir / "report.html", figures.passed(verdicts)
    )  # fmt: skip
    figures.write_json(written.json, document)
    written.html.write_text(page(report, verdicts, document), encoding="utf-8")
    return written


def page(report: DemoReport, verdicts: Sequence[Verdict], document: Mapping[str, Any]) -> str:
    """The HTML page."""
    body = [
        _header(report, verdicts),
        _section("Figures", _figures_table(verdicts)),
        _section("What was heard", _waves(report), _WAVES_HELP),
        _section("Fragments", _fragments_table(report.fragments), ""),
        _section("A/V offset", _offset(report), _OFFSET_HELP),
        _section("Latency by stage", _latency(report), _LATENCY_HELP),
        _section("Delay", _delay(report), _DELAY_HELP),
        _footer(report, document),
    ]
    title = html.escape(report.title)
    return (
        f'<!doctype html>\n<html lang="en"><head><meta charset="utf-8"><title>{title}</title>'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<style>{_CSS}</style></head>\n<body><main>\n{''.join(body)}\n</main></body></html>\n"
    )


def _header(report: DemoReport, verdicts: Sequence[Verdict]) -> str:
    barred = [verdict for verdict in verdicts if verdict.bar]
    met = sum(verdict.ok is True for verdict in barred)
    state = "met" if met == len(barred) else "missed"
    badge = f'<p class="badge {state}">{met} of {len(barred)} bars met</p>' if barred else ""
    summary = f"<p>{html.escape(report.summary)}</p>" if report.summary else ""
    return f"<header><h1>{html.escape(report.title)}</h1>{badge}{summary}</header>\n"


def _section(title: str, content: str, help_text: str = "") -> str:
    if not content:
        return ""
    hint = f'<p class="hint">{help_text}</p>' if help_text else ""
    return f"<section><h2>{title}</h2>{hint}{content}</section>\n"


def _figures_table(verdicts: Sequence[Verdict]) -> str:
    rows = []
    for verdict in verdicts:
        word = {True: "met", False: "missed", None: ""}[verdict.ok]
        bar = f"{verdict.bar} {verdict.bar.note}".strip() if verdict.bar else ""
        mark = f'<span class="mark {word}">{word}</span>' if word else ""
        rows.append([_code(verdict.key), _text(figures.show(verdict.value)), _text(bar), mark])
    return _table(["figure", "value", "bar", "verdict"], rows, right={1})


def _fragments_table(fragments: Sequence[AsRunEntry]) -> str:
    if not fragments:
        return ""
    rows = [
        [
            str(one.sequence_number),
            f"{one.source_start_s:.1f}–{one.source_end_s:.1f}",
            _text(one.transcript),
            _text(one.translated_text),
            _outcome(one.outcome),
            _number(one.tempo, 2),
            _number(one.round_trip_ms, 0),
            _number(one.deadline_margin_ms, 0),
        ]
        for one in fragments
    ]
    heads = ["#", "source, s", "transcript", "translation", "outcome"]
    heads += ["tempo", "round trip, ms", "margin, ms"]
    return _table(heads, rows, right={0, 1, 5, 6, 7})


def _outcome(outcome: str) -> str:
    colour = OUTCOME_COLOURS.get(outcome, "#8d99ae")
    name = _text(outcome.replace("_", " "))
    return (
        f'<span class="outcome"><span class="dot" style="background:{colour}"></span>{name}</span>'
    )


def _number(value: float | None, digits: int) -> str:
    return "" if value is None else f"{value:.{digits}f}"


def _table(heads: Iterable[str], rows: Iterable[Sequence[str]], right: set[int]) -> str:
    """Cells are HTML already; columns in `right` are numbers."""
    top = "".join(f"<th>{_text(head)}</th>" for head in heads)
    lines = []
    for row in rows:
        cells = (
            f'<td class="num">{cell}</td>' if place in right else f"<td>{cell}</td>"
            for place, cell in enumerate(row)
        )
        lines.append(f"<tr>{''.join(cells)}</tr>")
    body = "\n".join(lines)
    return (
        f'<div class="wide"><table><thead><tr>{top}</tr></thead><tbody>{body}</tbody></table></div>'
    )


def _waves(report: DemoReport) -> str:
    if report.source is None and report.output is None:
        return ""
    from dubcast.demo import plots

    return _plot(plots.waveforms(report.source, report.output, report.fragments))


def _offset(report: DemoReport) -> str:
    if not report.av_points:
        return ""
    from dubcast.demo import plots

    limits = [bar.limit for bar in report.bars if bar.key == "av_offset_max_abs_ms"]
    return _plot(plots.offset(report.av_points, float(limits[0]) if limits else None))


def _latency(report: DemoReport) -> str:
    if not any(fragment.stages_ms or fragment.round_trip_ms for fragment in report.fragments):
        return ""
    from dubcast.demo import plots

    return _plot(plots.latency(report.fragments))


def _delay(report: DemoReport) -> str:
    if not report.delay_points:
        return ""
    from dubcast.demo import plots

    return _plot(plots.delay(report.delay_points))


def _plot(svg: str) -> str:
    return f'<div class="wide"><figure>{svg}</figure></div>'


def _footer(report: DemoReport, document: Mapping[str, Any]) -> str:
    notes = "".join(f"<li>{_text(note)}</li>" for note in report.notes)
    keys = ("commit", "dirty", "machine", "versions", "seed", "command")
    facts = json.dumps({key: document.get(key) for key in keys}, indent=2, ensure_ascii=False)
    listed = f"<section><h2>Notes</h2><ul>{notes}</ul></section>" if notes else ""
    return f"{listed}<section><h2>Measured with</h2><pre>{_text(facts)}</pre></section>"


def _text(value: str) -> str:
    return html.escape(value)


def _code(value: str) -> str:
    return f"<code>{html.escape(value)}</code>"


_WAVES_HELP = (
    "Above the source, below the output drawn earlier by the delay. Shaded: the speech that was"
    " sent (above) and where its dub lies (below), by outcome. What is not shaded passed untouched."
)
_OFFSET_HELP = "Each point is one flash and its beep in the output. Dashed: the bar."
_LATENCY_HELP = (
    "From sending a fragment to having its dub. “Other” is network and waiting in the worker."
)
_DELAY_HELP = "Arrival of each picture at the output less its arrival at the input."

_CSS = """
:root{color-scheme:light dark;--bg:#fff;--ink:#1d2530;--soft:#5b6675;--faint:#dfe3e8;--card:#f6f7f9;
--good:#1b7f5c;--bad:#b3263c}
@media (prefers-color-scheme:dark){:root{--bg:#14181d;--ink:#e4e8ed;--soft:#9aa5b1;--faint:#333b45;
--card:#1c2229;--good:#58c79c;--bad:#f08090}}
*{box-sizing:border-box}
body{margin:0;background:var(--bg);color:var(--ink);font:15px/1.5 system-ui,sans-serif}
main{max-width:1120px;margin:0 auto;padding:2rem 1.25rem 4rem}
h1{font-size:1.7rem;margin:0 0 .5rem}
h2{font-size:1.15rem;margin:2.25rem 0 .5rem}
.hint{color:var(--soft);margin:.1rem 0 .6rem;max-width:75ch}
.badge{display:inline-block;margin:0;padding:.2rem .7rem;border-radius:1rem;font-weight:600;
border:1px solid currentColor}
.met{color:var(--good)}.missed{color:var(--bad)}.mark{font-weight:600}
.wide{overflow-x:auto}
table{border-collapse:collapse;width:100%;font-size:.9rem}
th{text-align:left;color:var(--soft);font-weight:600;white-space:nowrap}
th,td{padding:.35rem .7rem .35rem 0;border-bottom:1px solid var(--faint);vertical-align:top}
.outcome{white-space:nowrap}
td.num{font-variant-numeric:tabular-nums;white-space:nowrap}
code,pre{font:.85rem/1.45 ui-monospace,monospace}
pre{background:var(--card);padding:1rem;border-radius:.5rem;overflow-x:auto}
.dot{display:inline-block;width:.7em;height:.7em;border-radius:50%;margin-right:.45em}
figure{margin:0}figure svg{width:100%;min-width:640px;height:auto;color:var(--ink)}
figure svg text{font-family:system-ui,sans-serif!important}
"""
