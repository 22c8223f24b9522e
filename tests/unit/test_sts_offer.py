"""What can be asked for: whole directions, and a voice for each."""

from __future__ import annotations

import pytest

from dubcast.contract.sts import FragmentConfig
from dubcast.errors import StsError
from dubcast.languages.spoken.en import LANGUAGE as ENGLISH
from dubcast.languages.spoken.pt_br import LANGUAGE as PORTUGUESE
from dubcast.sts.offer import Choice, Offer
from dubcast.sts.providers.interface import Voice

ANNA = Voice("anna", "pt-PT", "female")
BIA = Voice("bia", "pt-BR", "female", default=True)
KEN = Voice("ken", "en-GB", "male")
XENA = Voice("xena", "xx", "female")
PAIRS = {("en", "pt-BR"), ("pt-BR", "en"), ("en", "xx"), ("xx", "en")}


def test_a_direction_needs_two_known_languages_and_a_voice() -> None:
    assert Offer(PAIRS, [ANNA, KEN, XENA]).pairs == (("en", "pt-BR"), ("pt-BR", "en"))
    assert Offer(PAIRS, [ANNA, XENA]).pairs == (("en", "pt-BR"),)
    assert Offer(PAIRS, []).pairs == ()


def test_the_default_is_its_providers_else_the_first() -> None:
    assert Offer(PAIRS, [ANNA, BIA]).voice("default", PORTUGUESE) == BIA
    assert Offer(PAIRS, [ANNA, KEN]).voice("default", PORTUGUESE) == ANNA
    assert Offer(PAIRS, [ANNA, BIA]).voice("anna", PORTUGUESE) == ANNA


@pytest.mark.parametrize(
    ("config", "message"),
    [
        (
            {"source_language": "xx"},
            "cannot dub 'xx' into 'pt-BR'; there are: en -> pt-BR, pt-BR -> en",
        ),
        (
            {"target_language": "en-US"},
            "cannot dub 'en' into 'en-US'; there are: en -> pt-BR, pt-BR -> en",
        ),
        (
            {"voice_profile": "ken"},
            "voice_profile 'ken' does not speak pt-BR; there are: default, anna, bia",
        ),
    ],
)
def test_what_is_not_offered_is_told_with_the_choices(config: dict[str, str], message: str) -> None:
    offer = Offer(PAIRS, [ANNA, BIA, KEN])
    with pytest.raises(StsError) as caught:
        offer.choose(FragmentConfig.model_validate(config))
    assert (caught.value.code, str(caught.value)) == ("INVALID_INPUT", message)
    with pytest.raises(StsError, match="does not speak en; there are: none"):
        Offer(PAIRS, [BIA]).voice("default", ENGLISH)


def test_the_choice_of_a_request() -> None:
    choice = Offer(PAIRS, [BIA, KEN]).choose(FragmentConfig(target_language="PT_br"))
    assert (choice.sources, choice.target, choice.voice) == ((ENGLISH,), PORTUGUESE, BIA)
    assert choice.named


def test_whatever_is_spoken_is_offered_where_languages_can_be_told() -> None:
    offer = Offer(PAIRS, [BIA, KEN], tells_languages=True)
    assert offer.pairs == (("en", "pt-BR"), ("pt-BR", "en"), ("auto", "en"), ("auto", "pt-BR"))
    choice = offer.choose(FragmentConfig(source_language="Auto", target_language="en"))
    assert (choice.sources, choice.target, choice.named) == ((PORTUGUESE,), ENGLISH, False)
    with pytest.raises(StsError, match="cannot dub 'auto' into 'xx'; there are: en -> pt-BR,"):
        offer.direction("auto", "xx")
    with pytest.raises(StsError, match="cannot dub 'en' into 'auto';"):
        offer.direction("en", "auto")


def test_auto_is_refused_with_the_reason_where_languages_cannot_be_told() -> None:
    words = r"cannot dub 'auto' into 'pt' \(this recognition cannot tell languages\); there are: en"
    with pytest.raises(StsError, match=words):
        Offer(PAIRS, [BIA]).direction("auto", "pt")


def test_of_several_sources_the_one_that_was_heard_is_chosen() -> None:
    choice = Choice((ENGLISH, PORTUGUESE), PORTUGUESE, BIA, named=False)
    assert choice.heard("pt-BR").source is PORTUGUESE
    assert choice.heard("fr").source is ENGLISH
