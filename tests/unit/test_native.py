"""What a process does without, and what it gives back."""

from __future__ import annotations

import ctypes
import importlib
import os
import subprocess
import sys
from pathlib import Path

import pytest

from dubcast import native

# As the kernel writes them (`man 5 proc`), shortened.
SMAPS = """\
7f0000000000-7f0000004000 r--p 00000000 fe:00 42                         /usr/lib/libone.so
Size:                 16 kB
Rss:                  16 kB
Anonymous:             0 kB
Swap:                  0 kB
SwapPss:               0 kB
VmFlags: rd mr mw me
7f0000004000-7f0000008000 r-xp 00004000 fe:00 42                         /usr/lib/libone.so
Rss:                  16 kB
Anonymous:             0 kB
Swap:                  0 kB
7f0000008000-7f0000009000 r--p 00008000 fe:00 42                         /usr/lib/libone.so
Rss:                   4 kB
Anonymous:             4 kB
Swap:                  0 kB
7f0000010000-7f0000011000 r--p 00010000 fe:00 42                         /usr/lib/libone.so
Rss:                   0 kB
Anonymous:             0 kB
Swap:                  4 kB
7f0000009000-7f000000a000 rw-p 00009000 fe:00 42                         /usr/lib/libone.so
Rss:                   0 kB
Anonymous:             0 kB
Swap:                  0 kB
7f000000a000-7f000000c000 r--s 00000000 fe:00 43                         /a/shared one
Rss:                   8 kB
Anonymous:             0 kB
Swap:                  0 kB
7f000000c000-7f000000e000 r--p 00000000 00:00 0
Rss:                   0 kB
Anonymous:             0 kB
Swap:                  0 kB
7ffc00000000-7ffc00002000 r-xp 00000000 00:00 0                          [vdso]
Rss:                   4 kB
Anonymous:             0 kB
Swap:                  0 kB
"""


def test_only_what_holds_nothing_but_its_file_is_given_back() -> None:
    """Relocated pages, data, shared mappings and what is of no file would be lost."""
    found = list(native.unwritten_files(SMAPS))
    assert found == [(0x7F0000000000, 0x4000), (0x7F0000004000, 0x4000)]


def test_what_was_given_back_is_there_again_at_its_next_use() -> None:
    """In a process of its own: the tests' own threads may map what they like."""
    program = (
        "import re; from pathlib import Path; import numpy, ctypes;"
        "from dubcast import native;"
        "rss = lambda: int(re.search(r'^RssFile:\\s+(\\d+)',"
        " Path('/proc/self/status').read_text(), re.M)[1]);"
        "before = rss(); native.give_back_loading(); after = rss();"
        "assert numpy.linalg.inv(numpy.eye(3)).sum() == 3;"
        "assert after < 0.8 * before, (before, after)"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


def test_elsewhere_than_on_linux_nothing_is_given_back(monkeypatch: pytest.MonkeyPatch) -> None:
    def missing(*_: object, **__: object) -> str:
        raise FileNotFoundError

    monkeypatch.setattr(Path, "read_text", missing)
    monkeypatch.setattr(ctypes, "CDLL", None)
    native.give_back_loading()


def test_blas_gets_one_thread_unless_the_user_says_otherwise(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("OPENBLAS_NUM_THREADS", "3")
    monkeypatch.setenv("MKL_NUM_THREADS", "9")
    monkeypatch.delenv("MKL_NUM_THREADS")
    native.single_blas_thread()
    assert (os.environ["OPENBLAS_NUM_THREADS"], os.environ["MKL_NUM_THREADS"]) == ("3", "1")


def test_the_service_pins_them_before_numpy_is_there() -> None:
    program = (
        "import sys; from dubcast import native; from dubcast.cli import sts;"
        "native.single_blas_thread = lambda: sys.exit('late' if 'numpy' in sys.modules else 0);"
        "sts.sts()"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (0, "")


def test_what_is_hidden_is_there_again_afterwards(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delitem(sys.modules, "colorsys", raising=False)
    with native.not_installed("colorsys"), pytest.raises(ImportError):
        importlib.import_module("colorsys")
    importlib.import_module("colorsys")


def test_what_was_imported_before_is_not_hidden() -> None:
    with native.not_installed("json"):
        assert importlib.import_module("json") is sys.modules["json"]


def test_code_for_the_gpu_is_kept_where_the_user_wants_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    environment: dict[str, str] = {}
    monkeypatch.setattr(native.os, "environ", environment)
    native.keep_gpu_code(tmp_path)
    assert environment["CUDA_CACHE_PATH"] == str(tmp_path)
    environment["CUDA_CACHE_PATH"] = "/elsewhere"
    native.keep_gpu_code(tmp_path)
    assert environment["CUDA_CACHE_PATH"] == "/elsewhere"
