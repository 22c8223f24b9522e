"""English commands that a model makes infinitives of."""

from __future__ import annotations

import pytest

from dubcast.sts import colloquial
from dubcast.sts.imperatives import commanded, imperative


@pytest.mark.parametrize(
    ("text", "translation", "said"),
    [
        ("Drop a like!", "Soltar um like!", "Solte um like!"),
        ("drop a like", "soltar um like", "solte um like"),
        ("Smash it and subscribe.", "Esmagar e assinar.", "Esmague e assine."),
        ("See you then, don't be late.", "Até lá, não se atrasar.", "Até lá, não se atrase."),
        ("He is weak. Push him!", "Ele é fraco. Empurrá-lo!", "Ele é fraco. Empurre-o!"),
        ("Let me see that.", "Deixar-me ver isso.", "Deixe-me ver isso."),
        ("Don’t move, please.", "Não se mover, por favor.", "Não se mova, por favor."),
        ("Stay there, please sit.", "Ficar aí, por favor sentar.", "Fique aí, por favor sente."),
        # Nobody is told to do anything.
        ("I want to go and see.", "Eu quero ir e ver.", "Eu quero ir e ver."),
        ("To win is hard.", "Vencer é difícil.", "Vencer é difícil."),
        ("Love is patient.", "Amar é paciente.", "Amar é paciente."),
        ("Let us bow and pray.", "Vamos nos curvar e orar.", "Vamos nos curvar e orar."),
        ("Meeting you was nice.", "Conhecer você foi bom.", "Conhecer você foi bom."),
        # Not all that ends so is a verb.
        ("Place your bets.", "Lugar das apostas.", "Lugar das apostas."),
        ("Drop a like, any one.", "Deixe um like, qualquer um.", "Deixe um like, qualquer um."),
    ],
)
def test_a_command_is_one(text: str, translation: str, said: str) -> None:
    assert commanded(text, translation) == said
    assert colloquial.said(text, translation, "en", "pt-BR") == said


def test_other_languages_stay() -> None:
    assert colloquial.said("Drop a like!", "Soltar un like!", "en", "es") == "Soltar un like!"


@pytest.mark.parametrize(
    ("infinitive", "said"),
    [
        *(("falar", "fale"), ("comer", "coma"), ("abrir", "abra"), ("ficar", "fique")),
        *(("pagar", "pague"), ("dançar", "dance"), ("dirigir", "dirija"), ("proteger", "proteja")),
        *(("agradecer", "agradeça"), ("seguir", "siga"), ("erguer", "erga"), ("fazer", "faça")),
        *(("pôr", "ponha"), ("ir", "vá"), ("dar", "dê"), ("passear", "passeie")),
    ],
)
def test_imperatives_are_written_as_they_should(infinitive: str, said: str) -> None:
    assert imperative(infinitive) == said
