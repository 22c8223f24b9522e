"""The page docs/languages-and-providers.md: its examples are added from outside, and speak."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml
from distributions import forget, install

from dubcast.config import Settings
from dubcast.contract.sts import StsResponse
from dubcast.languages import catalogue, spoken
from dubcast.sts.build import build_engine, offered
from dubcast.sts.engine import Engine, Providers
from dubcast.sts.providers.interface import MtCapabilities, TtsCapabilities, Voice
from dubcast.sts.service import Service
from dubcast.sts.shorten import precious, shorten
from sts_fakes import FakeAsr, FakeFit, FakeHear, FakeMt, FakeTts, Script, request

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs/languages-and-providers.md").read_text(encoding="utf-8")
CATALAN, BEEP = re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL)
(PYPROJECT,) = re.findall(r"```toml\n(.*?)```", PAGE, re.DOTALL)
(SETTINGS,) = re.findall(r"```yaml\n(.*?)```", PAGE, re.DOTALL)

# Stand-ins for the stages that would need a model; they too come from outside.
OTHERS = """
import numpy as np
from dubcast.sts.providers.interface import *
from dubcast.sts.providers.registry import Registration

class Hear(HearProvider):
    capabilities = Capabilities("ear")
    def run(self, batch):
        return [Heard(np.zeros(16_000, np.float32), True, (0.0, 1.0)) for _ in batch]

class Asr(AsrProvider):
    capabilities = Capabilities("steno")
    def run(self, batch):
        return [Transcript("Good evening.") for _ in batch]

class Mt(MtProvider):
    capabilities = MtCapabilities("book", pairs=frozenset({("en", "pt-BR"), ("en", "xx")}))
    def run(self, batch):
        return [{"Good evening.": "Boa noite."}[task.text] for task in batch]

HEAR, ASR, MT = (
    Registration(lambda setup, one=one: one(), lambda setup, one=one: one.capabilities)
    for one in (Hear, Asr, Mt)
)
"""
OTHERS_PYPROJECT = """
[project]
name = "others"
version = "2.0"
[project.entry-points."dubcast.sts.providers"]
"hear.ear" = "others:HEAR"
"asr.steno" = "others:ASR"
"mt.book" = "others:MT"
"""


@pytest.fixture
def outside(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A folder on the import path, not of this package."""
    monkeypatch.syspath_prepend(str(tmp_path))
    yield tmp_path
    catalogue.known.cache_clear()
    forget(tmp_path)


def _settings(folder: Path, **providers: str) -> Settings:
    tree: dict[str, Any] = yaml.safe_load(SETTINGS)
    tree["sts_server"]["providers"].update(providers)
    return Settings.model_validate({**tree, "models": {"dir": folder / "no-models"}})


def _reply(engine: Engine, **config: str) -> StsResponse:
    engine.start()
    assert engine.wait(20) == "ready", engine.failure
    try:
        reply = asyncio.run(Service(engine, 1).process(request(ms=1000, config=config)))
    finally:
        engine.stop()
    return StsResponse.model_validate_json(reply)


def test_a_voice_from_another_package_is_heard_in_the_dub(outside: Path) -> None:
    install(outside, PYPROJECT, {"beep_voice.py": BEEP})
    install(outside, OTHERS_PYPROJECT, {"others.py": OTHERS})
    engine = build_engine(_settings(outside, hear="ear", asr="steno", mt="book"))
    response = _reply(engine)
    assert response.status == "success"
    assert (response.transcript, response.translated_text) == ("Good evening.", "Boa noite.")
    metadata = response.metadata
    assert (metadata.asr_model, metadata.translation_model) == ("steno", "book")
    assert metadata.tts_model == "beep-1"
    assert response.dubbed_audio is not None
    samples = np.frombuffer(response.dubbed_audio.pcm_bytes(), "<i2") / 32768
    spectrum = np.abs(np.fft.rfft(samples))
    assert np.argmax(spectrum) * 16_000 / len(samples) == pytest.approx(880, abs=5)
    # Ten characters of 60 ms, in the second that the fragment has.
    assert response.speech_ms == pytest.approx(600, abs=30)
    assert response.dubbed_audio.duration_ms == 1000


def test_its_voices_are_offered_and_only_whole_directions(outside: Path) -> None:
    install(outside, PYPROJECT, {"beep_voice.py": BEEP})
    install(outside, OTHERS_PYPROJECT, {"others.py": OTHERS})
    offer = offered(_settings(outside, asr="steno", mt="book"))
    assert [voice.name for voice in offer.voices] == ["beep", "peep"]
    # Nobody knows the language xx, so the translation's direction is not offered.
    # Nor is `auto`: this recognition does not say that it tells languages.
    assert offer.pairs == (("en", "pt-BR"),)
    (english,), portuguese = offer.direction("en", "pt")
    assert offer.voice("default", portuguese).name == "beep"
    assert offer.voice("default", english).name == "peep"


def test_a_language_is_one_file(outside: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Catalan is not here; with the page's file alone it is found, spoken, cut and shortened."""
    assert catalogue.find("ca") is None
    _with_catalan(outside, monkeypatch)
    catalan = catalogue.find("ca-AD")
    assert catalan is not None
    assert catalan.tag == "ca"
    script = Script(text="Hello.", translation="Doncs, l'equip va jugar bé, o sigui, va perdre.")
    engine = _engine_with_catalan(script)
    response = _reply(engine, target_language="ca-ES")
    assert response.status == "success"
    (task,) = script.calls["mt"][0]
    assert (task.source, task.target) == ("en", "ca")
    spoken_by = {task.voice.name for batch in script.calls["tts"] for task in batch}
    assert spoken_by == {"ona"}
    variety = catalogue.variety("ca")
    assert variety is not None
    assert variety.espeak == "ca"
    assert shorten(script.translation, catalan, 0) == "L'equip va jugar bé, va perdre."
    assert precious("mai", catalan)
    assert not precious("however", catalan)


@pytest.mark.parametrize(("likely", "source"), [("en", "en"), ("pt", "pt-BR")])
def test_of_several_languages_the_one_that_was_heard_is_translated(
    outside: Path, monkeypatch: pytest.MonkeyPatch, likely: str, source: str
) -> None:
    _with_catalan(outside, monkeypatch)
    script = Script(likely={likely: 0.75, "ca": 0.125})
    response = _reply(_engine_with_catalan(script), source_language="auto", target_language="ca")
    assert (response.status, response.detected_language) == ("success", source)
    (task,) = script.calls["mt"][0]
    assert (task.source, task.target) == (source, "ca")


def _with_catalan(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (folder / "ca.py").write_text(CATALAN, encoding="utf-8")
    monkeypatch.setattr(spoken, "__path__", [*spoken.__path__, str(folder)])
    catalogue.known.cache_clear()


def _engine_with_catalan(script: Script) -> Engine:
    class Catalan(FakeMt):
        pairs = frozenset({("en", "ca"), ("pt-BR", "ca")})
        capabilities = MtCapabilities("fake-mt", trusted=True, pairs=pairs)

    class Ona(FakeTts):
        capabilities = TtsCapabilities("fake-tts", voices=(Voice("ona", "ca", "female"),))

    providers = Providers(
        FakeHear(script), FakeAsr(script), Catalan(script), Ona(script), FakeFit(script)
    )
    return Engine(providers, inbox_limit=4)


def test_the_page_names_files_that_there_are() -> None:
    rows = re.findall(r"^\| (`.*?) \|", PAGE, re.MULTILINE)
    files = [file for row in rows for file in re.findall(r"`([\w/]+\.py)`", row)]
    assert len(files) >= 10
    here = [file if "/" in file else f"languages/spoken/{file}" for file in files]
    assert [file for file in here if not (ROOT / "src/dubcast" / file).is_file()] == []
