"""Settings from the environment."""

from __future__ import annotations

from typing import Literal

from pydantic import PositiveFloat
from pydantic_settings import BaseSettings, SettingsConfigDict

DEFAULT_URL = "resumelog.db"


class Settings(BaseSettings):
    """Read RESUMELOG_URL, RESUMELOG_LEASE_S and RESUMELOG_DURABILITY.

    `lease_s`: a worker on another machine is taken for dead when its heartbeat has not moved for
    so many seconds; it beats three times in that time. `durability`: what a save that has returned
    survives, with "full" (the default) a power loss, with "normal" only a kill of the process: a
    power loss may then take the newest saves, but never one out of the middle.
    """

    model_config = SettingsConfigDict(env_prefix="RESUMELOG_", extra="ignore")

    url: str | None = None
    lease_s: PositiveFloat = 15.0
    durability: Literal["full", "normal"] | None = None


def without_password(url: str) -> str:
    """Return a URL that may not even be one, without what may be a password."""
    scheme, colon, rest = url.partition(":")
    credentials, at, address = rest.rpartition("@")
    if not at:
        return url
    return f"{scheme}{colon}{credentials.partition(':')[0]}{at}{address.partition('?')[0]}"
