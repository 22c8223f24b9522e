"""The demo's figures as people read them: a name, a value with its unit, a bar in words. Pure."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from dubcast.measure import figures
from dubcast.measure.figures import Bar, Figure, Verdict

_IN_WORDS = {"<=": "at most", ">=": "at least", "<": "below", ">": "above", "==": "exactly"}
_OTHERS = "Others"


@dataclass(frozen=True)
class Label:
    """What a figure is called, and its unit. `%`: the figure is a share, told in hundredths."""

    name: str
    unit: str = ""

    def value(self, figure: Figure) -> str:
        """The figure with its unit."""
        if isinstance(figure, float) and math.isnan(figure):
            return figures.show(None)
        if isinstance(figure, bool) or not isinstance(figure, int | float):
            return figures.show(figure)
        if self.unit == "%":
            return f"{figures.show(round(100 * figure, 6))} %"
        return f"{figures.show(figure)} {self.unit}".strip()

    def bar(self, bar: Bar) -> str:
        """The bar in words."""
        limit = self.value(bar.limit)
        return limit if isinstance(bar.limit, bool) else f"{_IN_WORDS[bar.op]} {limit}"


GROUPS: Mapping[str, Mapping[str, Label]] = {
    "Picture": {
        "video_bit_exact": Label("Picture untouched, bit for bit"),
        "video_bit_exact_gop250": Label("The same with key frames 250 pictures apart"),
        "output_gap_max_ms": Label("Largest gap in the output beyond one frame", "ms"),
    },
    "Sync and delay": {
        "av_offset_max_abs_ms": Label("Sound against picture, largest offset", "ms"),
        "av_offset_slope_ms_per_min": Label("Sound against picture, drift", "ms/min"),
        "av_points": Label("Flashes with a beep that were compared"),
        "output_delay_s": Label("Input to output", "s"),
        "output_delay_error_s": Label("Input to output, away from the set delay", "s"),
        "output_delay_spread_p99_ms": Label("Input to output, spread (99 % within)", "ms"),
    },
    "Dub": {
        "fragments_speech": Label("Fragments of speech"),
        "fragments_dubbed": Label("Fragments of speech that were dubbed"),
        "dubbed_share": Label("Share of the fragments that was dubbed in time", "%"),
        "undubbed_speech_share": Label("Share of the speech that aired without a dub", "%"),
        "roundtrip_chrf": Label("Dub understood by a speech recogniser (chrF of 100)"),
        "tempo_p95": Label("Tempo of the dub, 1 = as spoken (95 % below)"),
        "dub_lag_p50_s": Label("Dub begins after the speech, median", "s"),
        "dub_lag_p95_s": Label("Dub begins after the speech (95 % below)", "s"),
    },
    "Machine": {
        "worker_cpu": Label("Stream worker: processor", "of a core"),
        "worker_cpu_with_separation": Label(
            "Stream worker with its separation process: processor", "of a core"
        ),
        "worker_rss_mb": Label("Stream worker: memory, shared libraries in full", "MB"),
        "sts_cpu": Label("Speech service: processor", "of a core"),
        "first_dub_s": Label("Start of all roles to the first dubbed word", "s"),
        "setup_s": Label("Set-up before the demo", "s"),
    },
}
LABELS: Mapping[str, Label] = {
    key: label for group in GROUPS.values() for key, label in group.items()
}


def label(key: str) -> Label:
    """The label of a figure; one without is called by its key."""
    return LABELS.get(key) or Label(key)


def grouped(verdicts: Sequence[Verdict]) -> list[tuple[str, list[Verdict]]]:
    """The verdicts by group, both in the order of `GROUPS`; figures without a label come last."""
    by_key = {verdict.key: verdict for verdict in verdicts}
    out = [(name, [by_key[key] for key in keys if key in by_key]) for name, keys in GROUPS.items()]
    out.append((_OTHERS, [verdict for verdict in verdicts if verdict.key not in LABELS]))
    return [(name, found) for name, found in out if found]
