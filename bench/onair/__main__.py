"""`python -m bench.onair`: all parts, one after the other, in `build/bench/onair.json`."""

import sys

from bench import parts
from bench.onair import frozen, languages, media, states

if __name__ == "__main__":
    sys.exit(parts.run("onair", [media.PART, frozen.PART, states.PART, languages.PART]))
