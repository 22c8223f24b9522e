"""What streams say in Portuguese, in words that a model knows: both senses of what has two."""

from __future__ import annotations

import pytest

from dubcast.sts import colloquial

PT_EN = ("pt-BR", "en")


def written(text: str) -> str:
    return colloquial.written(text, *PT_EN)


def said(text: str, translation: str) -> str:
    return colloquial.said(text, translation, *PT_EN)


@pytest.mark.parametrize(
    ("spoken", "plain"),
    [
        ("Tô aqui pra te ajudar.", "Estou aqui para te ajudar."),
        ("Liga a câmera, por favor.", "Ligue a câmera, por favor."),
        ("Fernanda, liga a câmera.", "Fernanda, ligue a câmera."),
        ("Aumenta um pouquinho o retorno.", "Aumente um pouquinho o retorno."),
        ("Não esquece de deixar o like.", "Não se esqueça de deixar o like."),
        ("Não clica nesse link.", "Não clique nesse link."),
        ("Não entra aí não!", "Não entre aí!"),
        ("Me manda o arquivo.", "Me envie o arquivo."),
        ("Quem sabe a resposta levanta a mão.", "Quem sabe a resposta, levante a mão."),
        ("Tem gente na porta.", "Há gente na porta."),
        ("Amanhã tem live às oito.", "Amanhã haverá uma live às oito."),
        ("Você viu onde tem água?", "Você viu onde há água?"),
        ("Vai entrar o Pedro.", "O Pedro vai entrar."),
        ("Começa o jogo no Maracanã!", "O jogo começa no Maracanã!"),
        ("O juiz deu cartão amarelo.", "O árbitro deu cartão amarelo."),
        ("Escanteio pela direita.", "Corner pela direita."),
        ("Impedimento marcado.", "Offside marcado."),
        ("O senhor pode repetir?", "Você pode repetir?"),
        ("Minha internet caiu.", "Minha internet parou de funcionar."),
        ("Isso cai na prova.", "Isso vai estar na prova."),
        ("Faltam médicos no posto.", "Há falta de médicos no posto."),
        ("Faltam dez minutos.", "Restam dez minutos."),
        ("Eu também acho, viu.", "Eu também acho."),
        ("A prova é na quinta.", "A prova é na quinta-feira."),
        ("A reunião é às dezenove horas.", "A reunião é às sete da noite."),
        ("O treinador vai mexer no time.", "O treinador vai fazer mudanças no time."),
        ("O Pedro entrou no lugar do João.", "O Pedro substituiu o João."),
        ("Roubou a bola no meio.", "He wins the ball no meio."),
        ("O João doou cem reais.", "O João contribuiu com cem reais."),
        ("Levanta a mão quem quer ir.", "Levante a mão se você quer ir."),
        ("O secretário fará a chamada.", "O secretário will call the roll."),
        ("Ela dispensa apresentações.", "Ela does not need an introduction."),
        ("Ando muito cansado.", "I've been muito cansado."),
        ("Minha internet tá travando.", "Minha internet is lagging."),
        ("Não consigo passar dessa fase.", "Não consigo vencer este nível."),
        ("Ele largou bem.", "Ele started bem."),
    ],
)
def test_what_is_spoken_is_written_plainly(spoken: str, plain: str) -> None:
    assert written(spoken) == plain


@pytest.mark.parametrize(
    "prose",
    [
        "A Liga dos Campeões começa em setembro.",
        "Aumenta o número de casos de dengue no país.",
        "Ele liga a televisão e dorme.",
        "Ela não fala inglês.",
        "Ele não esquece os amigos.",
        "A empresa tem mais de mil funcionários.",
        "Ele tem que trabalhar amanhã.",
        "Tem razão o ministro.",
        "O juiz condenou o réu a cinco anos.",
        "O impedimento da presidente foi votado pelo Congresso.",
        "Ele foi impedido de entrar no país.",
        "A falta de água afeta milhares de famílias.",
        "O senhor João mora nesta rua.",
        "O Senhor é o meu pastor.",
        "O preço da gasolina caiu.",
        "O saque do FGTS começa na segunda-feira.",
        "O pessoal da limpeza entrou em greve.",
        "Até a próxima eleição, nada vai mudar.",
        "Na segunda vez, deu certo.",
        "Foi o que ela viu.",
        "O advogado defendeu o goleiro no tribunal.",
        "O ladrão roubou a bola do menino.",
        "Não vou mexer no time de vendas.",
        "Ele entrou no lugar errado.",
        "Ele largou a faculdade no segundo ano.",
        "Agradeço a quem doou sangue.",
        "Ela fez a chamada de vídeo para a família.",
        "Ando de bicicleta todos os dias.",
        "Ela anda muito rápido.",
        "O acordo está travando no Congresso.",
        "O jogo está travado no meio-campo.",
        "O time passou de fase na Copa.",
        "Ela cruzou os braços.",
    ],
)
def test_other_senses_stay(prose: str) -> None:
    assert written(prose) == prose


@pytest.mark.parametrize(
    ("spoken", "translation", "right"),
    [
        ("O culto vai começar.", "The cult will begin.", "The service will begin."),
        ("O primeiro tempo acabou.", "The first time is over.", "The first half is over."),
        ("Peço a leitura da ata.", "I ask to read the act.", "I ask to read the minutes."),
        ("A inscrição acaba hoje.", "The inscription ends today.", "The registration ends today."),
        ("Vocês têm de decorar a letra.", "You must decorate it.", "You must memorize it."),
        ("A reforma da igreja acabou.", "The reform is over.", "The renovation is over."),
        ("Você trouxe a sua Bíblia?", "Did you bring his Bible?", "Did you bring your Bible?"),
        ("E a sua mãe, como vai?", "And his mother, how is she?", "And your mother, how is she?"),
        ("Vocês podem me ouvir?", "You can hear me?", "Can you hear me?"),
        ("Perdi o ônibus.", "I lost the bus.", "I missed the bus."),
        ("Boa sorte na prova!", "Good luck in the race!", "Good luck in the test!"),
        ("O lance foi polêmico.", "The move was disputed.", "The play was disputed."),
        ("Traga a oferta ao altar.", "Bring the offer.", "Bring the offering."),
        ("Meu controle quebrou.", "My control broke.", "My controller broke."),
        ("Vou pedir uma pizza.", "I'll ask for a pizza.", "I'll order a pizza."),
    ],
)
def test_what_is_known_to_go_wrong_is_mended(spoken: str, translation: str, right: str) -> None:
    assert said(spoken, translation) == right


@pytest.mark.parametrize(
    ("spoken", "translation"),
    [
        ("O presidente e sua esposa chegaram.", "The president and his wife arrived."),
        ("Você viu a mãe dele e sua irmã?", "Did you see his mother and sister?"),
        ("A inscrição na pedra é antiga.", "The inscription on the stone is old."),
        ("Ela vai decorar o salão.", "She will decorate the hall."),
        ("A reforma tributária passou.", "The tax reform passed."),
        ("A prova de natação é hoje.", "The swimming race is today."),
        ("Ele perdeu a carteira.", "He lost his wallet."),
        ("O ato foi registrado em ata.", "The act was recorded."),
        ("Quem pode me ouvir?", "You can hear me?"),
        ("O lance no xadrez foi bom.", "The move in chess was good."),
        ("O senhor viu a oferta?", "Did you see the offer?"),
        ("Perdeu o controle do jogo.", "They lost control of the game."),
        ("As crianças pedem comida na rua.", "The children ask for food."),
    ],
)
def test_right_translations_stay(spoken: str, translation: str) -> None:
    assert said(spoken, translation) == translation
