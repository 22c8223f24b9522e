"""`python -m bench.servers`: on a real MediaMTX, all parts, in `build/bench/servers.json`."""

import sys
from pathlib import Path

from rich.console import Console

from bench import parts
from bench.parts import Found, Part
from bench.servers import config, egress, ingests
from dubcast.config import Settings
from dubcast.errors import MissingPartError
from dubcast.mediaserver.mediamtx import find_binary, version_of


def _which(settings: Settings, _out: Path, _console: Console) -> Found:
    binary = find_binary(settings.media_server)
    if binary is None:
        raise MissingPartError("mediamtx is not here: `dubcast mediamtx install`, or on PATH")
    version = ".".join(map(str, version_of(binary)))
    return Found({"server": "mediamtx", "server_version": version})


if __name__ == "__main__":
    which = Part("server", (), _which)
    sys.exit(parts.run("servers", [which, ingests.PART, config.PART, *egress.PARTS]))
