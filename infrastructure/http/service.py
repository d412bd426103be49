"""From a request to its answer, for every framework the same."""

from __future__ import annotations

from resumelog.application.autopilot_runs import AutoPilot
from resumelog.infrastructure.http import problems
from resumelog.infrastructure.http.access import Access
from resumelog.infrastructure.http.asked import Asked, Reply, wanted_of
from resumelog.infrastructure.http.call import Call
from resumelog.infrastructure.http.errors import NoSuchMethod, NoSuchPath, NoToken
from resumelog.infrastructure.http.routes import BY_PATH, allowed
from resumelog.infrastructure.http.texts import language_of
from resumelog.infrastructure.http.workers import Workers

LIMIT_S = 30.0

HEADERS = {
    "Content-Type": "application/json",
    "Cache-Control": "no-store",
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Referrer-Policy": "no-referrer",
    "Vary": "Accept-Language",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
}


class Service:
    """Answers requests about one log. `limit_s` bounds each of them, its body included."""

    def __init__(self, pilot: AutoPilot, access: Access, limit_s: float = LIMIT_S) -> None:
        """Start nothing; the first request that blocks starts a thread."""
        self.limit_s, self.workers = limit_s, Workers()
        self._pilot, self._access = pilot, access

    def answer(self, asked: Asked) -> Reply:
        """Return the answer to a request, also where that is what went wrong."""
        language = language_of(asked.headers.get("accept-language", ""))
        try:
            document = {"success": True, "data": self._data(asked)}
            return Reply(200, document, {**HEADERS, "Content-Language": language})
        except Exception as error:  # noqa: BLE001 - each is told as a body, and noted
            return self.refusal(asked, error)

    def refusal(self, asked: Asked, error: Exception) -> Reply:
        """Return how an error is told."""
        problems.note(error, f"{asked.method} {asked.path}")
        language = language_of(asked.headers.get("accept-language", ""))
        document = problems.body_of(error, language)
        headers = {**HEADERS, "Content-Language": language}
        if isinstance(error, NoToken):
            headers["WWW-Authenticate"] = "Bearer"
        if isinstance(error, NoSuchMethod):
            headers["Allow"] = error.allowed
        return Reply(document["status_code"], document, headers)

    @property
    def has_token(self) -> bool:
        """Tell whether a token is required."""
        return self._access.token is not None

    def needs_token(self, path: str) -> bool:
        """Tell whether a route requires a token."""
        return self.has_token and not BY_PATH[path].is_open

    def require_access(self, asked: Asked) -> None:
        """Raise ForeignHost or NoToken."""
        route = BY_PATH.get(asked.path)
        self._access.require(asked.headers, is_open=route is not None and route.is_open)

    def require(self, asked: Asked) -> None:
        """Raise what is wrong with a request before its body is read."""
        self.require_access(asked)
        route = BY_PATH.get(asked.path)
        if route is None:
            raise NoSuchPath
        if asked.method not in allowed(route).split(", "):
            raise NoSuchMethod(allowed=allowed(route))

    def blocks(self, asked: Asked) -> bool:
        """Tell whether an answer reads or writes the log."""
        route = BY_PATH.get(asked.path)
        return route is not None and route.blocks

    def _data(self, asked: Asked) -> dict[str, object]:
        self.require(asked)
        route = BY_PATH[asked.path]
        wanted = wanted_of(asked, route.takes)
        language = language_of(asked.headers.get("accept-language", ""))
        call = Call(self._pilot, wanted, self._access.caller(asked.headers), language)
        if simulation_id := getattr(wanted, "simulation_id", None):
            call.require_owned(simulation_id)
        return route.handler(call).model_dump(mode="json")
