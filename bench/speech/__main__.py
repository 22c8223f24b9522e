"""`python -m bench.speech`: all parts, one after the other, in `build/bench/speech.json`."""

import sys

from bench import parts
from bench.speech import everyday, first_clause, language, live, quiet, said, sung

if __name__ == "__main__":
    PARTS = [said, everyday, language, quiet, sung, first_clause, live]
    sys.exit(parts.run("speech", [one.PART for one in PARTS]))
