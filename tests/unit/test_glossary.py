"""The glossary: what it finds and how it is kept through a model; its file, good and bad."""

from __future__ import annotations

import asyncio
import os
import re
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import yaml
from structlog.testing import capture_logs
from typer.testing import CliRunner

from dubcast.cli.main import application
from dubcast.config import Settings, StreamSettings, read_glossary
from dubcast.contract.glossary import GlossaryEntry
from dubcast.contract.sts import FragmentConfig, StsResponse
from dubcast.errors import ConfigError
from dubcast.sts.engine import Engine
from dubcast.sts.glossary import Glossary, Protected, compiled
from dubcast.sts.glossary_file import GlossaryFile
from dubcast.sts.phrasebook import built_in
from dubcast.sts.providers.interface import MtTask
from dubcast.sts.service import Service
from sts_fakes import FakeMt, Script, fake_engine, request


def _entry(term: str, **more: str) -> GlossaryEntry:
    return GlossaryEntry(term=term, **more)


TRAP = _entry("offside trap", translation="linha de impedimento")
OPEN = _entry("Open House", translation="Casa Aberta")
NAME = _entry("Quickstart", say="cuíque-estárte")


def _found(text: str, *entries: GlossaryEntry) -> list[tuple[str, str]]:
    found = Glossary(entries).find(text)
    return [(text[one.start : one.end], one.translation) for one in found]


def test_terms_are_found_whole_and_in_any_case() -> None:
    text = "The OFFSIDE  trap, then offside traps; quickstart."
    assert _found(text, TRAP, NAME) == [
        ("OFFSIDE  trap", "linha de impedimento"),
        ("quickstart", "Quickstart"),
    ]


@pytest.mark.parametrize(
    ("term", "text"),
    [
        ("Istanbul", "İstanbul"),
        ("istanbul", "ıstanbul"),
        ("İzmir", "izmir"),
        ("Diyarbakır", "DIYARBAKIR"),
    ],
)
def test_a_turkish_i_is_found_as_any_other(term: str, text: str) -> None:
    """Patterns take the four for one letter, of which the plain folding of case knows two."""
    assert _found(f"To {text} now.", _entry(term, translation="lá")) == [(text, "lá")]
    said = Glossary([_entry(term, say="x")]).said(f"To {text} now.")
    assert said == "To x now."
    protected = Protected("The net.", Glossary([_entry("net", translation=term)]).find("The net."))
    assert protected.choose([f"O {text}."]) == f"O {term}."


def test_capitals_are_found_as_capitals() -> None:
    assert _found("Give US to us.", _entry("US", translation="EUA")) == [("US", "EUA")]


def test_the_longest_wins_and_later_entries_win() -> None:
    entries = (_entry("Open"), OPEN, _entry("open house", translation="Portas Abertas"))
    assert _found("Open House", *entries) == [("Open House", "Portas Abertas")]


def test_an_entry_is_of_its_languages() -> None:
    entries = (
        _entry("house", translation="casa", target="pt"),
        _entry("house", translation="casa (es)", target="es"),
        _entry("net", source="pt-BR"),
        _entry("gol", source="xx"),
    )
    glossary = compiled(entries, "en", "pt-BR")
    assert [one.translation for one in glossary.find("house net gol")] == ["casa"]
    assert len(compiled(entries, "pt-BR", "en").find("house net gol")) == 1


@pytest.mark.parametrize(
    ("model", "said"),
    [
        # It knows the term already; the spelling is the operator's.
        (["A CASA ABERTA é hoje.", "?", "?"], "A Casa Aberta é hoje."),
        # It copies the translation out of the source.
        (["A casa é aberta hoje.", "Casa aberta é hoje.", "?"], "Casa Aberta é hoje."),
        # It copies a name.
        (["A casa é hoje.", "O lar é hoje.", "O Ricardo é hoje."], "O Casa Aberta é hoje."),
        (["A casa é hoje.", "O lar é hoje.", "O Riccardo é hoje."], None),
    ],
)
def test_the_first_attempt_that_keeps_the_term_is_taken(model: list[str], said: str | None) -> None:
    sentence = "The Open House is today."
    protected = Protected(sentence, Glossary([OPEN]).find(sentence))
    assert protected.attempts == [
        sentence,
        "The Casa Aberta is today.",
        "The Ricardo is today.",
    ]
    assert protected.choose(model) == said


def test_each_of_two_terms_has_to_be_there() -> None:
    sentence = "Ricardo leads the Open House to the offside trap."
    protected = Protected(sentence, Glossary([OPEN, TRAP]).find(sentence))
    assert protected.attempts[2] == "Ricardo leads the Eduardo to the Fernando."
    assert protected.choose(["Casa Aberta", "linha de impedimento", "Eduardo Eduardo"]) is None
    assert (
        protected.choose(["-", "-", "Fernando e Eduardo"]) == "Linha de impedimento e Casa Aberta"
    )


def test_a_term_that_occurs_twice_has_to_be_there_twice() -> None:
    sentence = "Open House, Open House!"
    protected = Protected(sentence, Glossary([OPEN]).find(sentence))
    assert protected.choose(["Casa Aberta!", "Casa Aberta, casa aberta!"]) == (
        "Casa Aberta, Casa Aberta!"
    )


def test_a_term_that_is_kept_is_not_tried_twice() -> None:
    """Its translation in place is the sentence as it is: a service elsewhere was paid for both."""
    sentence = "Quickstart is here."
    protected = Protected(sentence, Glossary([NAME]).find(sentence))
    assert protected.attempts == [sentence, "Ricardo is here."]
    assert protected.choose(["Está aqui.", "Ricardo está aqui."]) == "Quickstart está aqui."
    assert protected.choose(["Quickstart está aqui."]) == "Quickstart está aqui."


def test_pieces_are_joined_around_the_terms() -> None:
    sentence = "The Open House is here, Quickstart."
    protected = Protected(sentence, Glossary([OPEN, NAME]).find(sentence))
    assert protected.pieces == ["The", "is here,", "."]
    assert protected.joined(["O", "está aqui,", "."]) == "O Casa Aberta está aqui, Quickstart."


# ---- in the service -------------------------------------------------------------------------


class Wordy(FakeMt):
    """Translates each text by the function of its script."""

    def __init__(self, script: Script, say: Callable[[str], str]) -> None:
        super().__init__(script)
        self._say = say

    def run(self, batch: Any) -> list[str]:
        self.script.called("mt", batch)
        return [self._say(task.text) for task in batch]


@pytest.fixture
def script() -> Script:
    return Script()


@pytest.fixture
def engine(script: Script) -> Iterator[Engine]:
    engine = fake_engine(script)
    engine.mt.provider = Wordy(script, lambda text: text.upper())
    engine.start()
    assert engine.wait(5) == "ready"
    yield engine
    engine.stop()


def _dub(
    engine: Engine, *entries: GlossaryEntry, file: GlossaryFile | None = None, name: str = "f1"
) -> StsResponse:
    service = Service(engine, 4, built_in(), file)
    config = FragmentConfig(glossary=entries)
    return StsResponse.model_validate_json(
        asyncio.run(service.process(request(name, config=config)))
    )


def test_a_streams_terms_reach_the_translation_and_the_voice(
    engine: Engine, script: Script
) -> None:
    script.text = "Thank you. Open the Quickstart. It is 3 p.m. now."
    response = _dub(engine, NAME)
    assert response.translated_text == "Obrigado. OPEN THE Quickstart. IT IS 3 P.M. NOW."
    spoken = [task.text for batch in script.calls["tts"] for task in batch]
    assert "cuíque-estárte" in " ".join(spoken)
    assert engine.metrics.registry.get_sample_value("dubcast_sts_glossary_terms_total") == 1


def test_what_a_model_garbles_is_translated_in_pieces(engine: Engine, script: Script) -> None:
    script.text = "The Open House is here."
    engine.mt.provider = Wordy(script, lambda text: "".join(c for c in text if c not in "aeiou"))
    response = _dub(engine, OPEN)
    assert response.translated_text == "Th Casa Aberta s hr."
    asked = [task for batch in script.calls["mt"] for task in batch]
    assert MtTask("is here.", "en", "pt-BR") in asked


@pytest.mark.parametrize(
    ("knows", "priced", "texts"),
    [("Casa", False, 3), ("Casa", True, 2), ("Ricardo", True, 3), ("nothing", True, 5)],
)
def test_what_is_paid_for_is_tried_until_a_term_comes_out(
    engine: Engine, script: Script, knows: str, priced: bool, texts: int
) -> None:
    script.text = "The Open House is here."
    mt = Wordy(script, lambda text: text if knows in text else "Não.")
    mt.capabilities = replace(mt.capabilities, priced=priced)
    engine.mt.provider, engine.providers = mt, replace(engine.providers, mt=mt)
    _dub(engine, OPEN)
    assert sum(map(len, script.calls["mt"])) == texts


def test_a_term_wins_over_the_phrasebook(engine: Engine, script: Script) -> None:
    script.text = "Goal!"
    assert _dub(engine).translated_text == "Gol!"
    entry = _entry("goal", translation="GOL do Timão")
    assert _dub(engine, entry).translated_text == "GOL do Timão!"


def test_a_stream_wins_over_the_operator(engine: Engine, script: Script, tmp_path: Path) -> None:
    file = tmp_path / "glossary.yaml"
    file.write_text("- term: Open House\n  translation: Portas Abertas\n- term: Zed\n")
    script.text = "Open House Zed."
    operator = GlossaryFile(file)
    assert _dub(engine, file=operator).translated_text == "Portas Abertas Zed."
    assert _dub(engine, OPEN, file=operator).translated_text == "Casa Aberta Zed."


def test_older_services_are_not_told_of_an_empty_glossary() -> None:
    assert "glossary" not in FragmentConfig().model_dump()
    assert "glossary" not in FragmentConfig().model_dump(mode="json")
    assert '"Zed"' in FragmentConfig(glossary=(_entry("Zed"),)).model_dump_json()


# ---- the file -------------------------------------------------------------------------------


def test_a_file_is_read_as_it_is_written(tmp_path: Path) -> None:
    file = tmp_path / "glossary.yaml"
    file.write_text(
        "# names\n- term: No\n- {term: 0123, say: zero um, source: en, target: pt-BR}\n"
        "- term: ' Open House '\n  translation: Casa Aberta\n",
        encoding="utf-8",
    )
    assert read_glossary(file) == (
        _entry("No"),
        _entry("0123", say="zero um", source="en", target="pt-BR"),
        OPEN,
    )
    file.write_text("# nothing yet\n")
    assert read_glossary(file) == ()


def test_the_examples_of_the_page_are_right(tmp_path: Path) -> None:
    page = (Path(__file__).parents[2] / "docs/wording.md").read_text(encoding="utf-8")
    listed, policy = re.findall(r"```yaml\n(.*?)```", page, re.DOTALL)
    file = tmp_path / "glossary.yaml"
    file.write_text(listed, encoding="utf-8")
    assert [one.term for one in read_glossary(file)] == [
        *("Quickstart", "Open House", "impedimento", "Kowalski"),
    ]
    settings = Settings.model_validate(yaml.safe_load(policy))
    (entry,) = settings.orchestrator.streams["sunday"].policy.glossary
    assert entry == _entry("Open House", translation="Portas Abertas")


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("- term: A\n- term: [", "not valid YAML: line 2, column 10"),
        ("term: A", "line 1: must be a list of entries"),
        ("- term: A\n- B", "line 2: an entry is a mapping"),
        ("- term: A\n  translaton: B", "line 2: translaton is not known; there are: term, "),
        ("- say: A", "line 1: term is missing"),
        ("- term: A\n\n  say: ''", "line 3: say must be 1 to 100 characters"),
        ("- term: '!!'", "line 1: term must be 1 to 100 characters, a letter or digit among them"),
        ("- term: [A, B]", "line 1: term must be a text"),
        ("- term: A\n- term: B\n- term: a", "line 3: 'a' is there already"),
        ("- term: A\n  term: B", "line 2, column 3: term is given more than once"),
    ],
)
def test_a_wrong_file_is_told_by_its_line(tmp_path: Path, text: str, told: str) -> None:
    file = tmp_path / "glossary.yaml"
    file.write_text(text)
    with pytest.raises(ConfigError) as error:
        read_glossary(file)
    assert str(error.value).startswith(f"glossary {file}: ")
    assert told in str(error.value)


def test_a_file_that_is_not_there_or_no_text_is_told(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="cannot be read: No such file"):
        GlossaryFile(tmp_path / "none.yaml")
    file = tmp_path / "glossary.yaml"
    file.write_bytes(b"- term: \xff")
    with pytest.raises(ConfigError, match="not UTF-8"):
        read_glossary(file)


def test_a_changed_file_is_read_again_and_a_wrong_one_loses_nothing(tmp_path: Path) -> None:
    file = tmp_path / "glossary.yaml"
    file.write_text("- term: Zed\n")
    glossary = GlossaryFile(file)
    assert [one.term for one in glossary.entries()] == ["Zed"]
    with capture_logs() as logs:
        file.write_text("- term: Zed\n- tern: Zod\n")
        for _ in range(3):
            assert [one.term for one in glossary.entries()] == ["Zed"]
        os.replace(_other(tmp_path, "- term: Zod\n"), file)
        assert [one.term for one in glossary.entries()] == ["Zod"]
        file.unlink()
        assert [one.term for one in glossary.entries()] == ["Zod"]
    assert [log["event"] for log in logs] == [
        "glossary_refused",
        "glossary_read",
        "glossary_refused",
    ]
    assert "line 2: tern is not known" in logs[0]["error"]


def _other(folder: Path, text: str) -> Path:
    file = folder / "other.yaml"
    file.write_text(text)
    return file


def test_the_settings_are_checked_with_their_glossary(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "glossary.yaml"
    file.write_text("- tern: Zod\n")
    monkeypatch.setenv("DUBCAST__STS_SERVER__GLOSSARY", str(file))
    monkeypatch.setenv("DUBCAST_CONFIG", "-")
    with pytest.raises(ConfigError, match="line 1: tern is not known"):
        CliRunner().invoke(application(), ["config", "check"], catch_exceptions=False)


def test_a_streams_glossary_is_a_setting() -> None:
    stream = StreamSettings.model_validate({"glossary": [{"term": "Zed", "say": "zéde"}]})
    assert stream.glossary == (_entry("Zed", say="zéde"),)


def test_an_address_stays_as_it_is_and_capitals_are_translated_in_small_letters(
    engine: Engine, script: Script
) -> None:
    script.text = "WRITE TO US NOW. Visit info@example.com today."
    engine.mt.provider = Wordy(script, lambda text: text.replace("@", "-"))
    assert _dub(engine).translated_text == "WRITE TO US NOW. Visit info@example.com today."
    script.text = "WE ARE ALL HERE NOW"
    assert _dub(engine, name="f2").translated_text == "we are all here now"
