"""What every test shares."""

from hypothesis import HealthCheck, settings

# A busy machine is no failure: what must be fast has a test of its own.
settings.register_profile("gvm", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("gvm")
