"""How dubcast is measured: a stage of real processes, recorders, the probe, figures and bars.

The demo, the benches and the soak use it; nothing on air does.
"""
