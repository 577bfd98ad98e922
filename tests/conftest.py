"""What every test runs under."""

from __future__ import annotations

import os

from hypothesis import HealthCheck, settings

# A busy machine is slow now and then, which is no defect of the code under test: no deadlines.
settings.register_profile("local", deadline=None, max_examples=50)
settings.register_profile("ci", deadline=None, max_examples=50, derandomize=True, suppress_health_check=[HealthCheck.too_slow])
settings.register_profile("thorough", deadline=None, max_examples=2_000)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "ci" if os.environ.get("CI") else "local"))
