"""What a speech service can do and what it costs, as the API and the command line tell it. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from dubcast.contract.sts import (
    AUTO,
    LanguageInfo,
    LanguagePair,
    LanguagesReply,
    MissingPair,
    VoiceInfo,
    VoicesReply,
)
from dubcast.languages import catalogue
from dubcast.languages.language import Language
from dubcast.models.store import StoredModel
from dubcast.sts.offer import Offer
from dubcast.sts.providers.interface import Voice

PIPER_HINT = (
    "put a Piper voice (NAME.onnx and NAME.onnx.json) into a folder and name the folder in "
    "sts_server.piper_voices"
)


@dataclass(frozen=True)
class PartCost:
    """A model: its state, its size, and the CPU time that it takes for a second of speech, where
    that was measured. `command` gets it, if it is not here.
    """

    name: str
    state: str
    megabytes: float
    cpu_s_per_s: float | None
    command: str | None


def voices_reply(voices: Iterable[Voice]) -> VoicesReply:
    """Voices as they are told."""
    return VoicesReply(
        voices=[
            VoiceInfo(
                name=one.name,
                language=one.language,
                gender=one.gender,
                default=one.default,
                engine=one.engine,
            )
            for one in voices
        ]
    )


def languages_reply(offer: Offer) -> LanguagesReply:
    """The directions, those that lack their translation, and each language with what there is."""
    return LanguagesReply(
        pairs=[LanguagePair(source=a, target=b) for a, b in offer.pairs],
        missing=[
            MissingPair(source=a, target=b, command=how) for (a, b), how in offer.to_get.items()
        ],
        languages=[_info(language, offer) for language in catalogue.known()],
    )


def _info(language: Language, offer: Offer) -> LanguageInfo:
    tag = language.tag
    named = [pair for pair in offer.pairs if pair[0] != AUTO]
    engines = Counter(one.engine for one in offer.voices if one.speaks(tag))
    return LanguageInfo(
        tag=tag,
        name=language.name or tag,
        voices=dict(engines),
        dubbed_from=[source for source, target in named if target == tag],
        dubbed_into=[target for source, target in named if source == tag],
    )


def costs(models: Sequence[StoredModel], needed: set[str]) -> list[PartCost]:
    """What the models of a service cost: those that it needs, and voices that can be had."""
    return [
        PartCost(
            one.name,
            one.state,
            round(one.entry.size / 1e6, 1),
            one.entry.cpu_s_per_s,
            None if one.installed else f"dubcast models pull {one.name}",
        )
        for one in models
        if one.name in needed or one.entry.on_request
    ]
