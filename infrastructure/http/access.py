"""Who may ask: the token, the names of the service, and who the caller is."""

from __future__ import annotations

import hmac
from collections.abc import Callable, Collection, Mapping
from typing import NamedTuple

from resumelog.infrastructure.http.errors import ForeignHost, NoToken

CallerOf = Callable[[Mapping[str, str]], str | None]
"""Names the caller from the headers, whose names are in lower case; None for nobody known."""


class Access(NamedTuple):
    """What is required of a request.

    With `hosts` it must have been sent to one of these names: so a page that a browser was led to
    under a name of its own can't read from a service without a token.
    """

    token: str | None = None
    caller_of: CallerOf | None = None
    hosts: Collection[str] | None = None

    def require(self, headers: Mapping[str, str], *, is_open: bool) -> None:
        """Raise ForeignHost or NoToken."""
        if self.hosts is not None and (host := _name(headers.get("host", ""))) not in self.hosts:
            raise ForeignHost(host=host[:80])
        if self.token is not None and not is_open and not self._has_token(headers):
            raise NoToken

    def caller(self, headers: Mapping[str, str]) -> str | None:
        """Return who asks."""
        return self.caller_of(headers) if self.caller_of else None

    def _has_token(self, headers: Mapping[str, str]) -> bool:
        scheme, _, bearer = headers.get("authorization", "").partition(" ")
        given = bearer.strip() if scheme.lower() == "bearer" else headers.get("x-api-key", "")
        assert self.token is not None
        return hmac.compare_digest(given.encode(), self.token.encode())


def _name(host: str) -> str:
    """Return the name in a Host header, without its port."""
    name, colon, port = host.rpartition(":")
    return (name if colon and port.isdigit() else host).strip("[]").lower()
