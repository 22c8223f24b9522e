"""`python -m bench.separation`: every separator on every mix, figures against bars.

Words are in per cent, CPU in seconds per second of sound on one thread (set OMP_NUM_THREADS=1),
means are over all mixes (CPU: the median), and the worst share of words over those with speech
at or above the background. Figures of a separator are of its own output, without the gate;
`default_gated_*` and all `speechfree_error` are with the gate, as on air.
"""

from __future__ import annotations

import argparse
import gc
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from rich.console import Console

from bench.separation import measure, metrics, mixes, words
from bench.separation.gated import gated
from dubcast.audio.pcm import RATE, Float, to_float
from dubcast.config import Settings
from dubcast.measure.figures import Bar, Figure, report
from dubcast.measure.speech_models import narrator
from dubcast.models.store import ModelStore
from dubcast.separation import registry

DEFAULT = "dfn3"
BARS = (
    Bar("default_sisdr_gain_db", ">=", 10),
    Bar("default_leak_db", "<=", -18),
    Bar("default_words_read_mean", "<=", 3, "per cent"),
    Bar("default_words_read_worst", "<=", 10, "per cent, at >= 0 dB"),
    Bar("default_speechfree_error_db", "<=", -50, "with the gate; bypass is -60"),
    Bar("digital_silence_kept", "==", True),
    Bar("alignment_error_samples", "==", 0),
    Bar("default_cpu", "<=", 0.13),
    Bar("nsnet2_cpu", "<=", 0.06),
    Bar("blend_cpu", "<=", 0.22),
)


class Bench:
    """What has been measured so far."""

    def __init__(self, settings: Settings, chosen: Sequence[mixes.Mix], read: words.Read) -> None:
        self._store = ModelStore(settings.models)
        self._mixes = chosen
        self._read = read
        self._reference = {mix.spec.name: read(to_float(mix.speech)) for mix in chosen}
        self.figures: dict[str, Figure] = {}
        self.detail: dict[str, Any] = {"mixes": self._texts()}
        self._lags: list[int] = []
        self._silent = True

    def _texts(self) -> list[dict[str, Any]]:
        """The words of each mix, and how many of them are read with and without its speech: the
        second is the floor, words that Whisper makes of music.
        """
        rows: list[dict[str, Any]] = []
        for mix in self._mixes:
            reference = self._reference[mix.spec.name]
            sounds = {"unprocessed": mix.whole, "floor": mix.background}
            row = {
                name: round(metrics.read_in_order(reference, self._read(to_float(sound))), 2)
                for name, sound in sounds.items()
            }
            rows.append({"mix": mix.spec.name, "snr_db": mix.spec.snr_db, **row, "text": reference})
        for name in ("unprocessed", "floor"):
            values: list[float] = [row[name] for row in rows]
            self.figures[f"{name}_words_read_mean"] = round(sum(values) / len(values), 2)
        return rows

    def separator(self, name: str) -> None:
        """Measure one separator on all mixes."""
        separator = registry.create(name, self._store)
        results, passed = [], []
        for mix in self._mixes:
            separator.reset()
            made = measure.streamed(separator, to_float(mix.whole))
            aired = gated(mix.whole, made)
            heard = self._read(made.background)
            reference = self._reference[mix.spec.name]
            results.append(measure.result(mix, made, aired, reference, heard))
            if name == DEFAULT:
                passed.append(self._on_air(mix, aired, made))
        separator.reset()
        self._silent &= measure.keeps_silence(separator, to_float(self._mixes[0].whole))
        self._lags += [abs(result.lag) for result in results]
        self._add(name, results, 1000 * separator.latency / RATE)
        if passed:
            self._add("default", results, 1000 * separator.latency / RATE)
            self._add("default_gated", passed, 1000 * separator.latency / RATE)
        del separator
        gc.collect()

    def _on_air(self, mix: mixes.Mix, aired: Float, made: measure.Streamed) -> measure.Result:
        """The same measures behind the gate."""
        through = measure.Streamed(aired, made.speech_share, made.cpu)
        reference = self._reference[mix.spec.name]
        return measure.result(mix, through, aired, reference, self._read(aired))

    def _add(self, name: str, results: Sequence[measure.Result], delay_ms: float) -> None:
        self.figures |= measure.figures(name, results, delay_ms)
        self.detail[name] = [asdict(result) for result in results]

    def finished(self) -> Mapping[str, Figure]:
        """All figures."""
        self.figures["digital_silence_kept"] = self._silent
        self.figures["alignment_error_samples"] = max(self._lags, default=None)
        return self.figures


def main() -> None:
    """Exit 1 if a bar is missed."""
    options = _options()
    console, settings = Console(stderr=True), Settings()
    specs = [spec for spec in mixes.SPECS if spec.name in options.mixes]
    _build(settings, specs, console)
    with words.reader(settings) as read:
        bench = Bench(settings, [mixes.load(spec) for spec in specs], read)
        for name in options.separators:
            console.print(f"separating {len(specs)} mixes: {name}")
            bench.separator(name)
    met = report(options.out, bench.finished(), BARS, seed=mixes.SEED, detail=bench.detail)
    raise SystemExit(0 if met else 1)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m bench.separation", description=__doc__)
    known = [spec.name for spec in mixes.SPECS]
    names = list(registry.NAMES)
    parser.add_argument("--out", type=Path, default=Path("build/bench/separation.json"))
    parser.add_argument("--mixes", nargs="+", choices=known, default=known, metavar="MIX")
    parser.add_argument("--separators", nargs="+", choices=names, default=names, metavar="NAME")
    return parser.parse_args()


def _build(settings: Settings, specs: Sequence[mixes.Spec], console: Console) -> None:
    if mixes.built(specs):
        return
    console.print("making the mixes (once; fetches about 500 MB of packages)")
    with narrator(settings) as speak:
        for name in mixes.build(speak, specs):
            console.print(f"  {name}")
