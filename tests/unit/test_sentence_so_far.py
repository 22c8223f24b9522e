"""The end of a sentence is translated with its beginning, which was said already."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from dubcast.languages import catalogue
from dubcast.sts.sentence_so_far import Begun, begun, rest

FOUND = catalogue.find("en"), catalogue.find("pt-BR")
assert FOUND[0] is not None
assert FOUND[1] is not None
EN, PT = FOUND


@pytest.mark.parametrize(
    ("source", "target", "found"),
    [
        ("", "", None),
        ("It is over.", "Acabou.", None),
        ('He said "it is over."', 'Ele disse "acabou."', None),
        ("It may be (or not!)", "Talvez (ou não!)", None),
        ("Like any PBX,", "Como um PBX,", Begun("Like any PBX,", "Como um PBX,")),
        ("It rains. And so", "Chove. E assim", Begun("And so", "E assim")),
        # A model may end what has not ended.
        ("See Mr. Hill", "Veja o Sr. Hill.", Begun("See Mr. Hill", "Veja o Sr. Hill.")),
        ("nothing was said of it", "", None),
    ],
)
def test_the_last_sentence_is_begun_until_it_ends(
    source: str, target: str, found: Begun | None
) -> None:
    assert begun(source, target, EN, PT) == found


CASES: Sequence[tuple[str, str, str, str | None]] = (
    # As it was said.
    (
        "Como um PBX normal,",
        "navegará por ela.",
        "Como um PBX normal, você navegará por ela.",
        "você navegará por ela.",
    ),
    # Its beginning is put otherwise, with fewer words and with more.
    (
        "se estiver a utilizar um telefone",
        "você pode discar",
        "Se você estiver usando um telefone, você pode discar",
        "você pode discar",
    ),
    (
        "Outra acebíveis imprensa 3",
        "para um diretório imprensa 4.",
        "Outra recebíveis pressione 3 para um diretório pressione 4.",
        "para um diretório pressione 4.",
    ),
    # Its end comes out otherwise, as it is meant to.
    (
        "And John had leisure to think how much",
        "May be in his power to do.",
        "And John had leisure to think how much might be in his power to do.",
        "might be in his power to do.",
    ),
    # A word of the beginning now stands at its end.
    (
        "Sky Folding is not a method of learning,",
        "but if a help",
        "Sky Folding is not a learning method, but if a help",
        "but if a help",
    ),
    # Another sentence altogether; no more than the beginning; nothing at all.
    ("o propósito estrito", "o ambiente é outro", "É outra coisa bem diferente disso", None),
    ("o que nós tínhamos", "nada mais", "O que nós tínhamos", None),
    ("o que nós tínhamos", "nada mais", "", None),
    # What was said is in it, and the end far too long.
    ("Boa", "noite", "Boa tarde, minhas senhoras e meus senhores de todo o mundo", None),
)


@pytest.mark.parametrize(("said", "alone", "whole", "end"), CASES)
def test_of_the_whole_sentence_its_end_is_taken(
    said: str, alone: str, whole: str, end: str | None
) -> None:
    assert rest(said, alone, whole) == end
