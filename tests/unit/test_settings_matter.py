"""Every setting changes something that can be seen: none is accepted and ignored.

The effects are in `effects_*.py`, one for each setting; a new setting without one fails here.
"""

from __future__ import annotations

import json
import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import effects_control
import effects_on_air
import effects_roles
import effects_speech
import pytest
import structlog
from effect import Effect, Place, is_the_same, observe

from dubcast.config import Section, Settings
from dubcast.testing.sts_server import Reply
from holes import store_of_holes

EFFECTS = {
    **effects_on_air.EFFECTS,
    **effects_speech.EFFECTS,
    **effects_control.EFFECTS,
    **effects_roles.EFFECTS,
}


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Any]]:
    """What all effects can be looked at with: services, ports, folders, a program."""
    folder = tmp_path_factory.mktemp("shared")
    names = {"store": str(store_of_holes(folder / "store"))}
    for name in ("asr", "tts", "other_tts"):
        (folder / name).mkdir()
        (folder / name / "vocab.json").write_text('{"vocab": {}}')
        for file in ("model.onnx", "model.bin", "config.json", "tokenizer.json"):
            (folder / name / file).touch()
        names[name] = str(folder / name)
    glossary = folder / "glossary.yaml"
    glossary.write_text("- term: Dubcast\n")
    names["glossary"] = str(glossary)
    program = folder / "mediamtx"
    program.write_text('#!/bin/sh\n[ "$1" = --version ] && echo v1.20.1 && exit\nexit 7\n')
    program.chmod(0o755)
    refusing = socket.socket()  # bound, so that nobody else takes it, and not listening
    refusing.bind(("127.0.0.1", 0))
    names["refusing"] = str(refusing.getsockname()[1])
    with effects_speech.services() as services, effects_speech.services_elsewhere() as elsewhere:
        services["second"].pages["/paths"] = Reply(200, b"[]")
        names |= {name: one.url for name, one in services.items()}
        names |= {"paths": services["second"].url.rpartition(":")[2], "mediamtx": str(program)}
        names["elsewhere"] = elsewhere.url
        yield {"names": names, "services": services, "elsewhere": elsewhere, "seen": {}}
    refusing.close()


@pytest.fixture
def place(shared: dict[str, Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Place:
    structlog.reset_defaults()  # what an earlier test has set up writes to what is closed now
    monkeypatch.setenv("PATH", "/usr/bin:/bin")  # no media server but the one that is set
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "home"))
    folders = ("state", "other_state", "dumps", "chosen")
    names = {**shared["names"], **{name: str(tmp_path / name) for name in folders}}
    return Place(tmp_path, monkeypatch, names, shared["services"], shared["elsewhere"])


@pytest.mark.parametrize("key", EFFECTS)
def test_it_changes_what_is_seen(key: str, place: Place, shared: dict[str, Any]) -> None:
    effect = EFFECTS[key]
    before = known_before(effect, place, shared["seen"])
    assert not is_the_same(observe(effect, place, {key: effect.value}), before)


def known_before(effect: Effect, place: Place, seen: dict[str, Any]) -> Any:
    """What is seen without the change; the same each time, or else a change would say nothing."""
    name = f"{effect.seen.__name__} {json.dumps(effect.beside, sort_keys=True)}"
    if name not in seen:
        first = observe(effect, place, {})
        seen[name] = list(first) if isinstance(first, Iterator) else first
        again = observe(effect, place, {})
        assert is_the_same(again, seen[name]), "it shows something else each time"
    return seen[name]


def test_every_setting_has_its_effect() -> None:
    def keys(section: type[Section], prefix: str = "") -> set[str]:
        found = set()
        for name, field in section.model_fields.items():
            inner = field.annotation
            deeper = isinstance(inner, type) and issubclass(inner, Section)
            found |= keys(inner, f"{prefix}{name}.") if deeper else {prefix + name}  # type: ignore[arg-type]
        return found

    assert keys(Settings) == set(EFFECTS)
