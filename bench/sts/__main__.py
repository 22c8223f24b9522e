"""`python -m bench.sts [PART]`: all parts, or one, in `build/bench/sts.json`."""

import sys

from bench import parts
from bench.sts import against_base, capacity, contract, fifo, gpu, plain

# In the order in which they are measured: those that take no model first.
_PARTS = [one.PART for one in (fifo, contract, against_base, capacity, plain, gpu)]


if __name__ == "__main__":
    name = sys.argv[1] if len(sys.argv) > 1 else ""
    sys.exit(parts.run("sts", [one for one in _PARTS if name in ("", one.name)], name))
