"""The demo's report as one HTML page: no script, no link, everything within it."""

from __future__ import annotations

import html
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from dubcast.contract.worker import AsRunEntry, Outcome
from dubcast.demo import labels, listening, plots
from dubcast.demo.findings import DemoReport, Programme
from dubcast.demo.plots import OUTCOME_COLOURS
from dubcast.measure.figures import Bar, Verdict


@dataclass(frozen=True)
class Column:
    """Of a table. `kind`: `num` is set to the right. On a phone, where rows are cards, `name` and
    `text` have a line of their own, `bar` comes last, and `told` has its head before its value.
    """

    head: str
    kind: str = ""
    told: bool = False


def page(report: DemoReport, verdicts: Sequence[Verdict], document: Mapping[str, Any]) -> str:
    """The HTML page. Raises MissingPartError and MediaError as `listening.data_uri` does."""
    seconds = sum(
        sound.end_s for one in report.programmes for sound in (one.source, one.output) if sound
    )
    bps = listening.rate_bps(seconds)
    body = [
        _header(report, verdicts, document),
        _section("Figures", _figures_table(verdicts)),
        *(_programme(one, report.bars, bps) for one in report.programmes),
        _section("By programme", _programmes_table(report.programmes)),
        _footer(report, document),
    ]
    title = html.escape(report.title)
    return (
        f'<!doctype html>\n<html lang="en"><head><meta charset="utf-8"><title>{title}</title>'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<style>{_CSS}</style></head>\n<body><main>\n{''.join(body)}\n</main></body></html>\n"
    )


def _header(report: DemoReport, verdicts: Sequence[Verdict], document: Mapping[str, Any]) -> str:
    barred = [verdict for verdict in verdicts if verdict.bar]
    missed = [verdict for verdict in barred if not verdict.ok]
    state = "missed" if missed else "met"
    met = len(barred) - len(missed)
    badge = f'<p class="badge {state}">{met} of {len(barred)} bars met</p>' if barred else ""
    if missed:
        names = "; ".join(labels.label(verdict.key).name for verdict in missed)
        badge += f'<p class="missed">Missed: {_text(names)}</p>'
    summary = f"<p>{_text(report.summary)}</p>" if report.summary else ""
    counts = _list([f"{one.title}: {counted(one.fragments)}" for one in report.programmes])
    made = f'<p class="hint">{_text(made_with(document))}</p>'
    return f"<header><h1>{_text(report.title)}</h1>{badge}{summary}{counts}{made}</header>\n"


def made_with(document: Mapping[str, Any]) -> str:
    """When, from which commit and on what machine, in one line."""
    machine = document["machine"]
    commit = str(document["commit"] or "unknown")[:12]
    changed = " with changes that are not committed" if document["dirty"] else ""
    memory = f"{machine['memory_gib']} GiB" if machine["memory_gib"] else "memory unknown"
    cores = f"{machine['cores']} core{'s' if machine['cores'] != 1 else ''} of {machine['cpu']}"
    when = datetime.fromisoformat(document["date"]).strftime("%Y-%m-%d %H:%M UTC")
    return f"{when} · commit {commit}{changed} · {cores}, {memory}, {machine['kernel']}"


def _section(title: str, content: str, help_text: str = "", level: int = 2) -> str:
    if not content:
        return ""
    hint = f'<p class="hint">{help_text}</p>' if help_text else ""
    return f"<section><h{level}>{_text(title)}</h{level}>{hint}{content}</section>\n"


def _figures_table(verdicts: Sequence[Verdict]) -> str:
    columns = [Column("figure", "name"), Column("value", "num"), Column("bar", "bar")]
    columns.append(Column("verdict"))
    lines = []
    for group, members in labels.grouped(verdicts):
        lines.append(f'<tr class="group"><th colspan="4">{_text(group)}</th></tr>')
        lines += [_row(_figure_cells(verdict), columns) for verdict in members]
    return _table(columns, lines) if lines else ""


def _figure_cells(verdict: Verdict) -> list[str]:
    label, bar = labels.label(verdict.key), verdict.bar
    word = {True: "met", False: "missed", None: ""}[verdict.ok]
    mark = f'<span class="mark {word}">{word}</span>' if word else ""
    note = f'<br><span class="soft">{_text(bar.note)}</span>' if bar and bar.note else ""
    asked = _text(label.bar(bar)) + note if bar else ""
    return [_named(verdict.key), _text(label.value(verdict.value)), asked, mark]


def _programmes_table(programmes: Sequence[Programme]) -> str:
    known = {key for one in programmes for key in one.figures}
    keys = [key for key in labels.LABELS if key in known]
    keys += sorted(known - set(keys))
    titles = [Column(one.title, "num", told=True) for one in programmes]
    columns = [Column("figure", "name"), *titles]
    lines = []
    for key in keys:
        values = (labels.label(key).value(one.figures.get(key)) for one in programmes)
        lines.append(_row([_named(key), *(_text(value) for value in values)], columns))
    return _table(columns, lines) if lines else ""


def _named(key: str) -> str:
    name = labels.label(key).name
    return _text(name) + (f" <code>{_text(key)}</code>" if name != key else "")


def _programme(one: Programme, bars: Sequence[Bar], bps: int) -> str:
    parts = [
        _section("Listen", _players(one, bps), _listen_help(one), 3),
        _section("What was heard", _waves(one), _WAVES_HELP, 3),
        _section("Fragments", _fragments_table(one.fragments), level=3),
        _section("What was said and understood", _texts(one), level=3),
        _section("Sound against picture", _offset(one, bars), _OFFSET_HELP, 3),
        _section("Latency by stage", _latency(one), _LATENCY_HELP, 3),
        _section("Delay", _delay(one), _DELAY_HELP, 3),
        _section("Not measured", _list(one.notes), level=3),
    ]
    return (
        f'<section class="programme"><h2>{_text(one.title)}</h2>'
        f"<p>{_text(counted(one.fragments))}</p>{''.join(parts)}</section>\n"
    )


def counted(fragments: Sequence[AsRunEntry]) -> str:
    """How many fragments of speech there were, and what became of them, in words."""
    outcomes: list[Outcome] = [one.outcome for one in fragments if one.to_be_dubbed]
    dubbed = outcomes.count(Outcome.DUBBED)
    others = {name: outcomes.count(name) for name in Outcome if name is not Outcome.DUBBED}
    told = [f"{dubbed} of {len(outcomes)} fragments of speech dubbed"]
    told += [f"{count} {_spaced(name)}" for name, count in others.items() if count]
    return ", ".join(told)


def _players(one: Programme, bps: int) -> str:
    sounds = [sound for sound in (one.source, one.output) if sound is not None]
    begin = listening.begin_s(sounds)
    shown = []
    for name, sound in (("Before: the source", one.source), ("After: the output", one.output)):
        if sound is not None:
            uri = listening.data_uri(sound, begin, bps)
            label = _text(f"{name}, {one.title}")
            audio = f'<audio controls preload="metadata" aria-label="{label}" src="{uri}"></audio>'
            shown.append(f'<div class="player"><p>{name}</p>{audio}</div>')
    return f'<div class="players">{"".join(shown)}</div>' if shown else ""


def _listen_help(one: Programme) -> str:
    begin = listening.begin_s([sound for sound in (one.source, one.output) if sound is not None])
    if not begin:
        return "The time of both players is that of the plots and of the table below."
    return f"Both players begin at second {begin:.1f} of the plots and of the table below."


def _fragments_table(fragments: Sequence[AsRunEntry]) -> str:
    if not fragments:
        return ""
    rows = [
        [
            one.number,
            f"{one.source_start_s:.1f}–{one.source_end_s:.1f}",
            _text(one.transcript),
            _text(one.translated_text),
            _outcome(one),
            _number(one.tempo if one.outcome is Outcome.DUBBED else None, 2),
            _number(one.lag_s, 2),
            _number(one.round_trip_ms or None, 0),
            _number(one.deadline_margin_ms, 0),
        ]
        for one in fragments
    ]
    return _table(_FRAGMENT_COLUMNS, [_row(row, _FRAGMENT_COLUMNS) for row in rows])


def _outcome(one: AsRunEntry) -> str:
    colour = OUTCOME_COLOURS.get(one.outcome, plots.OTHER_COLOUR)
    dot = f'<span class="dot" style="background:{colour}"></span>'
    why = f'<br><span class="soft">{_text(_spaced(one.reason))}</span>' if one.reason else ""
    return f'<span class="outcome">{dot}{_text(_spaced(one.outcome))}</span>{why}'


def _spaced(name: str) -> str:
    return name.replace("_", " ")


def _number(value: float | None, digits: int) -> str:
    return "" if value is None else f"{value:.{digits}f}"


def _row(cells: Iterable[str], columns: Sequence[Column]) -> str:
    """Cells are HTML already."""
    return f"<tr>{''.join(map(_cell, cells, columns))}</tr>"


def _cell(cell: str, column: Column) -> str:
    kind = f' class="{column.kind}"' if column.kind else ""
    told = f' data-head="{_text(column.head)}"' if column.told else ""
    return f"<td{kind}{told}>{cell}</td>"


def _table(columns: Sequence[Column], rows: Iterable[str]) -> str:
    top = "".join(
        f'<th class="{column.kind}">{_text(column.head)}</th>'
        if column.kind
        else f"<th>{_text(column.head)}</th>"
        for column in columns
    )
    body = "\n".join(rows)
    return (
        f'<div class="wide"><table><thead><tr>{top}</tr></thead><tbody>{body}</tbody></table></div>'
    )


def _texts(one: Programme) -> str:
    parts = []
    for name, lines in (("The narrator says", one.said), ("Understood of the output", one.heard)):
        if lines:
            parts.append(f"<details><summary>{name}</summary>{_list(lines)}</details>")
    return "".join(parts)


def _list(lines: Sequence[str]) -> str:
    return "<ul>" + "".join(f"<li>{_text(line)}</li>" for line in lines) + "</ul>" if lines else ""


def _waves(one: Programme) -> str:
    if one.source is None and one.output is None:
        return ""
    return _plot(plots.waveforms(one.source, one.output, one.fragments))


def _offset(one: Programme, bars: Sequence[Bar]) -> str:
    if not one.av_points:
        return ""
    limits = [bar.limit for bar in bars if bar.key == "av_offset_max_abs_ms"]
    return _plot(plots.offset(one.av_points, float(limits[0]) if limits else None))


def _latency(one: Programme) -> str:
    if not any(fragment.stages_ms or fragment.round_trip_ms for fragment in one.fragments):
        return ""
    return _plot(plots.latency(one.fragments))


def _delay(one: Programme) -> str:
    return _plot(plots.delay(one.delay_points)) if one.delay_points else ""


def _plot(svg: str) -> str:
    return f'<div class="wide"><figure>{svg}</figure></div>'


def _footer(report: DemoReport, document: Mapping[str, Any]) -> str:
    keys = ("date", "commit", "dirty", "machine", "versions", "seed", "command")
    facts = json.dumps({key: document.get(key) for key in keys}, indent=2, ensure_ascii=False)
    return _section("Notes", _list(report.notes)) + _section(
        "Measured with", f"<pre>{_text(facts)}</pre>"
    )


def _text(value: str) -> str:
    return html.escape(value)


_FRAGMENT_COLUMNS = (
    Column("#", "num", told=True),
    Column("source, s", "num", told=True),
    Column("transcript", "text"),
    Column("translation", "text"),
    Column("outcome"),
    *(
        Column(head, "num", told=True)
        for head in ("tempo", "begins after, s", "round trip, ms", "margin, ms")
    ),
)
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
h2{font-size:1.3rem;margin:2.75rem 0 .5rem}
h3{font-size:1.05rem;margin:1.75rem 0 .4rem}
.soft{color:var(--soft)}
.hint{color:var(--soft);margin:.1rem 0 .6rem;max-width:75ch}
header .hint{max-width:none;margin-top:.6rem}
header p,header ul{margin:.6rem 0}ul{padding-left:1.2rem}
.programme{border-top:1px solid var(--faint);margin-top:2.75rem}
.programme h2{margin-top:1.5rem}
header .badge{display:inline-block;margin:0;padding:.2rem .7rem;border-radius:1rem;font-weight:600;
border:1px solid currentColor}
.met{color:var(--good)}.missed{color:var(--bad)}.mark{font-weight:600}
.players{display:grid;grid-template-columns:repeat(auto-fit,minmax(min(100%,300px),1fr));gap:1rem}
.player{background:var(--card);border-radius:.5rem;padding:.75rem 1rem 1rem}
.player p{margin:0 0 .5rem;font-weight:600}
audio{display:block;width:100%}
.wide{overflow-x:auto}
table{border-collapse:collapse;width:100%;font-size:.9rem}
th{text-align:left;color:var(--soft);font-weight:600;white-space:nowrap}
th,td{padding:.35rem 1.1rem .35rem 0;border-bottom:1px solid var(--faint);vertical-align:top}
tr.group th{padding-top:1.1rem;color:var(--ink)}
.outcome{white-space:nowrap}
th.num,td.num{text-align:right}
td.num{font-variant-numeric:tabular-nums;white-space:nowrap}
code,pre{font:.8rem/1.45 ui-monospace,monospace}
td code{color:var(--soft);display:block;overflow-wrap:anywhere}
pre{background:var(--card);padding:1rem;border-radius:.5rem;overflow-x:auto}
summary{cursor:pointer}
.dot{display:inline-block;width:.7em;height:.7em;border-radius:50%;margin-right:.45em}
figure{margin:0}figure svg{display:block;width:100%;min-width:640px;height:auto;color:var(--ink)}
figure svg text{font-family:system-ui,sans-serif!important}
@media (max-width:640px){
main{padding:1.25rem 1rem 3rem}
table,tbody{display:block}thead{display:none}
tr{display:flex;flex-wrap:wrap;gap:.1rem .9rem;padding:.5rem 0;border-bottom:1px solid var(--faint)}
th,td{border:0;padding:0}td:empty{display:none}
tr.group th{padding-top:.8rem}
td.num{text-align:left}td.name,td.text{flex-basis:100%}
td[data-head]::before{content:attr(data-head) " ";color:var(--soft)}
td.name+td.num:not([data-head]){font-weight:600}td.bar{order:1}
}
"""
