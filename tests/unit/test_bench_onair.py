"""What `bench-onair` counts, and that the parts of a bench make one file."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from rich.console import Console

from bench import parts
from bench.onair import frozen, languages, media, states
from bench.onair.languages import Direction, Said, Wrong
from bench.parts import Found, Part
from bench.servers import config as server_config
from bench.servers import egress, ingests
from dubcast.audio.pcm import RATE
from dubcast.config import Settings
from dubcast.measure.figures import Bar

WRONG = Wrong("sim", "pf_dora", "en", 0.4)


def _part(name: str, value: float) -> Part:
    def measure(settings: Settings, folder: Path, console: Console) -> Found:
        return Found({f"{name}_lost": value}, {"seen": name})

    return Part(name, (Bar(f"{name}_lost", "<=", 1),), measure)


@pytest.mark.parametrize(("values", "status"), [((0, 1), 0), ((0, 2), 1), ((2, 0), 1)])
def test_the_parts_make_one_file_with_the_bars_of_all(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, values: tuple[int, int], status: int
) -> None:
    monkeypatch.setattr(parts, "_OUT", tmp_path)
    both = [_part(name, value) for name, value in zip(("one", "two"), values, strict=True)]
    assert parts.run("onair", both) == status
    written = json.loads((tmp_path / "onair.json").read_text(encoding="utf-8"))
    assert written["figures"] == {"one_lost": values[0], "two_lost": values[1]}
    assert written["bars"] == {"one_lost": "<= 1", "two_lost": "<= 1"}
    assert written["detail"]["two"] == {"seen": "two"}
    assert parts.run("onair", both[:1], "one") == (values[0] > 1)
    assert json.loads((tmp_path / "onair-one.json").read_text(encoding="utf-8"))["figures"]


@pytest.mark.parametrize(
    "rooms",
    [
        [one.PART for one in (media, frozen, states, languages)],
        [ingests.PART, server_config.PART, *egress.PARTS],
    ],
)
def test_no_two_parts_have_a_figure_of_one_name(rooms: list[Part]) -> None:
    keys = [bar.key for room in rooms for bar in room.bars]
    assert len(keys) == len(set(keys))


def _said(language: str) -> list[Said]:
    voices, lines = languages.VOICES[language], languages.LINES[language]
    return [Said(line, voice, np.zeros(1, np.float32)) for line in lines for voice in voices]


@pytest.mark.parametrize(("language", "count"), [("en", 200), ("pt-BR", 150)])
def test_a_sample_goes_over_all_lines_in_all_voices(language: str, count: int) -> None:
    utterances = _said(language)
    assert len(utterances) == count
    taken = languages.sample(utterances, 40)
    assert len({one.text for one in taken}) == 40
    assert {one.voice for one in taken} == set(languages.VOICES[language])
    assert taken[0].text == utterances[0].text
    assert utterances.index(taken[-1]) > 0.95 * count


def test_a_mixed_fragment_has_a_half_of_each_language_and_either_comes_first() -> None:
    def said(voice: str, level: float) -> list[Said]:
        lengths = (1.0, 1.4, 2.0, 3.0, 4.0) * 5
        return [Said("x", voice, np.full(round(s * RATE), level, np.float32)) for s in lengths]

    both = languages.mixed(said("a", 0.1), said("b", 0.2))
    assert len(both) == 20
    for one in both:
        assert set(np.unique(one.sound)) == {np.float32(level) for level in (0.0, 0.1, 0.2)}
        assert 2.8 <= len(one.sound) / RATE <= 6.2
    assert {one.sound[0] for one in both[:2]} == {np.float32(0.1), np.float32(0.2)}


def test_the_figures_are_those_of_the_worse_direction() -> None:
    directions = [
        Direction([WRONG], [WRONG] * 2, [], {}, ask_ms=10, recognize_ms=200),
        Direction([WRONG] * 3, [], [WRONG] * 4, {}, ask_ms=15, recognize_ms=400),
    ]
    assert languages.figures_of(directions) == {
        "target_speech_dubbed": 2,
        "source_speech_left": 3,
        "mixed_speech_dubbed": 4,
        "language_ask_ms": 15,
        "language_ask_share": 0.05,
    }
