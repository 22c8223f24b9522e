"""What there is for each language, and what it costs."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from dubcast.languages import catalogue
from dubcast.models.manifest import load_manifest
from dubcast.models.store import StoredModel
from dubcast.sts.inventory import costs, languages_reply, voices_reply
from dubcast.sts.offer import Offer
from dubcast.sts.providers.interface import Voice

ANNA = Voice("anna", "de-AT", "unknown", engine="piper")
BIA = Voice("bia", "pt-BR", "female", default=True, engine="kokoro")
KEN = Voice("ken", "en-GB", "male", engine="kokoro")


def test_each_language_has_its_voices_and_directions() -> None:
    offer = Offer({("en", "de"), ("en", "pt-BR"), ("pt-BR", "de")}, [ANNA, BIA, KEN])
    told = {one.tag: one for one in languages_reply(offer).languages}
    assert set(told) == {one.tag for one in catalogue.known()}
    assert (told["de"].voices, told["de"].dubbed_from) == ({"piper": 1}, ["en", "pt-BR"])
    assert (told["en"].voices, told["en"].dubbed_into) == ({"kokoro": 1}, ["de", "pt-BR"])
    assert (told["fr"].voices, told["fr"].dubbed_from, told["fr"].dubbed_into) == ({}, [], [])


def test_what_any_language_is_dubbed_from_is_in_the_directions_alone() -> None:
    offer = Offer({("en", "pt-BR")}, [BIA], tells_languages=True)
    reply = languages_reply(offer)
    assert ("auto", "pt-BR") in {(pair.source, pair.target) for pair in reply.pairs}
    assert next(one for one in reply.languages if one.tag == "pt-BR").dubbed_from == ["en"]


def test_voices_are_told_with_their_engine() -> None:
    anna, bia = voices_reply([ANNA, BIA]).voices
    assert (anna.engine, anna.gender, anna.default) == ("piper", "unknown", False)
    assert (bia.engine, bia.gender, bia.default) == ("kokoro", "female", True)


def test_the_page_names_every_language_and_whether_its_figures_are_said() -> None:
    page = (Path(__file__).parents[2] / "docs/languages.md").read_text(encoding="utf-8")
    rows = [line.split(" | ") for line in page.splitlines() if line.startswith("| ")]
    said = {
        tag: row[2] != "no"
        for row in rows
        if len(row) == 5
        for tag in re.findall(r"`([\w-]+)`", row[1].partition(" (")[0])
    }
    assert said == {one.tag: one.reading is not None for one in catalogue.known()}


def test_every_language_has_a_name() -> None:
    assert all(one.name for one in catalogue.known())


@pytest.mark.parametrize("installed", [True, False])
def test_what_is_not_here_has_the_command_that_gets_it(installed: bool) -> None:
    manifest = load_manifest().models
    models = [
        StoredModel(name, entry, Path(name), installed, outdated=False)
        for name, entry in manifest.items()
    ]
    told = {one.name: one for one in costs(models, {"kokoro-82m-int8"})}
    # What is needed, and the voices that can be had.
    assert set(told) == {"kokoro-82m-int8", "piper-en-us-joe-medium"}
    piper = told["piper-en-us-joe-medium"]
    assert (piper.megabytes, piper.cpu_s_per_s) == (63.2, 0.1)
    assert piper.command == (None if installed else "dubcast models pull piper-en-us-joe-medium")
