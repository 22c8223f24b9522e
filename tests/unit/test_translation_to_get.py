"""A direction whose translation is not installed is named with the command that gets it: in a
fragment's refusal, in the list of languages, at the start, by the doctor.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import httpx2
import pytest
from structlog.testing import capture_logs

from dubcast.cli.doctor import _translations
from dubcast.config import Settings, StreamSettings
from dubcast.contract.sts import LanguagesReply, VoicesReply
from dubcast.doctor.report import Finding
from dubcast.errors import ConfigError, StsError
from dubcast.policy_check import why_not
from dubcast.sts.app import create_app
from dubcast.sts.build import offered
from dubcast.sts.offer import Offer
from dubcast.sts.providers.interface import Voice
from dubcast.sts.server import _look_at_translations
from holes import store_of_holes
from sts_fakes import FakeMt, Script, fake_engine

BIA = Voice("bia", "pt-BR", "female")
KEN = Voice("ken", "en-GB", "male")
HOW = "dubcast models pull --from pt-BR --to en"
TO_GET = {("pt-BR", "en"): HOW, ("pt-BR", "xx"): "?"}
ONE_WAY = ("mozilla-en-pt-tiny",)


def _offer(**more: Any) -> Offer:
    return Offer({("en", "pt-BR")}, [BIA, KEN], to_get=TO_GET, **more)


def _settings(folder: Path, *translations: str, **stream: str) -> Settings:
    store = {"models": {"dir": store_of_holes(folder, translations)}}
    return Settings.model_validate({**store, "stream": stream})


def test_a_request_is_refused_with_the_command() -> None:
    with pytest.raises(StsError) as told:
        _offer().direction("pt", "en")
    assert str(told.value) == (
        f"cannot dub 'pt' into 'en' (its translation is not installed: `{HOW}` gets it); "
        "there are: en -> pt-BR"
    )


def test_only_what_could_be_dubbed_then_is_to_be_got() -> None:
    assert _offer().to_get == {("pt-BR", "en"): HOW}
    assert Offer({}, [BIA], to_get=TO_GET).to_get == {}


def test_what_a_direction_lacks() -> None:
    offer = _offer(tells_languages=True)
    assert offer.lacking("pt", "en") == HOW
    assert offer.lacking("auto", "en") == HOW
    assert offer.lacking("auto", "pt-BR") is None
    assert offer.lacking("en", "pt-BR") is None
    assert offer.lacking("en", "xx") is None


@pytest.fixture
async def client() -> AsyncIterator[httpx2.AsyncClient]:
    engine = fake_engine(Script())
    mt = FakeMt(Script())
    mt.capabilities = replace(mt.capabilities, pairs=frozenset({("en", "pt-BR")}), to_get=TO_GET)
    engine.providers = replace(engine.providers, mt=mt)
    transport = httpx2.ASGITransport(create_app(Settings(), engine))
    async with httpx2.AsyncClient(transport=transport, base_url="http://sts") as one:
        yield one


async def test_the_list_of_languages_has_it(client: httpx2.AsyncClient) -> None:
    reply = LanguagesReply.model_validate_json((await client.get("/api/v1/languages")).content)
    assert [(one.source, one.target) for one in reply.pairs] == [("en", "pt-BR")]
    assert [(one.source, one.target, one.command) for one in reply.missing] == [
        ("pt-BR", "en", HOW)
    ]
    policy = StreamSettings(source_language="pt", target_language="en")
    assert why_not(policy, reply, VoicesReply(voices=[])).endswith(
        f"offers: en to pt-BR; where the service runs, `{HOW}` gets this direction"
    )


def test_before_anything_starts_it_is_told(tmp_path: Path) -> None:
    from dubcast.cli.service import check_here

    settings = _settings(tmp_path, *ONE_WAY, source_language="pt-BR", target_language="en")
    with pytest.raises(ConfigError, match=f"stream: .*`{HOW}` gets it"):
        check_here(settings)


def _found(settings: Settings, name: str) -> list[Finding]:
    return [one for one in _translations(settings) if one.name.startswith(name)]


def test_the_doctor_lists_each_direction_that_is_asked_for(tmp_path: Path) -> None:
    show = {"policy": {"source_language": "pt-BR", "target_language": "en"}}
    here = _settings(tmp_path, *ONE_WAY)
    settings = Settings.model_validate(
        {"models": {"dir": here.models.dir}, "orchestrator": {"streams": {"show": show}}}
    )
    assert _found(settings, "translation") == [
        Finding("translation en to pt-BR", True),
        Finding("translation pt-BR to en", False, HOW),
    ]
    assert _found(settings, "licence") == []


@pytest.mark.parametrize(
    ("stream", "why"),
    [
        ({"target_language": "ja"}, "cannot dub 'en' into 'ja'; there are: en -> pt-BR"),
        ({"target_language": "xx"}, "cannot dub 'en' into 'xx'"),
        ({"target_language": "auto"}, "cannot dub 'en' into 'auto'"),
        ({"voice": "nobody"}, "voice_profile 'nobody' does not speak pt-BR"),
    ],
)
def test_what_nothing_can_dub_is_told_by_the_doctor_and_in_the_log(
    tmp_path: Path, stream: dict[str, str], why: str
) -> None:
    settings = _settings(tmp_path, *ONE_WAY, **stream)
    [line] = _found(settings, "translation")
    assert (line.state, why in line.detail) == ("missing", True)
    with capture_logs() as logged:
        _look_at_translations(settings, offered(settings))
    assert [(one["event"], one["setting"]) for one in logged] == [
        ("stream_cannot_be_dubbed", "stream")
    ]
    assert why in logged[0]["reason"]


@pytest.mark.parametrize(
    ("url", "state"), [("http://127.0.0.1:8000", "missing"), ("https://gpu.example.org", "note")]
)
def test_what_a_service_elsewhere_dubs_need_not_be_had_here(url: str, state: str) -> None:
    given = {"sts": {"url": url}, "stream": {"target_language": "ja"}}
    [line] = _found(Settings.model_validate(given), "translation")
    assert line.state == state


def test_a_model_that_translates_something_else_is_told_by_the_doctor(tmp_path: Path) -> None:
    folder = tmp_path / "opus-mt-en-de"
    folder.mkdir()
    for name in ("source.spm", "target.spm"):
        (folder / name).touch()
    (folder / "shared_vocabulary.json").write_text("[]")
    (folder / "config.json").write_text("{}")
    server = {"providers": {"mt": "ctranslate2"}, "mt_model": str(folder)}
    [line] = _found(Settings.model_validate({"sts_server": server}), "translation")
    assert (line.state, "cannot dub 'en' into 'pt-BR'" in line.detail) == ("missing", True)


def test_the_doctor_and_the_service_tell_of_an_unclear_licence(tmp_path: Path) -> None:
    settings = _settings(tmp_path, "bergamot-en-pt")
    [licence] = _found(settings, "licence")
    assert (licence.state, licence.detail[:37]) == ("note", "bergamot-en-pt: its licence is not cl")
    with capture_logs() as logged:
        _look_at_translations(settings, offered(settings))
    assert [(one["event"], one["model"][:14]) for one in logged] == [
        ("translation_licence", "bergamot-en-pt")
    ]
