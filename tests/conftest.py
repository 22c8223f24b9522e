"""Its presence puts this folder on the import path, so that tests share `rig`."""

from __future__ import annotations

from hypothesis import HealthCheck, settings

# `--hypothesis-profile=deep` (`make test-deep`): as many examples as the figures are about.
settings.register_profile("deep", max_examples=1000, stateful_step_count=50, deadline=None)
settings.register_profile(
    "quick", deadline=None, suppress_health_check=[HealthCheck.too_slow], derandomize=True
)
settings.load_profile("quick")
