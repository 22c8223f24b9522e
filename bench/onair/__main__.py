"""`python -m bench.onair`: all parts, one after the other, in `build/bench/onair.json`."""

import sys

from bench.onair import frozen, languages, media, parts, states

if __name__ == "__main__":
    sys.exit(parts.run([media.PART, frozen.PART, states.PART, languages.PART]))
