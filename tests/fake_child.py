"""A stand-in for a worker or an egress at the process border: serves the status window.

Started as the real one is; what it does wrong is in a file that the test writes:
`exit N` ends it at start, `mute` never answers, `deaf` ignores SIGTERM, `state NAME` is told,
`stuck` answers that its own work stands still.
"""

from __future__ import annotations

import argparse
import os
import signal
import sys
import time
from pathlib import Path

from prometheus_client import CollectorRegistry

from dubcast.statusd import StatusServer


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("orders", type=Path)
    parser.add_argument("role")
    for name in ("stream-id", "input", "output", "destination"):
        parser.add_argument(f"--{name}", default="")
    parser.add_argument("--status-port", type=int, required=True)
    parser.add_argument("--patience", type=float)
    parser.add_argument("--resume", action="store_true")
    given = parser.parse_args()
    journal = given.orders / "journal"
    with journal.open("a") as file:
        file.write(f"start {given.role} {given.stream_id}{given.destination} {os.getpid()}\n")
    orders = given.orders / given.role
    words = orders.read_text().split() if orders.exists() else ["state", "live"]
    if words[0] == "exit":
        sys.exit(int(words[1]))
    if words[0] == "deaf":
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
    else:
        signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))

    def status() -> dict[str, object]:
        told = orders.read_text().split() if orders.exists() else ["state", "live"]
        state = told[1] if told[0] == "state" else "live"
        stuck_s = 60.0 if told[0] == "stuck" else 0.0
        return {
            "stream_id": given.stream_id,
            "state": state,
            "reason": "",
            "stuck_s": stuck_s,
        }

    if words[0] != "mute":
        StatusServer("127.0.0.1", given.status_port, status, CollectorRegistry()).start()
    while True:
        time.sleep(0.1)


if __name__ == "__main__":
    main()
