"""The one table of routes."""

from __future__ import annotations

from resumelog.infrastructure.http.call import Route
from resumelog.infrastructure.http.job_routes import JOB_ROUTES, PROBES
from resumelog.infrastructure.http.pilot_routes import PILOT_ROUTES, PREFIX

API: tuple[Route, ...] = (*PILOT_ROUTES, *JOB_ROUTES)
ROUTES: tuple[Route, ...] = (*API, *PROBES)
PREFIXES = (PREFIX, "/api/jobs")
"""What lies below belongs to the API, whether there is anything or not."""

METHODS = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "CONNECT", "QUERY"]
BY_PATH: dict[str, Route] = {route.path: route for route in ROUTES}


def allowed(route: Route) -> str:
    """Return the methods that a route knows."""
    return "GET, HEAD" if route.method == "GET" else route.method
