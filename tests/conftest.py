"""Settings of all tests."""

from __future__ import annotations

import os
import sys

from hypothesis import HealthCheck, settings

# Each worker compiles every test module, and each process that a test starts the whole program, unless it is kept.
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
sys.dont_write_bytecode = False

# How long an example takes says what else the machine does; a test that hangs meets the limit of pytest-timeout.
settings.register_profile("untimed", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("untimed")
