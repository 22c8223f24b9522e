"""A closed standard stream is opened on nothing before something else gets its number."""

from __future__ import annotations

import subprocess
import sys

import pytest

PROGRAM = """
import os, sys
from dubcast.standard_streams import ensure_standard_streams
ensure_standard_streams()
handle = os.open("/dev/null", os.O_RDONLY)
assert handle > 2, handle
sys.stdout.write("out"); sys.stderr.write("err"); sys.stdin.read()
sys.stdout.flush(); sys.stderr.flush()
code = os.system("echo child >&2; echo child")
os._exit(0 if code == 0 else 1)
"""


@pytest.mark.parametrize("closed", ["2>&-", ">&-", "<&-", "<&- >&- 2>&-", "</dev/null"])
def test_each_of_them_is_there(closed: str) -> None:
    argv = ["sh", "-c", f'exec "$@" {closed}', "sh", sys.executable, "-W", "error", "-c", PROGRAM]
    done = subprocess.run(argv, capture_output=True, text=True, timeout=30, input="x")
    assert done.returncode == 0, done.stderr
    assert ("out" in done.stdout) == (" >&-" not in f" {closed}")
    assert ("err" in done.stderr) == ("2>&-" not in closed)
