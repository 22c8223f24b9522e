"""`python -m bench.sts [PART]`: all parts, or one, in `build/bench/sts.json`."""

import sys
from importlib import import_module
from importlib.util import find_spec

from bench import parts

# In the order in which they are measured: those that take no model first.
_NAMES = ("fifo", "contract", "against_base", "capacity", "plain", "gpu")


def _parts(names: tuple[str, ...]) -> list[parts.Part]:
    return [
        import_module(f"bench.sts.{name}").PART for name in names if find_spec(f"bench.sts.{name}")
    ]


if __name__ == "__main__":
    one = sys.argv[1] if len(sys.argv) > 1 else ""
    sys.exit(parts.run("sts", _parts((one,) if one else _NAMES), one))
