"""Settings: precedence, bad values, secrets, and the way to child processes."""

from __future__ import annotations

import re
from pathlib import Path
from types import ModuleType

import pytest
from pydantic import BaseModel

from dubcast import config
from dubcast.config import tree
from dubcast.errors import ConfigError


def load(tmp_path: Path, text: str = "", env: dict[str, str] | None = None, **flags: object):  # type: ignore[no-untyped-def]
    file = tmp_path / "dubcast.yaml"
    file.write_text(text)
    dotted = {name.replace("__", "."): value for name, value in flags.items()}
    return config.load(file, dotted, env or {})


def test_flags_win_over_environment_over_file_over_default(tmp_path: Path) -> None:
    text = "stream: {delay_s: 5, voice: pm_alex, duck_db: 30}"
    env = {"DUBCAST__STREAM__DELAY_S": "6", "DUBCAST__STREAM__VOICE": "pf_dora"}
    loaded = load(tmp_path, text, env, stream__delay_s=7.0)
    stream = loaded.settings.stream
    assert (stream.delay_s, stream.voice, stream.duck_db) == (7, "pf_dora", 30)
    assert stream.max_tempo == 1.25
    assert loaded.origins["stream.delay_s"] == "flag"
    assert loaded.origins["stream.voice"] == "DUBCAST__STREAM__VOICE"
    assert loaded.origins["stream.duck_db"].endswith("dubcast.yaml")


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("stream: {deley_s: 5}", ["stream.deley_s", "did you mean delay_s"]),
        ("streem: {delay_s: 5}", ["streem", "did you mean stream"]),
        ("stream: {delay_s: 99}", ["stream.delay_s", "99", "15"]),
        ("stream: {duck_db: 15}", ["stream.duck_db", "24"]),
        ("stream: {fragments: {mode: fast}}", ["stream.fragments.mode", "'fast'", "'speech'"]),
        ("sts: {url: 'ftp://x'}", ["sts", "http://"]),
        ("orchestrator: {streams: {Bad Id: {}}}", ["orchestrator.streams"]),
        (
            "orchestrator: {streams: {a: {policy: {delay: 3}}}}",
            ["orchestrator.streams.a.policy.delay", "did you mean delay_s"],
        ),
        ("[1, 2]", ["mapping", "not a list"]),
        ("stream: {", ["not valid YAML", "line 1, column 10"]),
        ("stream: 5", ["stream: must be a mapping", "dubcast.yaml"]),
        ("stream: {delay_s: 5, delay_s: 6}", ["delay_s is given more than once", "column 22"]),
        ("stream: {voice: null}", ["stream.voice = null", "must be text", "quotes"]),
        ("stream: {delay_s: 8s}", ["stream.delay_s = 8s", "a number, 3 or more and 15 or less"]),
        ("stream: {match_loudness: maybe}", ["match_loudness = maybe", "true or false"]),
        ("media_server: {rtmp_port: yes}", ["media_server.rtmp_port = yes", "whole number"]),
        ("stream: {fallback_order: ducked}", ["stream.fallback_order", "must be a list"]),
        ("orchestrator: {publish_key: }", ["orchestrator.publish_key = null", "leave it out"]),
        ("orchestrator: {publish_key: ''}", ["orchestrator.publish_key", "is empty"]),
        ('orchestrator: {publish_key: "a\\nb"}', ["orchestrator.publish_key", "line break"]),
        ("sts: {url: 'http://:80'}", ["sts.url", "must name a host"]),
        ("sts: {url: 'http://h:x'}", ["sts.url", "is not a URL"]),
        ("worker: {asrun_dir: ~nobody-here/x}", ["worker.asrun_dir", "home folder"]),
        ("orchestrator: {destinations: {name: a}}", ["orchestrator.destinations", "a list"]),
        ("orchestrator: {destinations: [{name: a}]}", ["destinations.0.url is missing"]),
    ],
)
def test_bad_settings_name_the_key_the_value_and_the_way_out(
    tmp_path: Path, text: str, words: list[str]
) -> None:
    with pytest.raises(ConfigError) as caught:
        load(tmp_path, text)
    for word in words:
        assert word in str(caught.value)


def test_a_bad_value_names_where_it_was_set(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="DUBCAST__STREAM__DELAY_S"):
        load(tmp_path, env={"DUBCAST__STREAM__DELAY_S": "1"})


@pytest.mark.parametrize(
    ("url", "words"),
    [
        ("rtmp://", "must name a host"),
        ("rtmp://host", "rtmp://host/app/key"),
        ("rtmp://host/", "rtmp://host/app/key"),
        ("rtmp://h/app/my key", "a space in a key is written %20"),
        ("rtmp://h:port/app/key", "host or port cannot be read"),
        ("srt://h", "must name host and port"),
        ("srt://h:9000?streamid=a b", "a space in a key is written %20"),
        ("udp://h:9000", "must start with rtmp://, rtmps:// or srt://"),
        ("h/app/key", "must start with rtmp://, rtmps:// or srt://"),
    ],
)
def test_a_destination_that_cannot_be_pushed_to_is_refused(
    tmp_path: Path, url: str, words: str
) -> None:
    text = f"orchestrator: {{destinations: [{{name: a, url: '{url}'}}]}}"
    with pytest.raises(ConfigError, match=r"orchestrator\.destinations\.0\.url") as caught:
        load(tmp_path, text)
    assert words in str(caught.value)


def test_two_destinations_of_one_name_are_refused(tmp_path: Path) -> None:
    both = "destinations: [{name: a, url: rtmp://h/a/b}, {name: a, url: rtmp://h/a/c}]"
    for section in (f"{{{both}}}", f"{{streams: {{s: {{{both}}}}}}}"):
        with pytest.raises(ConfigError, match="two destinations are named a"):
            load(tmp_path, f"orchestrator: {section}")


def test_a_missing_file_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="does not exist"):
        config.load(Path("/nonexistent/dubcast.yaml"), env={})
    (tmp_path / "latin.yaml").write_bytes(b"stream: {voice: caf\xe9}")
    with pytest.raises(ConfigError, match="not UTF-8"):
        config.load(tmp_path / "latin.yaml", env={})


# ---- what is text stays as it was written -----------------------------------------------------

WORDS = [
    *("12345", "0123", "1e5", "0x1F", "1_000", "12:30:45", "2026-11-26", ".5", "+1", "1.0"),
    *("yes", "no", "on", "off", "true", "null", "~", "=", "<<", "NaN"),
]
# What a file would have to quote.
MARKS = ["a: b", "*star", "&a", "!a", "ab#cd", "ab #cd", "@x", "%x", "`x", "- a", "{a", "'a", '"']
TEXTS = ["orchestrator.publish_key", "sts.api_key", "stream.voice", "sts_server.asr_model"]


def text_of(settings: config.Settings, dotted: str) -> str:
    section, name = dotted.split(".")
    value = getattr(getattr(settings, section), name)
    return value.get_secret_value() if isinstance(value, config.Secret) else str(value)


def variable(dotted: str) -> str:
    return config.ENV_PREFIX + dotted.replace(".", "__").upper()


@pytest.mark.parametrize("dotted", TEXTS)
def test_text_in_the_environment_is_taken_as_it_is(tmp_path: Path, dotted: str) -> None:
    of_no_header = () if dotted == "sts.api_key" else (" a ", "é")
    for text in (*WORDS, *MARKS, "::1", *of_no_header):
        assert text_of(load(tmp_path, env={variable(dotted): text}).settings, dotted) == text


@pytest.mark.parametrize("dotted", TEXTS)
def test_plain_words_of_a_file_are_taken_as_they_are(tmp_path: Path, dotted: str) -> None:
    section, name = dotted.split(".")
    for text in WORDS:
        if text not in {"null", "~"}:
            settings = load(tmp_path, f"{section}: {{{name}: {text}}}").settings
            assert text_of(settings, dotted) == text
    for text in (*WORDS, *MARKS):
        quoted = "'" + text.replace("'", "''") + "'"
        settings = load(tmp_path, f"{section}: {{{name}: {quoted}}}").settings
        assert text_of(settings, dotted) == text


@pytest.mark.parametrize("empty", ["", "~", "null"])
def test_a_key_that_is_null_opens_nothing(tmp_path: Path, empty: str) -> None:
    with pytest.raises(ConfigError, match=r"publish_key = null: leave it out .*dubcast\.yaml"):
        load(tmp_path, f"orchestrator:\n  publish_key: {empty}\n")
    with pytest.raises(ConfigError, match="publish_key = null"):
        load(tmp_path, env={"DUBCAST__ORCHESTRATOR": f"{{publish_key: {empty}}}"})
    with pytest.raises(ConfigError, match=r"publish_key = \*+: is empty"):
        load(tmp_path, env={"DUBCAST__ORCHESTRATOR__PUBLISH_KEY": ""})


def test_off_is_a_separator_and_digits_are_a_name(tmp_path: Path) -> None:
    text = """
    stream: {separation: {separator: off}}
    orchestrator: {destinations: [{name: 1, url: rtmp://a/b/c}], streams: {123: {}}}
    """
    settings = load(tmp_path, text).settings
    assert settings.stream.separation.separator == "off"
    assert settings.orchestrator.destinations[0].name == "1"
    assert list(settings.orchestrator.streams) == ["123"]
    env = {"DUBCAST__STREAM__SEPARATION__SEPARATOR": "off"}
    assert load(tmp_path, env=env).settings.stream.separation.separator == "off"


def test_what_is_a_number_or_a_yes_is_read_as_one(tmp_path: Path) -> None:
    text = """
    stream: {delay_s: 4.5, ducking: {enabled: no}, target_lufs: null, fragments: {max_s: ~}}
    sts_server: {port: 8001}
    models: {dir: }
    """
    settings = load(tmp_path, text).settings
    assert (settings.stream.delay_s, settings.sts_server.port) == (4.5, 8001)
    assert settings.stream.ducking.enabled is False
    assert (settings.stream.target_lufs, settings.models.dir) == (None, None)
    env = {"DUBCAST__STREAM__DUCKING__ENABLED": "off", "DUBCAST__STREAM__TARGET_LUFS": "null"}
    stream = load(tmp_path, "stream: {target_lufs: -20}", env).settings.stream
    assert (stream.ducking.enabled, stream.target_lufs) == (False, None)


def test_what_is_commented_out_is_not_set(tmp_path: Path) -> None:
    text = """
    stream:
      # delay_s: 4
      fragments:
    orchestrator:
      destinations:
      streams:
    """
    assert load(tmp_path, text).settings == config.Settings()


def test_lists_and_mappings_in_the_environment_are_yaml(tmp_path: Path) -> None:
    env = {
        "DUBCAST__STS__FALLBACK_URLS": "[http://a:1, http://b:2/]",
        "DUBCAST__STREAM__FALLBACK_ORDER": "[ducked, silence]",
        "DUBCAST__ORCHESTRATOR__STREAMS": "{demo: {policy: {voice: no, delay_s: 5}}}",
    }
    settings = load(tmp_path, env=env).settings
    assert settings.sts.fallback_urls == ("http://a:1", "http://b:2")
    assert settings.stream.fallback_order == ("ducked", "silence")
    assert settings.stream_policy("demo").voice == "no"
    with pytest.raises(ConfigError, match="DUBCAST__STS__FALLBACK_URLS is not valid YAML"):
        load(tmp_path, env={"DUBCAST__STS__FALLBACK_URLS": "[a"})


def test_a_mapping_of_a_file_can_be_reused(tmp_path: Path) -> None:
    text = """
    orchestrator:
      streams:
        a: &a {policy: &calm {voice: pm_alex, delay_s: 5}}
        b: {policy: {<<: *calm, delay_s: 6}}
        c: {<<: *a}
    """
    settings = load(tmp_path, text).settings
    policies = [settings.stream_policy(name) for name in "abc"]
    assert [(one.voice, one.delay_s) for one in policies] == [
        ("pm_alex", 5),
        ("pm_alex", 6),
        ("pm_alex", 5),
    ]


def test_a_home_folder_is_written_as_a_tilde(tmp_path: Path) -> None:
    env = {"DUBCAST__WORKER__ASRUN_DIR": "~/x"}
    settings = load(tmp_path, "models: {dir: ~/y}", env).settings
    assert settings.worker.asrun_dir == Path.home() / "x"
    assert settings.models.dir == Path.home() / "y"


# ---- the way to children ----------------------------------------------------------------------


def test_every_setting_that_may_be_none_is_none_by_default() -> None:
    """Or else a child, whose environment leaves them out, would have the default instead."""

    def wrong(section: type[BaseModel]) -> list[str]:
        found = []
        for name, field in section.model_fields.items():
            if tree.is_section(kind := tree.bare(field.annotation)):
                found += wrong(kind)
            elif tree.may_be_none(field) and field.default is not None:
                found.append(f"{section.__name__}.{name}")
        return found

    assert wrong(config.Settings) == []
    assert tree.may_be_none(config.StreamSettings.model_fields["target_lufs"])


@pytest.mark.parametrize("key", [*WORDS, *MARKS, "é \U0001f3a4", "a\\b"])
def test_any_key_survives_the_way_to_a_child(key: str) -> None:
    given = {
        "sts": {"api_key": key if key.isascii() else "no other goes into a header"},
        "orchestrator": {
            "publish_key": key,
            "destinations": [{"name": "a", "url": f"rtmp://h/app/{key.replace(' ', '%20')}"}],
        },
        "stream": {"voice": key},
    }
    settings = config.Settings.model_validate(given)
    assert config.load(env=config.to_env(settings)).settings == settings


def test_a_child_reads_no_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    text = "stream: {target_lufs: -20}\norchestrator: {publish_key: canary, streams: {a: {}}}"
    (tmp_path / "dubcast.yaml").write_text(text)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("DUBCAST_CONFIG", str(tmp_path / "dubcast.yaml"))
    assert config.load().settings.stream.target_lufs == -20
    settings = config.Settings()
    assert config.load(env=config.child_env(settings)).settings == settings


def test_the_public_names_are_those_that_are_listed() -> None:
    bound = {
        name
        for name, value in vars(config).items()
        if not name.startswith("_") and not isinstance(value, ModuleType) and name != "annotations"
    }
    assert bound == set(config.__all__)


def test_only_the_package_itself_knows_its_rooms() -> None:
    """Everyone else imports from `dubcast.config`; the tests of its parts look inside."""
    root = Path(__file__).parents[2]
    inside = {"tests/unit/test_config.py", "tests/unit/test_secrets.py"}
    found = {
        str(path.relative_to(root))
        for folder in ("src", "tests", "bench", "scripts")
        for path in (root / folder).rglob("*.py")
        if path.parent != root / "src/dubcast/config"
        and re.search(r"(from|import) dubcast\.config\.", path.read_text(encoding="utf-8"))
    }
    assert found - inside == set()


def test_settings_survive_the_way_through_the_environment(tmp_path: Path) -> None:
    text = """
    sts: {api_key: 'k: "x"'}
    stream: {delay_s: 4.5, fragments: {mode: fixed}}
    orchestrator:
      destinations: [{name: third, url: 'rtmp://host/app/key'}]
      streams: {demo: {policy: {voice: pm_alex}}}
    """
    settings = load(tmp_path, text).settings
    assert config.load(env=config.to_env(settings)).settings == settings


def test_a_stream_entry_changes_only_what_it_names(tmp_path: Path) -> None:
    text = "orchestrator: {streams: {demo: {policy: {voice: pm_alex, fragments: {mode: fixed}}}}}"
    settings = load(tmp_path, text, stream__delay_s=9.0).settings
    policy = settings.stream_policy("demo")
    assert (policy.voice, policy.fragments.mode, policy.delay_s) == ("pm_alex", "fixed", 9.0)
    assert settings.stream_policy("other") == settings.stream
