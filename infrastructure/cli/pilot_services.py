"""Where `resumelog pilot` finds its runs: in a log, or at a server."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol

from resumelog.infrastructure.cli.options import InputError

if TYPE_CHECKING:
    from resumelog.application.autopilot_runs import AutoPilot
    from resumelog.application.run_view import RunView

Facts = dict[str, Any]
"""What the server answers to a question for the status, be it asked or not."""


class Service(Protocol):
    """Does what is asked of a run. Raises what is refused."""

    def ask(self, verb: str, simulation_id: str, **wanted: object) -> None:
        """Do one of config, start, pause, resume, stop and reset."""
        ...

    def status(self, simulation_id: str) -> Facts:
        """Return how the run stands."""
        ...


class LogService:
    """Runs in a log, under whoever asks."""

    def __init__(self, pilot: AutoPilot, actor: str) -> None:
        """Take a pilot, which drives what it starts if it has a host."""
        self._pilot, self._actor = pilot, actor

    def ask(self, verb: str, simulation_id: str, **wanted: object) -> None:
        """Do it. Raises ResumelogError."""
        method = "configure" if verb == "config" else verb
        getattr(self._pilot, method)(simulation_id, actor=self._actor, **wanted)

    def status(self, simulation_id: str) -> Facts:
        """Return how the run stands in the log."""
        return facts_of(self._pilot.status(simulation_id))


def facts_of(run: RunView) -> Facts:
    """Return a run as documents have it."""
    return run.model_dump(mode="json")


def require_configured(facts: Facts) -> None:
    """Raise InputError for a run that nobody configured; a server tells it by having no dates."""
    if not facts.get("is_configured", "created_at" in facts):
        name = facts["simulation_id"]
        raise InputError(f"no run of {name} is configured; resumelog pilot config {name} auto")
