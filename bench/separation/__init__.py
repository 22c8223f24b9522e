"""How well speech leaves a mix: `make bench-separation` writes build/bench/separation.json."""
