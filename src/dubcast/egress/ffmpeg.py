"""The command line of ffmpeg, and what its words mean. Pure but for /proc."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from dubcast.contract.streams import EgressFailure

# Both tracks must be found, even if one appears about a second after the other; what is read
# meanwhile is sent on at once, so that probing delays only the start.
_ANALYZE_US = 1_500_000
_PROBE_BYTES = 5_000_000


# The publisher may be gone for a while: the machine's own times, which end sooner what is worth
# ending, decide.
_INPUT_TIMEOUT_S = 90.0


def argv(source: str, destination: str, *, timeout_s: float = 10.0) -> list[str]:
    """ffmpeg that copies `source` to `destination`, both tracks, as they come.

    `timeout_s`: how long the destination may block.
    """
    input_us, output_us = (str(round(t * 1_000_000)) for t in (_INPUT_TIMEOUT_S, timeout_s))
    return [
        *("ffmpeg", "-hide_banner", "-nostdin", "-nostats"),
        # "info" tells how far it came: the input is open, the output is open.
        *("-loglevel", "level+info", "-progress", "pipe:1", "-stats_period", "0.5"),
        *("-rw_timeout", input_us, "-probesize", str(_PROBE_BYTES)),
        # No frame rate is measured: it would double the time until the first byte.
        *("-analyzeduration", str(_ANALYZE_US), "-fpsprobesize", "0"),
        # A track may be missing: an audio-only stream is forwarded as it is.
        *("-i", source, "-map", "0:v:0?", "-map", "0:a:0?", "-c", "copy"),
        *("-flvflags", "no_duration_filesize", "-flush_packets", "1"),
        *("-rw_timeout", output_us, "-f", "flv", destination),
    ]


_DENIED = re.compile(
    r"Server error|BadName|Denied|Unauthorized|Forbidden|403|401|already|rejected|not allowed"
    r"|Operation not permitted",
    re.IGNORECASE,
)


@dataclass
class Story:
    """What ffmpeg has said in one run: how far it came, and what went wrong last."""

    input_open: bool = False
    output_open: bool = False
    last_error: str = ""
    denied: bool = False

    def hear(self, line: str) -> None:
        """Take in one line of standard error."""
        text = re.sub(r"^(\[[^]]*\] )*", "", line)
        if text.startswith("Input #0"):
            self.input_open = True
        elif text.startswith("Output #0"):
            self.output_open = True
        elif "[error]" in line or "[fatal]" in line:
            if not self.denied:  # the refusal itself says more than what follows it
                self.last_error = text
            # Words of the input (also RTMP) do not count against the destination.
            self.denied = self.denied or (self.input_open and _DENIED.search(text) is not None)

    def failure(self) -> EgressFailure:
        """Why the run ended, judged by what was said."""
        if not self.input_open:
            return EgressFailure.INPUT_NOT_READY
        if self.denied:
            return EgressFailure.REFUSED
        return EgressFailure.LOST if self.output_open else EgressFailure.UNREACHABLE


def without_secret(line: str, url: str) -> str:
    """The line with the destination's URL, and each telling part of it, blotted out."""
    app, _, key = url.rpartition("/")
    for part in (url, app, key, key.partition("?")[0]):
        if len(part) > 3:
            line = line.replace(part, "***")
    return line


class Queued(NamedTuple):
    """Bytes in the kernel's queues of one process's TCP sockets."""

    unsent: int  # written, and not yet taken by the peer
    unread: int  # arrived, and not yet read


def queued_bytes(pid: int) -> Queued:
    """What lies in the queues of the process's TCP sockets; zeros where unknown.

    What ffmpeg has written is not yet what the peer has taken: a frozen peer lets megabytes
    pile up before a write blocks.
    """
    unsent = unread = 0
    try:
        inodes = _socket_inodes(pid)
        for table in ("tcp", "tcp6"):
            # Line by line: it tells of every socket of the machine, thousands on a busy one.
            with Path(f"/proc/{pid}/net/{table}").open(encoding="ascii") as lines:
                next(lines, None)
                for line in lines:
                    fields = line.split()
                    if fields[9] in inodes:
                        sent, _, received = fields[4].partition(":")
                        unsent += int(sent, 16)
                        # Of a listener it is the number of waiting connections; ffmpeg has none.
                        unread += int(received, 16)
    except OSError:
        return Queued(0, 0)
    return Queued(unsent, unread)


def _socket_inodes(pid: int) -> set[str]:
    found = set()
    for link in Path(f"/proc/{pid}/fd").iterdir():
        try:
            target = str(link.readlink())
        except OSError:
            continue  # closed meanwhile
        if target.startswith("socket:["):
            found.add(target[8:-1])
    return found
