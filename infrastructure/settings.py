"""Settings from the environment."""

from __future__ import annotations

from pydantic import PositiveFloat
from pydantic_settings import BaseSettings, SettingsConfigDict

DEFAULT_URL = "resumelog.db"


class Settings(BaseSettings):
    """Read RESUMELOG_URL and RESUMELOG_LEASE_S.

    `lease_s`: a worker on another machine is taken for dead when its heartbeat has not moved for
    so many seconds; it beats three times in that time.
    """

    model_config = SettingsConfigDict(env_prefix="RESUMELOG_", extra="ignore")

    url: str | None = None
    lease_s: PositiveFloat = 15.0
