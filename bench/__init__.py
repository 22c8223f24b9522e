"""Benchmarks of the parts, each with its own package; run one with `python -m bench.NAME`."""
