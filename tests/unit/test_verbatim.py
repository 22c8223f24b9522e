"""What goes through a translation untouched, and dates in the order of the target language."""

from __future__ import annotations

import pytest

from dubcast.languages.spoken.en import LANGUAGE as ENGLISH
from dubcast.languages.spoken.pt_br import LANGUAGE as PORTUGUESE
from dubcast.sts.verbatim import called, verbatim


def _found(sentence: str, *, back: bool = False) -> list[tuple[str, str]]:
    pair = (PORTUGUESE, ENGLISH) if back else (ENGLISH, PORTUGUESE)
    return [(sentence[one.start : one.end], one.translation) for one in verbatim(sentence, *pair)]


def test_addresses_handles_and_hashtags_stay() -> None:
    text = "Visit www.example.com/live or info@example.com, ask @maria about #winning at 5."
    kept = ["www.example.com/live", "info@example.com", "@maria", "#winning"]
    assert _found(text) == [(one, one) for one in kept]
    assert _found("He is #1 and stays @ home. Then he left.") == []


@pytest.mark.parametrize(
    ("written", "there", "back"),
    [
        ("07/04/1990", "04/07/1990", "04/07/1990"),
        ("12/25/2023", "25/12/2023", "12/25/2023"),
        ("25/12/2023", "25/12/2023", "12/25/2023"),
        ("5/5/99", "5/5/99", "5/5/99"),
    ],
)
def test_dates_have_the_order_of_the_target(written: str, there: str, back: str) -> None:
    assert _found(f"Born on {written}.") == [(written, there)]
    assert _found(f"Nasceu em {written}.", back=True) == [(written, back)]


@pytest.mark.parametrize(
    ("sentence", "name"),
    [
        ("How was your trip, Maria?", "Maria"),
        ("Que horas são, João", "João"),
        ("We play in Lisbon, Portugal.", None),
        ("I met John, Paul.", None),
        ("Thank you, Doctor.", None),
        ("It is in the east, Germany.", None),
        ("How was your trip, maria?", None),
        ("How was your trip, NASA?", None),
        ("Of all that he had ever seen it was the best one, Maria.", None),
        ("Maria, come here.", None),
    ],
)
def test_who_is_called_at_the_end_keeps_the_name(sentence: str, name: str | None) -> None:
    found = [(sentence[one.start : one.end], one.translation) for one in called(sentence)]
    assert found == ([(name, name)] if name else [])
