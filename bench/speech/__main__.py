"""`python -m bench.speech`: all parts, one after the other, in `build/bench/speech.json`."""

import sys

from bench import parts
from bench.speech import first_clause, live, quiet, said, sung

if __name__ == "__main__":
    sys.exit(parts.run("speech", [said.PART, quiet.PART, sung.PART, first_clause.PART, live.PART]))
