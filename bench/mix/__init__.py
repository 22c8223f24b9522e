"""How the dubbed sound is: real runs of three programmes, measured on what a third party gets.

`python -m bench.mix` writes `build/bench/mix.json`; see `bench.mix.judge` for what is measured.
"""
