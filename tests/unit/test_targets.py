"""What of a destination's settings reaches its forwarder, and how."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from dubcast.config import (
    DestinationSettings,
    OrchestratorSettings,
    Settings,
    SrtAddress,
    child_env,
)
from dubcast.egress import targets
from dubcast.egress.outgoing import Target
from dubcast.errors import ConfigError
from dubcast.rtmp.address import Address

URL = "rtmps://h/app/key"


def target(**values: Any) -> Target:
    return targets.target(DestinationSettings.model_validate({"name": "one", "url": URL, **values}))


def test_each_setting_of_a_destination_reaches_its_target() -> None:
    plain = target()
    assert isinstance(plain.address, Address)
    assert (plain.address.host, plain.address.name) == ("h", "key")
    assert (plain.trust.verify, plain.trust.ca_file) == (True, None)
    assert (plain.when_slow, plain.max_lag_s) == ("skip", 8.0)
    other = target(verify=False, ca_file="/a/ca.pem", when_slow="wait", max_lag_s=3)
    assert (other.trust.verify, other.trust.ca_file) == (False, Path("/a/ca.pem"))
    assert (other.when_slow, other.max_lag_s) == ("wait", 3.0)
    assert set(DestinationSettings.model_fields) == {
        *("name", "url", "verify", "ca_file", "when_slow", "max_lag_s")
    }


def test_a_url_of_srt_is_one() -> None:
    address = target(url="srt://h:9000?streamid=key").address
    assert isinstance(address, SrtAddress)
    assert address.stream_id.get_secret_value() == "key"


def test_they_reach_the_process_in_its_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    from dubcast.config import load

    one = DestinationSettings.model_validate(
        {"name": "one", "url": URL, "verify": False, "ca_file": "/a/ca.pem", "max_lag_s": 2}
    )
    settings = Settings(orchestrator=OrchestratorSettings(destinations=(one,)))
    for name, value in child_env(settings).items():
        if name.startswith("DUBCAST"):
            monkeypatch.setenv(name, value)
    assert load().settings.orchestrator.destinations == (one,)


def test_a_destination_that_is_not_there_is_told_with_those_that_are() -> None:
    one = DestinationSettings.model_validate({"name": "one", "url": URL})
    settings = Settings(orchestrator=OrchestratorSettings(destinations=(one,)))
    assert targets.find(settings, "any", "one") == one
    with pytest.raises(ConfigError, match="no destination 'two' of stream any; known: one"):
        targets.find(settings, "any", "two")
