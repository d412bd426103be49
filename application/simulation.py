"""A host whose simulations are prepared, started, watched to their last round, and reported."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from typing import Literal, NamedTuple

from pydantic import BaseModel, ConfigDict, JsonValue, PositiveFloat, PositiveInt

from resumelog.application.poll import DAY_S, Poll
from resumelog.application.step_context import StepContext
from resumelog.application.steps import GaveUp, Limited, Step
from resumelog.domain.values import JsonObject

ALREADY: JsonObject = {"skipped": True}
"""What a step returns whose work had been done before it began."""

SimulationStatus = Literal["idle", "running", "completed", "failed"]


class SimulationTimes(BaseModel):
    """Seconds: to prepare at most; between two looks at a simulation, and for all of them."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    prepare_limit_s: PositiveFloat = 1800.0
    poll_every_s: PositiveFloat = 30.0
    monitor_limit_s: PositiveFloat = 3 * DAY_S
    poll_errors_max: PositiveInt = 10


class SimulationState(NamedTuple):
    """Where a simulation is; `rounds` is 0 where nobody knows how many there are to be.

    It is "idle" where it doesn't run and is neither completed nor failed: not yet, or no more.
    """

    status: SimulationStatus
    round: int = 0
    rounds: int = 0
    error: str = ""
    detail: Mapping[str, JsonValue] = {}
    message: str = ""

    @property
    def is_whole(self) -> bool:
        """Tell whether it has gone through all its rounds."""
        return self.status == "completed" and self.round >= self.rounds

    @property
    def percent(self) -> float:
        """How far it is, 0 to 100."""
        return 100.0 * min(self.round, self.rounds) / self.rounds if self.rounds else 0.0

    @property
    def shown(self) -> dict[str, JsonValue]:
        """What clients show of it while it is watched."""
        return {**self.detail, "current_round": self.round, "total_rounds": self.rounds}


class Simulation(ABC):
    """A host with the default chain: a method a step, and what tells that a step is done already.

    A method is called again after a crash in its middle. Each may raise GaveUp where another try is
    of no use, and StopAsked once `context.should_stop()` says so.
    """

    times = SimulationTimes()

    @property
    def steps(self) -> Mapping[str, Step]:
        """The chain; the end is not among them."""
        times = self.times
        return {
            "preparing": Limited(self._preparing, times.prepare_limit_s),
            "starting": self._starting,
            "monitoring": Poll(
                self._look,
                every_s=times.poll_every_s,
                limit_s=times.monitor_limit_s,
                errors_max=times.poll_errors_max,
            ),
            "generating_report": self._reporting,
        }

    @abstractmethod
    def exists(self, simulation_id: str) -> bool:
        """Tell whether the host knows this simulation."""

    def owner(self, simulation_id: str) -> str | None:
        """Return whose it is; None where it is anybody's."""
        del simulation_id
        return None

    @abstractmethod
    def is_prepared(self, simulation_id: str) -> bool:
        """Tell whether there is nothing left to prepare."""

    @abstractmethod
    def prepare(self, context: StepContext) -> None:
        """Prepare it, and return once that is done."""

    @abstractmethod
    def state(self, simulation_id: str) -> SimulationState:
        """Return where it is; what this raises counts as a failed look."""

    @abstractmethod
    def start(self, context: StepContext, from_round: int) -> None:
        """Start it, from its first round (0) or after the one it stopped in; return once it runs."""

    @abstractmethod
    def report(self, simulation_id: str) -> JsonValue:
        """Return the finished report, or what names it; None without one."""

    @abstractmethod
    def write_report(self, context: StepContext) -> None:
        """Write the report, and return once it is finished."""

    # The chain

    def _preparing(self, context: StepContext) -> JsonValue:
        if self.is_prepared(context.simulation_id):
            return ALREADY
        self.prepare(context)
        if not self.is_prepared(context.simulation_id):
            context.require_going_on()
            raise RuntimeError("it is not prepared after all")
        return {}

    def _starting(self, context: StepContext) -> JsonValue:
        return begun(self.state(context.simulation_id), lambda n: self.start(context, n))

    def _look(self, context: StepContext) -> JsonValue:
        return seen(self.state(context.simulation_id), context, lambda n: self.start(context, n))

    def _reporting(self, context: StepContext) -> JsonValue:
        if self.report(context.simulation_id) is None:
            context.progress(0, "writing the report", stage="writing")
            self.write_report(context)
        report = self.report(context.simulation_id)
        if report is None:
            context.require_going_on()
            raise RuntimeError("there is no report after all")
        return {"report": report}


def begun(state: SimulationState, start: Callable[[int], object]) -> JsonValue:
    """Start what neither runs nor is whole: after its last round, or anew where too few were made."""
    if state.status == "running" or state.is_whole:
        return ALREADY
    from_round = 0 if state.status == "completed" else state.round
    start(from_round)
    return {"from_round": from_round}


def seen(
    state: SimulationState, context: StepContext, start: Callable[[int], object] | None = None
) -> JsonValue:
    """Tell how far it is; return that once it is completed, else None. Raises GaveUp if it failed.

    One that runs no more, as after a power loss, is started again after its last round, or anew where
    it says that it is completed with too few of them; that counts as a look that failed.
    """
    message = state.message or f"{state.round}/{state.rounds}"
    context.progress(state.percent, message, resume_data=state.round, **state.shown)
    if state.status == "failed":
        raise GaveUp(f"the simulation failed in round {state.round}: {state.error}")
    if state.is_whole:
        return {**state.shown}
    if state.status == "running":
        return None
    why = f"the simulation does not run any more, after round {state.round}"
    if start is None:
        raise RuntimeError(why)
    begun(state, start)
    raise RuntimeError(f"{why}; it was started again")
