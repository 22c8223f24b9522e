"""`dubcast doctor` on this machine, with its real programs."""

from __future__ import annotations

import subprocess
import sys
import time


def test_it_takes_less_than_ten_seconds() -> None:
    started = time.monotonic()
    done = subprocess.run(
        [sys.executable, "-m", "dubcast", "doctor"], capture_output=True, text=True, timeout=60
    )
    assert time.monotonic() - started < 10
    assert "GStreamer" in done.stdout, done.stdout + done.stderr
