"""A host whose steps are the commands of a pilot.toml."""

from __future__ import annotations

import logging
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from threading import Event

from pydantic import JsonValue, ValidationError

from resumelog.application.errors import CommandFailed
from resumelog.application.simulation import ALREADY, SimulationState, begun, seen
from resumelog.application.step_context import StepContext
from resumelog.application.steps import GaveUp, Step
from resumelog.domain.values import JsonObject, validation_text
from resumelog.infrastructure.gate import Ended
from resumelog.infrastructure.pilot_commands import StepCommand
from resumelog.infrastructure.pilot_placeholders import SIMULATION_ID, filled, why_unusable
from resumelog.infrastructure.pilot_tables import LOOK_LIMIT_S, Look

NO = 1
"""The exit code by which a command says no; any other but 0 is a failure."""
_FRAME = re.compile(r'^[\s|]*File ".*", line \d+|^\s+at ', re.MULTILINE)
"""A line in which Python, or Node and Java, say where an exception came from."""
_PIPED = re.compile(r"\s+\| ?")
"""How the parts of an exception group begin."""
_OURS = ("self", "percent", "resume_data")

logger = logging.getLogger("resumelog")


class CommandHost:
    """Knows simulations by a command, a folder, or any; ids that are paths or options by nothing."""

    def __init__(
        self, known: Path | StepCommand | None, steps: Mapping[str, Step], hurry: Event
    ) -> None:
        """Take where simulations are, or what tells, the chain, and what hurries its commands."""
        self._hurry = hurry
        self._known = known
        self.steps: Mapping[str, Step] = {name: _Guarded(step) for name, step in steps.items()}

    def hurry(self) -> None:
        """Let commands that were asked to stop wait for no grace any more; they are killed."""
        self._hurry.set()

    def exists(self, simulation_id: str) -> bool:
        """Tell whether there is such a simulation. Raises CommandFailed where nobody can tell."""
        if why_unusable(simulation_id):
            return False
        if isinstance(self._known, StepCommand):
            return says_yes(self._known, simulation_id)
        try:
            return self._known is None or (self._known / simulation_id).is_dir()
        except OSError:  # longer than a name may be
            return False


class _Guarded:
    """A step that no hostile id gets to, as one that was configured elsewhere."""

    def __init__(self, step: Step) -> None:
        self.limit_s, self._step = getattr(step, "limit_s", None), step
        self.counts_downtime = getattr(step, "counts_downtime", False)

    def __call__(self, context: StepContext) -> JsonValue:
        if why := why_unusable(context.simulation_id):
            raise GaveUp(f"the id {context.simulation_id!r} can't be handed to a command: {why}")
        result = self._step(context)
        assert not hasattr(result, "__await__"), "commands are waited for"
        return result


@dataclass(frozen=True)
class WorkStep:
    """Runs a command, unless its work is done; what tells that is asked before and after."""

    command: StepCommand
    check: StepCommand | None = None
    done_when: str | None = None

    def __call__(self, context: StepContext) -> JsonValue:
        """Do it. Raises CommandFailed, StopAsked."""
        if self._lacks(context) == "":
            return {**ALREADY, **self._file(context)}
        if context.resume_data is None:
            context.progress(0.0, context.step, stage=context.step)
        ended = well(self.command.run(context.simulation_id, context, reports=True))
        if lacks := self._lacks(context):
            raise CommandFailed(why=f"it ended well, but {lacks}")
        printed: JsonObject = {"printed": ended.printed} if ended.printed else {}
        return {**printed, **self._file(context)}

    def _lacks(self, context: StepContext) -> str | None:
        """Say what shows that it is not done; "" where it is, None where nothing can tell."""
        if self.done_when and not self._path(context).exists():
            return f"there is no {self._path(context)}"
        if self.check and not says_yes(self.check, context.simulation_id, context):
            return f"its check, {self.check.argv[0]}, says that it is not done"
        return "" if self.done_when or self.check else None

    def _file(self, context: StepContext) -> JsonObject:
        return {"file": str(self._path(context))} if self.done_when else {}

    def _path(self, context: StepContext) -> Path:
        name = filled(self.done_when or "", {SIMULATION_ID: context.simulation_id})
        return self.command.folder / name


@dataclass(frozen=True)
class StartStep:
    """Starts a simulation that doesn't run, after its last round."""

    command: StepCommand
    monitor: StepCommand
    look_limit_s: float

    def __call__(self, context: StepContext) -> JsonValue:
        """Do it. Raises CommandFailed, StopAsked."""
        state = state_of(self.monitor, context, self.look_limit_s)
        return begun(state, lambda from_round: self.start(context, from_round))

    def start(self, context: StepContext, from_round: int) -> None:
        """Run the command that starts it."""
        well(self.command.run(context.simulation_id, context, from_round=str(from_round)))


@dataclass(frozen=True)
class LookStep:
    """One look at a simulation; one that runs no more is started again where that is known how."""

    monitor: StepCommand
    look_limit_s: float
    start: StartStep | None = None

    def __call__(self, context: StepContext) -> JsonValue:
        """Look. Raises CommandFailed, GaveUp, StopAsked."""
        state, start = state_of(self.monitor, context, self.look_limit_s), self.start
        return seen(state, context, (lambda n: start.start(context, n)) if start else None)


def well(ended: Ended) -> Ended:
    """Return how a command ended that ended well. Raises CommandFailed with what it said last.

    Whoever may ask for a run's error may not see the service's files: stack frames go to the log.
    """
    if ended.code:
        told = ended._replace(errors=_without_frames(ended.errors))
        if told != ended:
            logger.warning("a command failed, %s", ended.why)
        raise CommandFailed(why=told.why)
    return ended


def _without_frames(said: str) -> str:
    """Return what was said but where it came from: indented lines beside frames, and headings."""
    if not _FRAME.search(said):
        return said
    lines = (_PIPED.sub("", line, count=1) for line in said.splitlines())
    headings = ("Traceback (most recent", "+")
    kept = (line for line in lines if not (line[:1].isspace() or line.startswith(headings)))
    return "\n".join(kept).strip()


def says_yes(command: StepCommand, simulation_id: str, context: StepContext | None = None) -> bool:
    """Tell whether a command exits with 0; 1 is a no. Raises CommandFailed, StopAsked."""
    ended = command.run(simulation_id, context, limit_s=LOOK_LIMIT_S)
    return ended.code != NO and not well(ended).code


def state_of(monitor: StepCommand, context: StepContext, limit_s: float) -> SimulationState:
    """Return where the monitor says that the simulation is. Raises CommandFailed, StopAsked."""
    ended = well(monitor.run(context.simulation_id, context, limit_s=limit_s))
    try:
        look = Look.model_validate_json(ended.printed)
        detail: dict[str, JsonValue] = look.model_extra or {}
        if taken := [name for name in detail if name in _OURS]:
            raise CommandFailed(
                why=f"the monitor's key {taken[0]!r} has another meaning; rename it"
            )
    except ValidationError as error:
        why = validation_text(error)
        raise CommandFailed(why=f"the monitor printed no state of a simulation: {why}") from None
    return SimulationState(look.status, look.round, look.rounds, look.error, detail, look.message)
