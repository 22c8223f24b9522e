"""The report's plots as inline SVG. Text and lines take the page's colours, light or dark."""

from __future__ import annotations

import io
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import matplotlib as mpl
import numpy as np
from numpy.typing import NDArray

from dubcast.contract.worker import AsRunEntry
from dubcast.measure.flashbeep import Samples

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

OUTCOME_COLOURS = {
    "dubbed": "#2a9d8f",
    "late": "#e09f3e",
    "failed": "#d1495b",
    "overload": "#9c6644",
    "shift": "#7b5ea7",
    "no_speech": "#8d99ae",
    "left_alone": "#6c8ebf",
}
OTHER_COLOUR = "#8d99ae"
STAGE_COLOURS = {
    "queue": "#b8bcc8",
    "resample": "#8d99ae",
    "asr": "#3d7ea6",
    "mt": "#7b5ea7",
    "tts": "#2a9d8f",
    "fit": "#e09f3e",
    "other": "#d9d9d9",
}
_WAVE = "#3d7ea6"
# Stand-ins that no palette has; the SVG's text is searched for them afterwards.
_INK, _FAINT = "#010203", "#010204"
_WIDTH_IN = 11.0
_COLUMNS = 1400


@dataclass(frozen=True)
class Sound:
    """Samples, (frames,) or (frames, channels), full scale 1.0, from `start_s` (stream time) on."""

    samples: Samples
    rate_hz: int
    start_s: float = 0.0

    @property
    def end_s(self) -> float:
        return self.start_s + len(self.samples) / self.rate_hz


def waveforms(source: Sound | None, output: Sound | None, spans: Sequence[AsRunEntry]) -> str:
    """Source above, output below on the same time; fragments shaded by outcome."""
    figure, axes = _figure(rows=2, height_in=4.2, salt="waves")
    for place, (name, sound) in enumerate((("source", source), ("output", output))):
        axis = axes[place]
        if sound is not None:
            _draw_wave(axis, sound)
        for span in spans:
            _shade(axis, span, dub=place == 1)
        axis.set_ylabel(name)
        axis.set_ylim(-1, 1)
        axis.set_yticks([])
    axes[1].set_xlabel("stream time, s (output drawn earlier by the delay)")
    _legend(figure, OUTCOME_COLOURS, {span.outcome for span in spans})
    return _svg(figure)


def _draw_wave(axis: Axes, sound: Sound) -> None:
    times, low, high = envelope(sound)
    axis.fill_between(times, low, high, color=_WAVE, linewidth=0.3, rasterized=False)
    axis.set_xlim(sound.start_s, sound.end_s)


def envelope(
    sound: Sound, columns: int = _COLUMNS
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
    """(times in s, lowest, highest sample) of each column, scaled to the loudest sample."""
    mono = sound.samples if sound.samples.ndim == 1 else sound.samples.mean(axis=1)
    width = max(1, len(mono) // columns)
    rows = mono[: len(mono) // width * width].reshape(-1, width)
    top = max(float(np.abs(mono).max(initial=0.0)), 1e-6)
    times = sound.start_s + (np.arange(len(rows)) + 0.5) * width / sound.rate_hz
    return times, rows.min(axis=1) / top, rows.max(axis=1) / top


def _shade(axis: Axes, span: AsRunEntry, *, dub: bool) -> None:
    start, end = span.source_start_s, span.source_end_s
    if dub and span.dub_start_s is not None and span.dub_end_s is not None:
        start, end = span.dub_start_s, span.dub_end_s
    colour = OUTCOME_COLOURS.get(span.outcome, OTHER_COLOUR)
    axis.axvspan(start, end, color=colour, alpha=0.28, linewidth=0)
    if not dub:
        axis.text(start, 0.86, f" {span.number}", color=_INK, fontsize=7, va="top")


def offset(points: Sequence[tuple[float, float]], limit_ms: float | None) -> str:
    """A/V offset over time; `points` are (s, ms)."""
    figure, axes = _figure(rows=1, height_in=2.4, salt="offset")
    axis = axes[0]
    if points:
        times, values = zip(*points, strict=True)
        axis.plot(times, values, "o", color=OUTCOME_COLOURS["dubbed"], markersize=4)
    reach = max([abs(value) for _, value in points] + [limit_ms or 0.0, 2.0])
    if limit_ms:
        for bar in (-limit_ms, limit_ms):
            axis.axhline(bar, color=OUTCOME_COLOURS["failed"], linewidth=1, linestyle="--")
    axis.axhline(0, color=_FAINT, linewidth=0.8)
    axis.set_ylim(-1.25 * reach, 1.25 * reach)
    axis.set_ylabel("ms (+ audio early)")
    axis.set_xlabel("output time, s")
    return _svg(figure)


def latency(spans: Sequence[AsRunEntry]) -> str:
    """Milliseconds of each stage, stacked, one bar a fragment."""
    figure, axes = _figure(rows=1, height_in=3.0, salt="latency")
    axis = axes[0]
    timed = [span for span in spans if span.stages_ms or span.round_trip_ms]
    numbers = np.arange(len(timed))
    bottom = np.zeros(len(timed))
    stages = [stage_times(span) for span in timed]
    for stage, colour in STAGE_COLOURS.items():
        heights = np.array([times.get(stage, 0.0) for times in stages])
        if heights.any():
            axis.bar(numbers, heights, 0.7, bottom=bottom, color=colour, linewidth=0)
            bottom = bottom + heights
    axis.set_xticks(numbers, [span.number for span in timed])
    axis.set_ylabel("ms")
    axis.set_xlabel("fragment")
    _legend(figure, STAGE_COLOURS, {name for times in stages for name, ms in times.items() if ms})
    return _svg(figure)


def stage_times(span: AsRunEntry) -> dict[str, float]:
    """The stages in ms; `other` is what the round trip took beside them (network, waiting)."""
    known = {name: ms for name, ms in span.stages_ms.items() if name in STAGE_COLOURS}
    rest = (span.round_trip_ms or 0.0) - sum(span.stages_ms.values())
    strange = sum(span.stages_ms.values()) - sum(known.values())
    return {**known, "other": max(0.0, rest) + strange}


def delay(points: Sequence[tuple[float, float]]) -> str:
    """Input to output in s over time."""
    figure, axes = _figure(rows=1, height_in=2.2, salt="delay")
    axis = axes[0]
    if points:
        times, values = zip(*points, strict=True)
        axis.plot(times, values, color=_WAVE, linewidth=1)
        middle = float(np.median(values))
        reach = max(0.1, 1.2 * max(abs(value - middle) for value in values))
        axis.set_ylim(middle - reach, middle + reach)
    axis.ticklabel_format(axis="y", useOffset=False)
    axis.set_ylabel("s")
    axis.set_xlabel("output time, s")
    return _svg(figure)


def _figure(*, rows: int, height_in: float, salt: str) -> tuple[Figure, list[Axes]]:
    # Not pyplot: figures made this way hold no global state and need no display.
    from matplotlib.figure import Figure as NewFigure

    figure = NewFigure(figsize=(_WIDTH_IN, height_in), layout="constrained")
    figure.set_label(salt)
    figure.patch.set_alpha(0)
    axes = figure.subplots(rows, 1, sharex=True, squeeze=False)[:, 0].tolist()
    for axis in axes:
        _style(axis)
    return figure, axes


def _style(axis: Axes) -> None:
    axis.patch.set_alpha(0)
    axis.grid(axis="both", color=_FAINT, linewidth=0.5)
    axis.set_axisbelow(True)
    axis.tick_params(colors=_INK, labelsize=8, length=0)
    axis.xaxis.label.set(color=_INK, fontsize=9)
    axis.yaxis.label.set(color=_INK, fontsize=9)
    for spine in axis.spines.values():
        spine.set_visible(False)


def _legend(figure: Figure, colours: dict[str, str], used: set[str]) -> None:
    from matplotlib.patches import Patch

    handles = [
        Patch(color=colour, label=name.replace("_", " "))
        for name, colour in colours.items()
        if name in used
    ]
    if handles:
        figure.legend(
            handles=handles, loc="outside upper left", ncols=len(handles), frameon=False,
            fontsize=8, labelcolor=_INK,
        )  # fmt: skip


def _svg(figure: Figure) -> str:
    """The figure as an SVG element; ids differ between figures of one page."""
    out = io.StringIO()
    with mpl.rc_context({"svg.fonttype": "none", "svg.hashsalt": str(figure.get_label())}):
        figure.savefig(out, format="svg", metadata={"Date": None, "Creator": None})
    text = out.getvalue()
    text = text[text.index("<svg") :]
    return text.replace(_INK, "currentColor").replace(_FAINT, "var(--faint)")
