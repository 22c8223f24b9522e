"""`python -m bench.mix`: play, record, measure, and judge; or prove that the judge can tell."""

from __future__ import annotations

import argparse
import signal
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from rich.console import Console

from bench.mix import judge, models, onair, programmes, simulate, takes
from bench.mix.judge import Measured, Tools
from bench.mix.programmes import Programme
from dubcast import log
from dubcast.config import Settings, load
from dubcast.measure import figures

# A figure of the prove table that stands for the one of the programme's kind.
_CHRF = "roundtrip_chrf"


def main() -> None:
    """Exit status 1 if a bar is missed, or a fault is not seen."""
    options = _options()
    # SIGTERM ends it as Ctrl-C does: with everything that it started.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))
    settings = load(options.config).settings
    log.setup(settings.log, "bench")
    console = Console(stderr=True)
    chosen = [p for p in programmes.PROGRAMMES if options.only in (None, p.name)]
    if options.prove is not None:
        sys.exit(0 if prove(chosen, options.prove, settings, options.out, console) else 1)
    if not options.measure_only:
        play(chosen, settings, options.out, console)
    sys.exit(0 if measure(chosen, settings, options.out, console) else 1)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m bench.mix", description=__doc__)
    names = [programme.name for programme in programmes.PROGRAMMES]
    parser.add_argument("--only", choices=names, help="this programme alone")
    parser.add_argument("--measure-only", action="store_true", help="measure what was recorded")
    parser.add_argument("--out", type=Path, default=Path("build/bench/mix"))
    parser.add_argument("--config", type=Path, help="settings file")
    faults = list(simulate.FAULTS)
    parser.add_argument(
        "--prove", nargs="*", choices=faults, help="judge simulated faults (all) instead of a run"
    )
    return parser.parse_args()


def play(chosen: Sequence[Programme], settings: Settings, out: Path, console: Console) -> None:
    """Put the programmes on air; the recordings are kept in `out`."""
    console.print("building the programmes (kept for the next time)", highlight=False)
    plays = [(programme, programmes.built(programme, settings)) for programme in chosen]
    out.mkdir(parents=True, exist_ok=True)
    onair.run(plays, settings, out, console)


def measure(chosen: Sequence[Programme], settings: Settings, out: Path, console: Console) -> bool:
    """Measure what `play` kept; whether every bar is met. Writes `mix.json` beside `out`."""
    results = []
    with _tools(settings) as tools:
        for programme in chosen:
            console.print(f"measuring: {programme.name}", highlight=False)
            material = programmes.built(programme, settings)
            evidence = takes.evidence(onair.kept(programme, out), material, tools.voice)
            results.append(judge.measure(programme.name, programme.kind, evidence, tools))
    detail = {result.name: judge.detail(result) for result in results}
    detail["runs"] = {p.name: onair.note(onair.kept(p, out)) for p in chosen}
    return figures.report(
        out.with_suffix(".json"),
        judge.figures(results),
        _bars(chosen),
        seed=programmes.SPORT.seed,
        detail=detail,
        console=console,
    )


def _bars(chosen: Sequence[Programme]) -> list[figures.Bar]:
    """The bars, less those that only a programme could meet that was not asked for."""
    kinds = {programme.kind for programme in chosen}
    absent = {"roundtrip_chrf_talk"} if "talk" not in kinds else set()
    if "sport" not in kinds:
        absent |= {"roundtrip_chrf_sport", "backlog_end_s", "backlog_slope_abs"}
    return [bar for bar in judge.BARS if bar.key not in absent]


@contextmanager
def _tools(settings: Settings) -> Iterator[Tools]:
    ear = models.Ear(settings)
    try:
        with models.dub_voice(settings) as voice:
            yield Tools(ear, voice, settings)
    finally:
        ear.close()


def prove(
    chosen: Sequence[Programme],
    faults: Sequence[str],
    settings: Settings,
    out: Path,
    console: Console,
) -> bool:
    """Judge ideal dubs with one fault each; whether each misses just the bars that it must.

    Every programme is judged as sport, so that the backlog is too. Writes `mix-proof.json`.
    """
    found: dict[str, dict[str, Any]] = {}
    good = True
    with _tools(settings) as tools:
        for programme in chosen:
            known = simulate.shortened(takes.stems_of(programmes.built(programme, settings)))
            for name in faults or simulate.FAULTS:
                evidence = simulate.run(known, name, tools.voice, settings)
                result = judge.measure(programme.name, "sport", evidence, tools)
                good &= _told(f"{programme.name} {name}", name, result, console, found)
    document = figures.document({}, seed=programmes.SPORT.seed, detail=found)
    figures.write_json(out.with_name("mix-proof.json"), document)
    return good


def _told(
    label: str, fault: str, result: Measured, console: Console, found: dict[str, dict[str, Any]]
) -> bool:
    values = judge.figures([result])
    bars = [bar for bar in judge.BARS if bar.key != "roundtrip_chrf_talk"]
    missed = {v.key for v in figures.judge(values, bars) if v.ok is False}
    missed = {_CHRF if key == "roundtrip_chrf_sport" else key for key in missed}
    unseen = simulate.FAULTS[fault].misses - missed
    good = not unseen and (fault != "none" or not missed)
    found[label] = {"missed": sorted(missed), "unseen": sorted(unseen), **judge.detail(result)}
    verdict = "seen" if good else f"[bold red]WRONG[/] not seen: {sorted(unseen)}"
    console.print(f"{label}: {verdict}; missed: {', '.join(sorted(missed)) or 'nothing'}")
    return good
