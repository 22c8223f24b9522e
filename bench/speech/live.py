"""`python -m bench.speech.live`: real people through the whole chain, live, and songs.

Publisher, media server, worker and service are the real ones, at the default delay of 8 s; both
ends of the stream are recorded. `--only NAME` plays one programme; `--measure-only` judges what the
last run left behind.
"""

from __future__ import annotations

import argparse
import signal
import sys
from collections.abc import Sequence
from pathlib import Path

from rich.console import Console

from bench import parts
from bench.mix import onair
from bench.parts import Found, Part
from bench.speech import judge, programmes
from bench.speech.listener import listening
from bench.speech.programmes import Programme
from dubcast.config import Settings
from dubcast.measure.figures import Bar

BARS = (
    Bar("wer_ratio", "<=", 1.4, "dubbed against whole clips"),
    Bar("undubbed_speech_share", "<=", 0.03, "of the seconds of true speech"),
    Bar("chrf_loss", ">=", -4, "heard, against whole clips translated"),
    Bar("longest_fragment_p50_s", ">=", 6),
    Bar("cuts_inside_words", "==", 0),
    Bar("dub_silent_share", "<=", 0.05, "of the seconds of true speech"),
    Bar("sung_dubbed_share", "<=", 0.05, "of the seconds of songs"),
)


def play(chosen: Sequence[Programme], settings: Settings, out: Path, console: Console) -> None:
    """Put the programmes on air; the recordings are kept in `out`."""
    console.print("building the programmes (kept for the next time)", highlight=False)
    onair.run([(one, programmes.built(one)) for one in chosen], settings, out, console)


def measured(chosen: Sequence[Programme], settings: Settings, out: Path, console: Console) -> Found:
    """What `play` left in `out`."""
    results = []
    with listening(settings) as listener:
        for programme in chosen:
            console.print(f"measuring: {programme.name}", highlight=False)
            kept = onair.kept(programme, out)
            longest_s = onair.note(kept)["longest_fragments_s"]
            material = programmes.built(programme)
            results.append(judge.measure(programme, kept, material, longest_s, listener))
    detail = {result.name: judge.detail(result) for result in results}
    detail["runs"] = {one.name: _use(one, out) for one in chosen}
    return Found(judge.figures(results), detail)


def _use(programme: Programme, out: Path) -> dict[str, object]:
    """What the processes used, and the machine's load; a busy machine explains late dubs."""
    note = onair.note(onair.kept(programme, out))
    return {key: value for key, value in note.items() if key != "longest_fragments_s"}


def _measure(settings: Settings, out: Path, console: Console) -> Found:
    chosen, is_played = _options(sys.argv[1:] if sys.argv[0].endswith("live.py") else [])
    if not is_played:
        play(chosen, settings, out, console)
    return measured(chosen, settings, out, console)


def _options(arguments: Sequence[str]) -> tuple[list[Programme], bool]:
    """(the programmes, whether they have been played)."""
    parser = argparse.ArgumentParser(prog="python -m bench.speech.live", description=__doc__)
    names = [programme.name for programme in programmes.PROGRAMMES]
    parser.add_argument("--only", choices=names, nargs="*", default=names)
    parser.add_argument("--measure-only", action="store_true")
    options = parser.parse_args(arguments)
    return [p for p in programmes.PROGRAMMES if p.name in options.only], options.measure_only


PART = Part("live", BARS, _measure)

if __name__ == "__main__":
    # SIGTERM ends it as Ctrl-C does: with everything that it started.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))
    sys.exit(parts.run("speech", [PART], PART.name))
