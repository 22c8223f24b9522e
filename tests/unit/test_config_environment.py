"""Variables that look like settings: slips are errors, what may be somebody else's is a warning."""

from __future__ import annotations

import pytest

from dubcast import config
from dubcast.errors import ConfigError

CANARY = "canary"


@pytest.mark.parametrize(
    ("name", "meant"),
    [
        ("DUBCAST_STREAM__DELAY_S", "DUBCAST__STREAM__DELAY_S"),
        ("DUBCAST_STREAM_DELAY_S", "DUBCAST__STREAM__DELAY_S"),
        ("DUBCAST_STREAM__DELEY_S", "DUBCAST__STREAM__DELAY_S"),
        ("DUBCAST_STREAM__FRAGMENTS__MODE", "DUBCAST__STREAM__FRAGMENTS__MODE"),
        ("DUBCAST_ORCHESTRATOR_PUBLISH_KEY", "DUBCAST__ORCHESTRATOR__PUBLISH_KEY"),
        ("dubcast__sts__url", "DUBCAST__STS__URL"),
        ("Dubcast__STS__URL", "DUBCAST__STS__URL"),
        ("DUBCATS__STS__URL", "DUBCAST__STS__URL"),
        ("DUBCAST_WHATEVER__STS__THERE", "settings begin with DUBCAST__"),
    ],
)
def test_a_slip_in_the_name_of_a_setting_is_an_error(name: str, meant: str) -> None:
    with pytest.raises(ConfigError) as caught:
        config.load(env={name: CANARY})
    assert f"the variable {name} is not read" in str(caught.value)
    assert meant in str(caught.value)
    assert CANARY not in str(caught.value)


def test_an_unknown_section_or_field_behind_the_right_prefix_is_an_error() -> None:
    for name, near in (("STREEM__VOICE", "stream"), ("STREAM__VOISE", "voice")):
        with pytest.raises(ConfigError, match=f"did you mean {near}") as caught:
            config.load(env={f"DUBCAST__{name}": CANARY})
        assert f"DUBCAST__{name}" in str(caught.value)


def test_what_may_be_a_slip_is_a_warning() -> None:
    env = {"DUBCAST_DELAY": CANARY, "DUBCAST_STREAM_DELY_S": CANARY, "DUBCAST_VOICE": CANARY}
    unknown, near, without_section = config.load(env=env).warnings
    assert unknown.startswith("the variable DUBCAST_DELAY is not read")
    assert near.endswith("did you mean DUBCAST__STREAM__DELAY_S?")
    assert without_section.endswith("did you mean DUBCAST__STREAM__VOICE?")
    assert CANARY not in unknown + near + without_section


def test_children_do_not_repeat_a_warning() -> None:
    env = config.child_env(config.Settings(), DUBCAST_DELAY="x")
    assert config.load(env=env).warnings == ()


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("DUBCAST_HOOK_SECRET", "x"),
        (
            "DUBCAST_STS_SERVER_PORT",
            "tcp://10.0.0.1:8000",
        ),  # Kubernetes, of a service `dubcast-sts`
        ("DUBCAST_ORCHESTRATOR_PORT", "tcp://10.0.0.1:8080"),
        ("DUBCAST_STS_SERVICE_HOST", "10.0.0.1"),
        ("DUBCAST_STS_SERVICE_PORT_HTTP", "8000"),
        ("DUBCAST_STS_PORT_8000_TCP_ADDR", "10.0.0.1"),
        ("DUBLIN_STREAM", "x"),
        ("BROADCAST__STREAM__URL", "x"),
        ("_DUBCAST_COMPLETE", "bash_source"),
    ],
)
def test_what_belongs_to_others_is_left_alone(name: str, value: str) -> None:
    loaded = config.load(env={name: value})
    assert loaded.settings == config.Settings()
    assert loaded.warnings == ()
