"""What every test shares: how long Hypothesis searches, and that it never fails for slowness."""

from hypothesis import HealthCheck, settings

# The machines are shared: an example that took long says nothing about the code.
settings.register_profile("quick", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.register_profile("deep", settings.get_profile("quick"), max_examples=20_000)
settings.load_profile("quick")
