"""The one table from errors to HTTP statuses and error codes, and an error as a body."""

from __future__ import annotations

import logging
from typing import Any, NamedTuple

from resumelog.application import errors as application
from resumelog.domain import errors as domain
from resumelog.infrastructure.http import errors as http
from resumelog.infrastructure.http.texts import TROUBLES, Language

logger = logging.getLogger("resumelog")


class Problem(NamedTuple):
    """How an error is answered; `error_code` names its words."""

    status: int
    error_code: str


INTERNAL = Problem(500, "internal")

PROBLEMS: tuple[tuple[type[Exception], Problem], ...] = (
    (http.NotOurContentType, Problem(400, "bad_content_type")),
    (http.NotUtf8, Problem(400, "not_utf8")),
    (http.BadJson, Problem(400, "bad_json")),
    (http.NotAnObject, Problem(400, "not_an_object")),
    (http.BadField, Problem(400, "bad_field")),
    (http.NoToken, Problem(401, "no_token")),
    (http.ForeignHost, Problem(403, "foreign_host")),
    (http.NotTheOwner, Problem(403, "not_the_owner")),
    (http.NoSuchPath, Problem(404, "not_found")),
    (http.NoSuchMethod, Problem(405, "method_not_allowed")),
    (http.BodyTooSlow, Problem(408, "body_too_slow")),
    (http.BodyTooLarge, Problem(413, "body_too_large")),
    (http.TookTooLong, Problem(503, "took_too_long")),
    (http.ServiceEnding, Problem(503, "service_ending")),
    (application.NoSuchSimulation, Problem(404, "simulation_not_found")),
    (application.JobNotFound, Problem(404, "job_not_found")),
    (application.NoHost, Problem(503, "no_host")),
    (domain.BadKey, Problem(400, "bad_simulation_id")),
    (domain.BadMode, Problem(400, "bad_mode")),
    (domain.ModeNotAuto, Problem(400, "mode_not_auto")),
    (domain.NotActive, Problem(400, "not_active")),
    (domain.NotPaused, Problem(400, "not_paused")),
    (domain.BadSteps, INTERNAL),
    (domain.LeaseLost, Problem(503, "busy")),
    (domain.Refused, Problem(400, "refused")),
    (domain.BrokenStream, Problem(500, "log_damaged")),
    (application.DamagedStore, Problem(500, "log_damaged")),
    (application.DamagedEvent, Problem(500, "log_damaged")),
    (application.DamagedView, Problem(500, "log_damaged")),
    (application.Contended, Problem(503, "busy")),
    (application.InDoubt, Problem(503, "busy")),
    (application.StoreError, Problem(503, "log_unavailable")),
)
"""The first that fits counts; any other error is INTERNAL."""

CODES_OF_FIELDS = {"simulation_id": "bad_simulation_id", "mode": "bad_mode", "id": "job_not_found"}


def problem_of(error: Exception) -> Problem:
    """Return how an error is answered."""
    found = next((problem for kind, problem in PROBLEMS if isinstance(error, kind)), INTERNAL)
    if isinstance(error, http.BadField) and (code := CODES_OF_FIELDS.get(error.field)):
        return Problem(404 if code == "job_not_found" else 400, code)
    return found


def body_of(error: Exception, language: Language) -> dict[str, Any]:
    """Return the body that says what happened and what to do, and nothing of how it came to be."""
    status, code = problem_of(error)
    facts = getattr(error, "data", {})
    message = TROUBLES[code].message.said(language, **facts)
    return {
        "success": False,
        "error": message,
        "message": message,
        "error_code": code,
        "recovery_suggestion": TROUBLES[code].recovery.said(language, **facts),
        "status_code": status,
        "data": None,
    }


def note(error: Exception, what: str) -> None:
    """Tell the service's own log of what is no client's fault."""
    problem = problem_of(error)
    if problem == INTERNAL:
        logger.error("%s failed", what, exc_info=error)
    elif problem.status >= 500:
        logger.warning("%s failed: %s", what, error)
