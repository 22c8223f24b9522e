"""espeak-ng as a process that stays: framing, odd text, death, hanging. The program is a script."""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from dubcast.sts.providers import espeak
from dubcast.sts.providers.espeak import EspeakPool, parts

# Like espeak-ng: a line or several for each line, an empty one for what cannot be spoken.
_PROGRAM = """\
#!/bin/sh
echo "$5" >> "{starts}"
while IFS= read -r line; do
  case "$line" in
    die) exit 1 ;;
    once) if mkdir "{once}" 2>/dev/null; then exit 1; fi; echo again ;;
    hang) kill -STOP $$ ;;
    long) echo one; echo; echo two ;;
    dots) echo ;;
    *) echo "<$line>" ;;
  esac
done
"""


class Program:
    def __init__(self, folder: Path) -> None:
        self.path = folder / "espeak-ng"
        self._starts = folder / "starts"
        text = _PROGRAM.format(starts=self._starts, once=folder / "once")
        self.path.write_text(text, encoding="utf-8")
        self.path.chmod(0o755)

    @property
    def starts(self) -> list[str]:
        """The voices of the processes, as they were started."""
        return self._starts.read_text(encoding="utf-8").split()


@pytest.fixture
def program(tmp_path: Path) -> Program:
    return Program(tmp_path)


@pytest.fixture
def pool(program: Program) -> Iterator[EspeakPool]:
    pool = EspeakPool(str(program.path))
    yield pool
    pool.close()


def test_one_process_speaks_one_text_after_the_other(pool: EspeakPool, program: Program) -> None:
    assert pool.lines(["a", "b c"], "it") == ["<a>", "<b c>"]
    assert pool.lines(["d"], "it") == ["<d>"]
    assert program.starts == ["it"]


def test_each_voice_has_its_process(pool: EspeakPool, program: Program) -> None:
    for voice in ("it", "fr", "it"):
        assert pool.lines(["a"], voice) == ["<a>"]
    assert program.starts == ["it", "fr"]


def test_a_text_may_become_several_lines_or_none(pool: EspeakPool) -> None:
    assert pool.lines(["long", "dots", "", "a"], "it") == ["one two", "", "", "<a>"]
    assert pool.lines([], "it") == []


def test_a_process_that_died_is_replaced(pool: EspeakPool, program: Program) -> None:
    pool.lines(["a"], "it")
    assert pool.lines(["once", "b"], "it") == ["again", "<b>"]
    assert program.starts == ["it", "it"]


def test_a_text_that_kills_it_is_an_error_and_the_next_is_spoken(pool: EspeakPool) -> None:
    with pytest.raises(RuntimeError, match="espeak-ng failed with voice it"):
        pool.lines(["die"], "it")
    assert pool.lines(["a"], "it") == ["<a>"]


def test_one_that_hangs_is_ended_and_the_next_is_spoken(program: Program) -> None:
    pool = EspeakPool(str(program.path), timeout_s=0.1)
    with pytest.raises(RuntimeError, match=r"did not answer within 0\.1 s"):
        pool.lines(["hang"], "it")
    assert pool.lines(["a"], "it") == ["<a>"]
    pool.close()


def test_no_program_is_an_error(tmp_path: Path) -> None:
    before = len(os.listdir("/proc/self/fd"))
    with pytest.raises(RuntimeError, match="espeak-ng failed"):
        EspeakPool(str(tmp_path / "none")).lines(["a"], "it")
    assert len(os.listdir("/proc/self/fd")) == before


def test_threads_have_processes_of_their_own(pool: EspeakPool) -> None:
    wrong = []

    def speak(name: str) -> None:
        for i in range(10):
            text = f"{name}{i}"
            if pool.lines([text], "it") != [f"<{text}>"]:
                wrong.append(text)

    threads = [threading.Thread(target=speak, args=(name,)) for name in "abc"]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not wrong


def test_few_stay_idle(pool: EspeakPool, program: Program, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(espeak, "_MOST_IDLE", 1)
    for voice in ("it", "fr", "it"):
        pool.lines(["a"], voice)
    assert program.starts == ["it", "fr", "it"]


def test_control_characters_and_broken_text_cannot_break_lines(pool: EspeakPool) -> None:
    assert pool.lines(["a\nb\x00c\x1ad", "\ud800"], "it") == ["<a b c d>", "<?>"]


def test_long_text_is_cut_at_spaces_and_within_words_only_where_it_must() -> None:
    assert list(parts(" a  b ")) == ["a b"]
    assert list(parts("")) == []
    text = " ".join(["palavra"] * 300)
    assert " ".join(parts(text)) == text
    cut = list(parts("é" * 1000))
    assert "".join(cut) == "é" * 1000
    assert all(len(line.encode()) <= 800 for line in [*cut, *parts(text), *parts("語" * 5000)])
