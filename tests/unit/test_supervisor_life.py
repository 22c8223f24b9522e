"""What a supervisor decides, in virtual time; and the launcher's and the auth's rules."""

from __future__ import annotations

import random
import signal

import pytest

from dubcast.backoff import Backoff, BackoffPolicy
from dubcast.clock import s_to_ns
from dubcast.config import OrchestratorSettings, Secret, Settings, load
from dubcast.egress import targets
from dubcast.errors import ConfigError
from dubcast.mediaserver.auth import UNKNOWN_STREAM, AuthRequest, access_of, refusal
from dubcast.mediaserver.embedded_server import EmbeddedServer
from dubcast.mediaserver.interface import control_plane
from dubcast.orchestrator.children import supervisor_policies
from dubcast.orchestrator.launch import Launcher, policy_of
from dubcast.processes.supervisor import ChildState, LifeCycle, SupervisorPolicy

POLICY = SupervisorPolicy(start_timeout_s=30, heartbeat_timeout_s=5)


def life(policy: SupervisorPolicy = POLICY, seed: int = 1) -> LifeCycle:
    return LifeCycle(policy, random.Random(seed))


def test_a_child_has_its_start_time_then_a_heartbeat() -> None:
    one = life()
    one.started(0)
    assert not one.is_hung(s_to_ns(30))
    assert one.is_hung(s_to_ns(30.1))
    one.heard(s_to_ns(29))
    assert one.state is ChildState.RUNNING
    for second in (31, 32, 33, 34):
        one.missed(s_to_ns(second))
        assert one.signal_due(None, s_to_ns(second)) is None
    one.missed(s_to_ns(34.1))
    assert one.signal_due(None, s_to_ns(34.1)) is signal.SIGKILL


def test_one_missed_beat_after_our_own_pause_kills_nothing() -> None:
    one = life()
    one.started(0)
    one.heard(s_to_ns(1))
    one.missed(s_to_ns(60))  # this process was stopped meanwhile
    one.missed(s_to_ns(60.5))
    assert one.signal_due(None, s_to_ns(60.5)) is None
    one.missed(s_to_ns(61))
    assert one.signal_due(None, s_to_ns(61)) is signal.SIGKILL


def test_one_that_is_not_asked_is_never_late_and_healthy_from_its_start() -> None:
    policy = SupervisorPolicy(heartbeat_timeout_s=None, backoff=BackoffPolicy(reset_s=20))
    one = life(policy)
    for _ in range(8):
        one.started(0)
        assert one.state is ChildState.RUNNING
        one.ended(1, s_to_ns(0.1))
    one.started(0)
    one.missed(s_to_ns(1000))
    assert one.signal_due(None, s_to_ns(1000)) is None
    wait = one.ended(1, s_to_ns(1000))
    assert wait is not None and wait <= s_to_ns(1)  # the back-off has started anew


def test_the_first_restart_is_within_a_second_and_waits_grow_to_30() -> None:
    for seed in range(100):
        one = life(seed=seed)
        waits = []
        for _ in range(12):
            one.started(0)
            waits.append(one.ended(1, s_to_ns(0.1)))
        assert all(wait is not None and wait <= s_to_ns(30) for wait in waits)
        assert waits[0] is not None and waits[0] <= s_to_ns(1)


def test_half_a_minute_of_health_starts_the_back_off_anew() -> None:
    one = life()
    for _ in range(8):
        one.started(0)
        one.ended(1, 0)
    one.started(0)
    one.heard(s_to_ns(1))
    wait = one.ended(1, s_to_ns(31))
    assert wait is not None and wait <= s_to_ns(1)


@pytest.mark.parametrize(
    ("role", "code", "again"),
    [
        ("worker", 2, False),
        ("worker", 0, True),
        ("worker", 1, True),
        ("worker", -9, True),
        ("worker", None, True),
        ("worker", 10, True),
        ("egress", 10, False),
        ("egress", 2, False),
        ("egress", 50, True),
    ],
)
def test_only_cannot_start_is_final(role: str, code: int | None, again: bool) -> None:
    one = life(supervisor_policies(Settings())[role])
    one.started(0)
    assert (one.ended(code, s_to_ns(1)) is not None) is again
    assert one.state is (ChildState.WAITING if again else ChildState.FAILED)


def test_full_jitter_spreads_the_waits() -> None:
    policy = BackoffPolicy(first_s=1, cap_s=30)
    firsts = [Backoff(policy, random.Random(seed)).failed(0) for seed in range(200)]
    assert max(firsts) > s_to_ns(0.9)
    assert min(firsts) < s_to_ns(0.1)


# ---- launcher -----------------------------------------------------------------------------

SETTINGS = Settings.model_validate(
    {
        "orchestrator": {
            "hook_secret": "canary-hook",
            "publish_key": "canary-publish",
            "destinations": [{"name": "all", "url": "rtmp://h/app/canary-all"}],
            "streams": {
                "abc": {
                    "destinations": [
                        {"name": "own", "url": "rtmp://h/app/canary-own"},
                        {"name": "all", "url": "rtmp://h/app/canary-mine"},
                    ],
                    "policy": {"delay_s": 5, "voice": "af_heart"},
                }
            },
        }
    }
)


def children(query: str = "") -> Launcher:
    server = EmbeddedServer(SETTINGS.media_server, control_plane(SETTINGS, Secret("x")))
    return Launcher(SETTINGS, server, ("dubcast",))


def test_a_worker_gets_its_streams_policy_and_no_key() -> None:
    worker, *_ = children().children("abc", None)
    assert worker.key == "worker:abc"
    assert not any("canary" in part for part in (*worker.argv, *worker.env.values()))
    read_back = load(env=worker.env).settings
    assert read_back.stream.delay_s == 5
    assert read_back.stream.voice == "af_heart"
    assert "canary" not in repr(worker)


def test_an_egress_gets_its_own_url_only_by_environment() -> None:
    _, own, everyone = children().children("abc", None)
    assert [own.key, everyone.key] == ["egress:abc:own", "egress:abc:all"]
    assert not any("canary" in part for part in own.argv)
    known = load(env=own.env).settings
    assert targets.find(known, "abc", "own").url.get_secret_value() == "rtmp://h/app/canary-own"
    assert "canary-mine" not in str(own.env)
    # The stream's own destination wins over the common one of the same name.
    assert "canary-mine" in str(everyone.env)


def test_a_publisher_may_choose_language_and_voice() -> None:
    chosen = policy_of(SETTINGS, "abc", "lang=es&voice=ef_dora&key=x&delay_s=3")
    assert (chosen.target_language, chosen.voice, chosen.delay_s) == ("es", "ef_dora", 5)


@pytest.mark.parametrize("query", ["lang=", "&&=%", "LANG=es"])
def test_what_is_no_choice_changes_nothing(query: str) -> None:
    assert policy_of(SETTINGS, "abc", query) == SETTINGS.stream_policy("abc")


@pytest.mark.parametrize(
    ("query", "language"),
    [("lang=a%20b", "a b"), ("lang=a%00%0ab", "a??b"), ("lang=" + "x" * 99, "x" * 40)],
)
def test_a_bad_choice_is_handed_on_to_be_refused(query: str, language: str) -> None:
    """Dubbing into the default instead would be a lie."""
    assert policy_of(SETTINGS, "abc", query).target_language == language


def test_an_unknown_destination_names_the_known_ones() -> None:
    with pytest.raises(ConfigError, match="known: own, all"):
        targets.find(SETTINGS, "abc", "nope")


# ---- who may publish and read -------------------------------------------------------------


def asked(**changes: str) -> str | None:
    base = {"ip": "192.0.2.1", "action": "publish", "path": "live/abc/in"}
    found = refusal(
        access_of(SETTINGS, Secret("x")), AuthRequest.model_validate({**base, **changes})
    )
    return found.reason if found else None


def test_a_publisher_needs_the_key() -> None:
    assert asked(query="key=canary-publish") is None
    for query in ("", "key=", "key=canary-publis", "key=canary-publish1", "k=canary-publish"):
        assert asked(query=query) == "wrong_key"


@pytest.mark.parametrize("ip", ["", "nonsense", "192.0.2.1", "10.0.0.1", "::2", "0.0.0.0"])
def test_only_this_machine_reads_and_publishes_what_was_dubbed(ip: str) -> None:
    for action in ("read", "api", "playback"):
        assert asked(action=action, path="live/abc/in", ip=ip) == "not_allowed"
    assert asked(path="live/abc/out", ip=ip) == "not_allowed"


@pytest.mark.parametrize("ip", ["127.0.0.1", "127.8.8.8", "::1", "::ffff:127.0.0.1"])
def test_loopback_in_every_spelling(ip: str) -> None:
    assert asked(action="read", path="live/abc/out", ip=ip) is None
    assert asked(path="live/abc/out", ip=ip) is None
    assert asked(path="live/abc", ip=ip) == "path"


def test_an_open_ingest_without_a_key_takes_any_well_formed_id() -> None:
    request = AuthRequest(action="publish", path="live/new/in", ip="192.0.2.1")
    assert refusal(access_of(Settings(), Secret("x")), request) is None
    closed = Settings(orchestrator=OrchestratorSettings(open_ingest=False))
    assert refusal(access_of(closed, Secret("x")), request) == UNKNOWN_STREAM
