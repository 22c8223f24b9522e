"""The tables of what is said: what they rewrite and mend, and what of other senses they leave."""

from __future__ import annotations

import pytest

from dubcast.sts.colloquial import parse, said, table, written

EN_PT = ("en", "pt-BR")


@pytest.mark.parametrize(
    ("text", "plain"),
    [
        ("The youth group meets on Wednesday at seven.", "at seven o'clock."),
        ("The shop is at five Main Street.", "at five Main Street."),
        ("Look at two of them.", "Look at two of them."),
        ("The motion carries.", "The moção is approved."),
        ("I second the motion.", "I support the moção."),
        ("A motion sensor turned on the lights.", "A motion sensor turned on the lights."),
        ("She gets motion sickness.", "She gets motion sickness."),
        ("The meeting is adjourned.", "The meeting is closed."),
        ("You have the floor.", "You have the word."),
        ("We had the floor replaced.", "We had the floor replaced."),
        ("He hit the post!", "He hit the trave!"),
        ("The post office closes early.", "The post office closes early."),
        ("The keeper had no chance.", "The goalkeeper had no chance."),
        ("The keeper of the lighthouse.", "The keeper of the lighthouse."),
        ("It's a clear penalty.", "It's a clear pênalti."),
        ("He faces the death penalty.", "He faces the death penalty."),
        ("A great cross from the left.", "A great cruzamento from the left."),
        ("He wore a silver cross.", "He wore a silver cross."),
        ("They're leading three to one.", "They're winning three to one."),
        ("The leading cause is unknown.", "The leading cause is unknown."),
        ("Still nil-nil.", "Still zero to zero."),
        ("Let me restart the stream.", "Let me restart the transmissão."),
        ("The stream runs through the valley.", "The stream runs through the valley."),
        ("They walked to the stream.", "They walked to the stream."),
        ("Are we live?", "Are we on the air?"),
        ("We live in a small town.", "We live in a small town."),
        ("Give it up for the choir!", "Let's applaud the choir!"),
        ("You should never give it up.", "You should never give it up."),
        ("Your sound is breaking up.", "Your audio is failing."),
        ("You're breaking up with me?", "You're breaking up with me?"),
        ("Your time is up.", "Your time is over."),
        ("The line is really long.", "The fila is really long."),
        ("The line is straight.", "The line is straight."),
        ("The homework is due on Friday.", "The homework must be delivered on Friday."),
        ("I had pizza for dinner.", "I ate pizza for dinner."),
        ("I had a dog.", "I had a dog."),
        ("Think outside the box.", "Think outside the box."),
        ("She crosses from the left.", "She cruza from the left."),
        ("She crosses the street.", "She crosses the street."),
        ("He serves to stay in the set.", "He saca to stay in the set."),
        ("She serves the community.", "She serves the community."),
        ("They went on strike.", "They went on strike."),
        ("A great strike past the keeper.", "A great chute past the goalkeeper."),
        ("They found the equalizer.", "They found the goal to tie the game."),
        ("I need the equalizer for the bass.", "I need the equalizer for the bass."),
        ("A three from downtown.", "A three from far away."),
        ("The bus from downtown is late.", "The bus from downtown is late."),
        ("I could go for a coffee.", "I would love a coffee."),
        ("We could go for a walk.", "We could go for a walk."),
        ("My mic is acting up.", "My mic is having problems."),
        ("The kids are acting up.", "The kids are acting up."),
        ("The game is lagging.", "The game is travando."),
        ("It is lagging behind.", "It is lagging behind."),
        ("Turn my mic up.", "Increase the volume of my mic."),
        ("He turned the offer down.", "He turned the offer down."),
        ("Early in the first half.", "Early in the primeiro tempo."),
        ("The first half of the book is slow.", "The first half of the book is slow."),
        ("I cried in the second half of the film.", "I cried in the second half of the film."),
        ("Let's stand together and sing.", "Let's all stand up and sing."),
        ("We stand together against hate.", "We stand together against hate."),
        ("We beat the boss.", "We defeated the chefão."),
        ("Did you beat the eggs?", "Did you beat the eggs?"),
        ("She is serving to win the set.", "She is sacando to win the set."),
        ("She is serving dinner.", "She is serving dinner."),
        ("I will catch you later.", "I will see you later."),
        ("I will catch you if you fall.", "I will catch you if you fall."),
    ],
)
def test_what_a_model_is_given(text: str, plain: str) -> None:
    assert written(text, *EN_PT).endswith(plain)


@pytest.mark.parametrize(
    ("text", "translation", "mended"),
    [
        ("What a goal!", "Que objetivo!", "Que gol!"),
        ("The goal was disallowed.", "O objetivo foi anulado.", "O gol foi anulado."),
        ("Our goal is to finish.", "Nosso objetivo é terminar.", "Nosso objetivo é terminar."),
        ("Meet me at seven.", "Encontre-me aos sete.", "Encontre-me às sete."),
        ("She read at seven.", "Ela lia aos sete anos.", "Ela lia aos sete anos."),
        ("We're having fun.", "Estamos a ter diversão.", "Estamos tendo diversão."),
        ("Drive.", "Conduza.", "Dirija."),
        ("Mods, ban that guy.", "Moderadores, proibir ele.", "Moderadores, banir ele."),
        ("They ban cars.", "Eles querem proibir carros.", "Eles querem proibir carros."),
        ("We are live.", "Estamos no ar.", "Estamos ao vivo."),
        ("We are on the air.", "Estamos no ar.", "Estamos no ar."),
        ("Thanks for it.", "Obrigado por as flores.", "Obrigado pelas flores."),
        ("We see you.", "Vejo-vos.", "Vejo vocês."),
        ("I tell you.", "Digo-vos isso.", "Digo a vocês isso."),
        ("That goal changes the game.", "Esse objetivo muda tudo.", "Esse gol muda tudo."),
        ("That goal changes lives.", "Esse objetivo muda vidas.", "Esse objetivo muda vidas."),
        ("With you.", "Fico convosco.", "Fico com vocês."),
        ("See you at the same time.", "Até ao mesmo tempo.", "Até no mesmo horário."),
        ("He ran at the same time.", "Correu ao mesmo tempo.", "Correu ao mesmo tempo."),
        ("We need one more goal.", "Mais um objetivo.", "Mais um gol."),
        ("One more goal for the year.", "Mais um objetivo.", "Mais um objetivo."),
        ("The last checkpoint.", "O ponto de controle.", "O checkpoint."),
        ("A police checkpoint.", "O ponto de controle.", "O ponto de controle."),
        ("It'll be on the test.", "Ele estará no teste.", "Vai cair na prova."),
        ("He'll be on the test team.", "Ele estará no teste.", "Ele estará no teste."),
    ],
)
def test_what_a_model_gets_wrong_is_mended(text: str, translation: str, mended: str) -> None:
    assert said(text, translation, *EN_PT) == mended


def test_a_replacement_begins_as_what_it_stands_for() -> None:
    rules = parse(["before\t\\bgonna\\b\tgoing to", "after\tgoal\tobjetivo\tgol"], "x.tsv")

    assert rules.written("Gonna go, gonna win.") == "Going to go, going to win."
    assert rules.said("Goal!", "Objetivo!") == "Gol!"


def test_a_model_is_given_a_capital_and_the_case_of_the_text_is_kept() -> None:
    assert written("that's it", *EN_PT) == "That's it"
    assert written("iPhone users", *EN_PT) == "iPhone users"
    assert said("that's it", "É isso", *EN_PT) == "é isso"
    assert said("That's it", "É isso", *EN_PT) == "É isso"


def test_a_question_without_a_mark_is_given_one() -> None:
    assert written("who can tell me the answer", *EN_PT) == "Who can tell me the answer?"
    assert written("who was there is known", *EN_PT) == "Who was there is known"


@pytest.mark.parametrize(
    "line", ["before\tone", "after\tone\ttwo", "until\tone\ttwo", "before\t(\tx", "after\ta\t[\tx"]
)
def test_a_wrong_line_is_named(line: str) -> None:
    with pytest.raises(ValueError, match=r"x\.tsv, line 2"):
        parse(["# a table", line], "x.tsv")


@pytest.mark.parametrize("rule", ["before\tone\t", "after\tone\ttwo\t"])
def test_a_rule_that_stands_for_what_another_does_is_named(rule: str) -> None:
    with pytest.raises(ValueError, match=r"x\.tsv, line 2: is there already"):
        parse([f"{rule}a", f"{rule}b"], "x.tsv")


def test_a_direction_without_a_table_changes_nothing() -> None:
    assert written("gonna go", "en", "xx") == "gonna go"
    assert table("en", "xx").said("a goal", "objetivo") == "objetivo"
