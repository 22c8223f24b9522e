"""Secrets: each has a type that masks itself, and no way of printing shows one."""

from __future__ import annotations

import ast
import copy
import io
import json
import pickle
import pprint
import random
import re
import traceback
from collections.abc import Callable, Iterator
from dataclasses import fields
from functools import cache
from pathlib import Path
from typing import Any, get_origin

import pytest
import structlog
from pydantic import BaseModel, ValidationError
from typer.testing import CliRunner

from dubcast import config, log
from dubcast.cli import service
from dubcast.cli.main import application
from dubcast.config import (
    HookEnvironment,
    LogSettings,
    RemoteSettings,
    Secret,
    SecretUrl,
    Settings,
    StreamSettings,
    StsClientSettings,
)
from dubcast.config.tree import bare, is_secret, is_section, type_below
from dubcast.doctor import speech
from dubcast.errors import ConfigError, NotReachableError, StsError
from dubcast.models.store import ModelStore
from dubcast.sts.providers.registry import Setup
from dubcast.sts.providers.remote import Remote
from dubcast.testing.elsewhere import Elsewhere
from dubcast.worker.endpoint import Endpoint
from source_tree import statements
from worker_fakes import spec

SENTINEL = "s3ntinel-0f-a-key"
URL = f"rtmps://user:{SENTINEL}-p@live.example:443/app/{SENTINEL}?s={SENTINEL}"
STAGES = ("asr", "mt", "tts")  # those that a service elsewhere may do
SECRET_NAME = re.compile(r"key|token|secret|password|passphrase|credential")


def every_field(section: type[BaseModel], path: str = "") -> Iterator[tuple[str, str, Any]]:
    """(dotted key, name, type) of every field of a section and of what is in it; lists are `0`,
    mappings `a`."""
    for name, field in section.model_fields.items():
        dotted, kind = f"{path}{name}", bare(field.annotation)
        yield dotted, name, kind
        item = "0" if get_origin(kind) is tuple else "a"
        for inner, below in ((kind, dotted), (type_below(kind, item), f"{dotted}.{item}")):
            if is_section(inner):
                yield from every_field(inner, f"{below}.")


FIELDS = {dotted: (name, kind) for dotted, name, kind in every_field(Settings)}
SECRETS = {dotted: kind for dotted, (_, kind) in FIELDS.items() if is_secret(kind)}


def tree_of(values: dict[str, Any]) -> dict[str, Any]:
    """Dotted keys as a tree; `0` makes a list."""
    tree: dict[str, Any] = {}
    for dotted, value in values.items():
        *above, last = dotted.split(".")
        at = tree
        for part in above:
            at = at.setdefault(part, {})
        at[last] = value
    return _lists(tree)  # type: ignore[no-any-return]


def _lists(tree: Any) -> Any:
    if not isinstance(tree, dict):
        return tree
    if set(tree) == {"0"}:
        return [_lists(tree["0"])]
    return {key: _lists(value) for key, value in tree.items()}


def filled() -> dict[str, Any]:
    """A tree with a sentinel in every secret."""
    values: dict[str, Any] = {}
    for dotted, kind in SECRETS.items():
        values[dotted] = URL if kind is SecretUrl else SENTINEL
        if dotted.endswith(".url"):
            values[dotted.removesuffix("url") + "name"] = "third"
    return tree_of(values)


def test_the_walk_finds_what_is_known_to_be_secret() -> None:
    assert set(SECRETS) == {
        "sts.api_key",
        "sts_server.api_key",
        *(f"sts_server.remote.{stage}.api_key" for stage in STAGES),
        "media_server.ingest.srt_passphrase",
        "orchestrator.hook_secret",
        "orchestrator.publish_key",
        "orchestrator.read_key",
        "media_server.api_key",
        "media_server.roles_key",
        "orchestrator.destinations.0.url",
        "orchestrator.streams.a.destinations.0.url",
    }


def test_what_sounds_like_a_secret_has_a_type_that_masks_itself() -> None:
    sounding = {
        dotted: kind
        for dotted, (name, kind) in FIELDS.items()
        if SECRET_NAME.search(name) and kind is not Path  # where a key lies is none
    }
    destinations = {
        dotted: kind
        for dotted, (name, kind) in FIELDS.items()
        if "url" in name and "destination" in dotted
    }
    assert len(sounding) == 8 + len(STAGES)
    assert len(destinations) == 2
    assert all(issubclass(kind, Secret) for kind in sounding.values())
    assert all(kind is SecretUrl for kind in destinations.values())
    hook = {one.name: one.type for one in fields(HookEnvironment)}
    assert [kind for name, kind in hook.items() if SECRET_NAME.search(name)] == ["Secret"]


@cache
def annotated_fields() -> list[tuple[str, str, ast.AnnAssign]]:
    """Fields of every class of the product, not only of the settings: class, name, what it says."""
    return [
        (node.name, field.target.id, field)
        for path in Path(config.__file__).parents[1].rglob("*.py")
        for node in statements(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.ClassDef)
        for field in node.body
        if isinstance(field, ast.AnnAssign) and isinstance(field.target, ast.Name)
    ]


def plain_fields(named: str) -> Iterator[tuple[str, str]]:
    """Fields that are text and have such a name: class and field, and what the field is set to."""
    for owner, name, field in annotated_fields():
        if re.search(named, name) and "str" in ast.unparse(field.annotation):
            yield f"{owner}.{name}", ast.unparse(field.value) if field.value else ""


def test_no_value_of_the_product_holds_a_secret_as_plain_text() -> None:
    words = "secret|token|password|passphrase|credential|(api|publish)_key"
    assert dict(plain_fields(rf"(^|_)({words})$")) == {}


def test_the_query_of_a_publisher_is_not_shown() -> None:
    """Its key may be in it; it is text, since what it asks for has to be read."""
    queries = dict(plain_fields(r"^query$"))
    assert set(queries) == {"PathSource.query", "HookEvent.query", "HookEnvironment.query"}
    assert all("repr=False" in given for given in queries.values())


def test_where_a_worker_reads_and_publishes_is_not_shown() -> None:
    shown = repr(spec())
    assert "rtmp://127.0.0.1:9/***" in shown
    assert "canary" not in shown and "live" not in shown


@pytest.mark.parametrize("url", ["http://u:canary@h", "http://h/x?key=canary", "u:canary@h"])
def test_a_url_that_is_no_secret_can_hold_none(url: str) -> None:
    shown = [dotted for dotted, (name, kind) in FIELDS.items() if "url" in name and kind is str]
    mirror = "models.translations_url"
    elsewhere = [f"sts_server.remote.{stage}.url" for stage in STAGES]
    assert shown == ["sts.url", *elsewhere, "media_server.api_url", "orchestrator.url", mirror]
    fallbacks: dict[str, Any] = {"sts": {"fallback_urls": [url]}}
    for tree in (fallbacks, *(tree_of({dotted: url}) for dotted in shown)):
        with pytest.raises(ConfigError) as caught:
            load_text(json.dumps(tree))
        assert "canary" not in "".join(traceback.format_exception(caught.value))


# ---- printing -------------------------------------------------------------------------------


def logged(format: str, **values: Any) -> str:
    """What a log line with these values holds, and one with a traceback that names a URL."""
    written = io.StringIO()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("sys.stderr", written)
        patch.setattr(log, "_BASE", {})
        log.setup(LogSettings(format=format), "test")  # type: ignore[arg-type]
        log.get().warning("as fields", **values, nested=[{"url": URL}])
        log.get().warning(f"amid words {URL}", quoted=f"('{URL}')")
        try:
            raise ConnectionError(f"cannot reach {URL}")
        except ConnectionError:
            log.get().exception("with a traceback")
        structlog.reset_defaults()
    assert len(written.getvalue().splitlines()) >= 3
    return written.getvalue()


def show(*flags: str) -> Callable[[Settings], str]:
    def shown(settings: Settings) -> str:
        env = config.to_env(settings)
        result = CliRunner().invoke(application(), ["config", "show", *flags], env=env)
        assert result.exit_code == 0
        assert "hook_secret" in result.output
        return result.output

    return shown


PRINTED: dict[str, Callable[[Settings], str]] = {
    "repr": repr,
    "str": str,
    "format": lambda one: f"{one} {one!r} {one.sts.api_key:>20} {one.sts.api_key}",
    "percent": lambda one: "%s %r" % (one.sts, one.orchestrator),  # noqa: UP031
    "pprint": lambda one: pprint.pformat(one.model_dump()),
    "json": lambda one: one.model_dump_json(),
    "json_mode": lambda one: str(one.model_dump(mode="json")),
    "fallback of json": lambda one: json.dumps(one.model_dump(), default=str),
    "masked": lambda one: str(config.masked(one)),
    "copy": lambda one: repr(copy.deepcopy(one)) + repr(one.model_copy(deep=True)),
    "config show": show(),
    "config show --origin": show("--origin"),
    "config show --json": show("--json"),
    "log as json": lambda one: logged("json", settings=one, key=one.sts.api_key),
    "log on a console": lambda one: logged("console", settings=one, key=one.sts.api_key),
}


@pytest.mark.parametrize("way", PRINTED)
def test_no_way_of_printing_shows_a_secret(way: str) -> None:
    settings = Settings.model_validate(filled())
    printed = PRINTED[way](settings)
    assert config.MASK in printed
    assert SENTINEL not in printed


def test_a_destination_is_known_by_its_host() -> None:
    settings = Settings.model_validate(filled())
    assert "rtmps://live.example:443/***" in str(config.masked(settings))
    assert str(SecretUrl("rtmp://[::1]:1935/app/key")) == "rtmp://[::1]:1935/***"
    assert str(SecretUrl("rtmp://[x/key")) == str(SecretUrl("no url")) == config.MASK


def test_a_secret_is_laid_open_for_a_child_only_when_it_is_asked_for() -> None:
    settings = Settings.model_validate(filled())
    env = config.child_env(settings)
    assert env["DUBCAST__STS__API_KEY"] == SENTINEL
    assert URL in env["DUBCAST__ORCHESTRATOR__DESTINATIONS"]
    assert config.load(env=env).settings == settings
    with pytest.raises(TypeError, match="not pickled") as caught:
        pickle.dumps(settings.sts.api_key)
    assert SENTINEL not in str(caught.value)


# ---- errors ---------------------------------------------------------------------------------


def load_text(text: str) -> Settings:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Path, "is_file", lambda self: True)
        patch.setattr(Path, "read_text", lambda self, encoding: text)
        return config.load(Path("dubcast.yaml"), env={}).settings


BAD_VALUES = [
    [SENTINEL],
    {SENTINEL: SENTINEL},
    f"{SENTINEL}\n",
    f"http://h/{SENTINEL}",
    f"rtmp://h/app/{SENTINEL} x\n",
    f"rtmp://h:{SENTINEL}/app\n",
    f"rtmp://[{SENTINEL}/app\n",
]


BAD: list[tuple[str, int]] = [
    (key, number)
    for key, kind in SECRETS.items()
    for number, value in enumerate(BAD_VALUES)
    if kind is SecretUrl or not isinstance(value, str) or "\n" in value
]


@pytest.mark.parametrize(("key", "number"), BAD)
def test_an_error_about_a_secret_does_not_tell_it(key: str, number: int) -> None:
    tree = tree_of({key: BAD_VALUES[number]})
    with pytest.raises(ValidationError) as raw:
        Settings.model_validate(tree)
    with pytest.raises(ConfigError) as told:
        load_text(json.dumps(tree))
    for error in (raw.value, told.value):
        assert SENTINEL not in "".join(traceback.format_exception(error))
    assert key in str(told.value)


@pytest.mark.parametrize(
    "text",
    [
        f"sts: {SENTINEL}",
        f"orchestrator: {{publish_key: *{SENTINEL}}}",
        f"orchestrator: {{publish_key: !{SENTINEL} x}}",
        f"orchestrator: {{publish_key: !x!{SENTINEL} y}}",
        f"orchestrator: {{publish_key: !{SENTINEL}!x y}}",
        f"orchestrator: {{publish_key: '{SENTINEL}}}",
        f"orchestrator: {{publish_key: {SENTINEL}]",
        f"orchestrator: {{publish_key: &{SENTINEL} a, hook_secret: &{SENTINEL} b, x: @}}",
        f"orchestrator: {{destinations: {SENTINEL}}}",
        f"orchestrator: {{destinations: [{SENTINEL}]}}",
        f"orchestrator: {{destinations: {{name: a, url: '{URL}'}}}}",
        f"orchestrator: {{destinations: [{{name: a, ulr: '{URL}'}}]}}",
        f"orchestrator: {{destinations: [{{name: '{URL}'}}]}}",
        f"orchestrator: {{streams: {{a: {SENTINEL}}}}}",
        f"sts: {{apikey: {SENTINEL}}}",
        f"sts: {{breaker: {SENTINEL}}}",
        SENTINEL,
    ],
)
def test_a_slip_of_the_pen_does_not_tell_a_secret(text: str) -> None:
    with pytest.raises(ConfigError) as caught:
        load_text(text)
    assert SENTINEL not in "".join(traceback.format_exception(caught.value))


def test_a_destination_on_the_command_line_is_not_told_either() -> None:
    for given in (f"a={URL} x", f"a=http://h/{SENTINEL}", f"A=rtmp://h/app/{SENTINEL}"):
        result = CliRunner().invoke(application(), ["up", "--no-sts", "--destination", given])
        assert isinstance(result.exception, ConfigError)
        assert SENTINEL not in "".join(traceback.format_exception(result.exception))


BEARER_KEYS = [one for one in SECRETS if one.startswith("sts") and one.endswith(".api_key")]


@pytest.mark.parametrize("setting", ["orchestrator.publish_key", "media_server.api_key"])
def test_a_key_that_no_header_carries_as_it_is_may_be_anything(setting: str) -> None:
    settings = load_text(json.dumps(tree_of({setting: " é "})))
    section, name = setting.split(".")
    assert getattr(getattr(settings, section), name).get_secret_value() == " é "


@pytest.mark.parametrize(
    ("key", "why"),
    [
        (f"{SENTINEL} ", "begins or ends with a space"),
        (f" {SENTINEL}", "begins or ends with a space"),
        (f"é{SENTINEL}", "not of ASCII"),
    ],
)
@pytest.mark.parametrize("setting", BEARER_KEYS)
def test_a_bearer_key_that_no_header_can_carry_is_refused_and_not_told(
    setting: str, key: str, why: str
) -> None:
    with pytest.raises(ConfigError, match=why) as caught:
        load_text(json.dumps(tree_of({setting: key})))
    assert setting in str(caught.value)
    assert SENTINEL not in "".join(traceback.format_exception(caught.value))


# A library's error quotes a header like this one; no setting lets it pass.
QUOTED = Secret(f"{SENTINEL} ")


async def _of_the_worker(url: str) -> str:
    settings = StsClientSettings(url=url).model_copy(update={"api_key": QUOTED})
    headers = {"Authorization": f"Bearer {QUOTED.get_secret_value()}"}
    endpoint = Endpoint(url, settings, headers, lambda: 0, random.Random(1))
    with pytest.raises(StsError) as caught:
        await endpoint.get("/readyz")
    await endpoint.close()
    return str(caught.value)


def _of_the_commands(url: str) -> str:
    settings = StsClientSettings(url=url).model_copy(update={"api_key": QUOTED})
    with pytest.raises(StsError) as caught:
        service.check_policy(settings, StreamSettings())
    return str(caught.value)


def _of_a_provider(url: str) -> str:
    remote = RemoteSettings(url=url).model_copy(update={"api_key": QUOTED})
    calls = Remote("asr", "openai", Setup(ModelStore(Settings().models), remote=remote))
    with pytest.raises(NotReachableError) as caught:
        calls.look("/models")
    calls.close()
    return str(caught.value)


async def test_an_error_that_quotes_the_key_is_told_without_it() -> None:
    with Elsewhere() as there:
        told = [
            speech.ask(there.url, QUOTED).error,
            _of_the_commands(there.url),
            _of_a_provider(there.url),
            await _of_the_worker(there.url),
        ]
    assert all(config.MASK in one and SENTINEL not in one for one in told), told


def test_two_destinations_of_one_name_are_refused_on_the_command_line() -> None:
    twice = ("--destination", "a=rtmp://h/app/k") * 2
    result = CliRunner().invoke(application(), ("up", "--no-sts", *twice))
    assert "--destination a: there is another one" in str(result.exception)
