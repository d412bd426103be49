"""One profile for all properties: the same bounds everywhere, and nothing that depends on speed."""

from hypothesis import HealthCheck, settings

settings.register_profile(
    "resumelog",
    max_examples=80,
    stateful_step_count=40,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow],
)
settings.load_profile("resumelog")
