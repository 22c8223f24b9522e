"""`make check` sees an element or a program that setup does not bring."""

from __future__ import annotations

from collections.abc import Iterable

import pytest

from scripts import check_packages
from scripts.check_packages import Named, in_python, in_shell, wrong_names, wrong_setup


def names(found: Iterable[Named], kind: str) -> set[str]:
    return {one.name for one in found if one.kind == kind}


def wrong(text: str) -> list[str]:
    return list(wrong_names(in_python(text, "a.py")))


def test_the_tree_names_nothing_that_setup_does_not_bring() -> None:
    assert check_packages.main() == 0


def test_it_has_looked_where_elements_and_programs_are_named() -> None:
    found = check_packages.everything_named()
    for kind, some in {
        "element": {"rtmp2src", "voaacenc", "rtph264pay", "rtpmp4gpay", "opusenc", "fdsink"},
        "program": {"ffmpeg", "ffprobe", "espeak-ng", "git", "npm", "gst-launch-1.0", "cc"},
        "typelib": {"Gst", "GstApp", "GstRtspServer"},
    }.items():
        assert names(found, kind) >= some
    assert {one.where.partition("/")[0] for one in found} >= {"src", "tests", "bench", "scripts"}


@pytest.mark.parametrize(
    "text",
    [
        'argv = ["gst-launch-1.0", "-q", "videotestsrc", "!", "x264enc", "!", "fakesink"]',
        'picture = ["is-live=true", "!", "x264enc", "tune=zerolatency", "!", "m."]',
        'with gst_launch(*source, "!", "x264enc", f"bitrate={rate}"): pass',
        'LAUNCH = "( filesrc location={clip} ! x264enc ! rtph264pay name=pay0 )"',
        'SOUND = f"{before} ! x264enc ! queue"',
        'element = make("x264enc", bitrate=500)',
        'element = Gst.ElementFactory.make("x264enc", None)',
        'Gst.parse_launch("x264enc name=e")',
    ],
)
def test_an_element_is_seen_in_each_form(text: str) -> None:
    assert any("brings the element x264enc" in line for line in wrong(text))


@pytest.mark.parametrize(
    "text",
    [
        'subprocess.run(["sox", name])',
        'await asyncio.create_subprocess_exec("sox", *more)',
        'argv = ["nice", "-n", "10", "sox", name]',
        'argv = [*("sox", "-n"), *more]',
        'command: list[str] = ["sox", name]',
        'def play(): return ["sox", "-n", name]',
        'found = shutil.which("sox")',
        'with child(["sox"]) as one: pass',
    ],
)
def test_a_program_is_seen_in_each_form(text: str) -> None:
    assert set(wrong(text)) == {"a.py:1: no package that setup installs brings the program sox"}


def test_a_typelib_is_seen() -> None:
    found = wrong('gi.require_version("Gtk", "4.0")\nfrom gi.repository import Gst, Soup')
    assert {line.rpartition(" ")[2] for line in found} == {"Gtk", "Soup"}


def test_prose_and_our_own_subcommands_are_no_commands() -> None:
    text = '"""Beware ! of sox."""\nCliRunner().invoke(app, ["doctor", "--install"])\n'
    assert list(in_python(text, "a.py")) == []


def test_programs_of_scripts_are_seen() -> None:
    script = """
LIST=(
  not-a-program
)
own() { rm -f "$1"; }
value=$(own one | sort "$(jq . file)")  # and nothing of a comment
if [ -e x ] && MODE=fast sox -n 'curl | wget'; then own two; fi
\t@gst-launch-1.0 fakesrc ! x264enc
"""
    found = list(in_shell(script, "a.sh"))
    assert names(found, "program") == {"rm", "sort", "jq", "sox", "gst-launch-1.0"}
    assert names(found, "element") == {"fakesrc", "x264enc"}
    assert Named("program", "rm", "a.sh") in found


def test_setup_and_the_tables_say_the_same() -> None:
    setup = (check_packages.ROOT / "scripts/setup.sh").read_text()
    assert list(wrong_setup(setup)) == []
    less = setup.replace(" gstreamer1.0-libav", " sox")
    assert list(wrong_setup(less)) == [
        "scripts/setup.sh does not install gstreamer1.0-libav",
        "scripts/setup.sh installs sox, which no table names",
    ]
    assert len(list(wrong_setup(""))) > 10
