"""One simulation, driven through its steps.

    inactive ──Started──▶ active ⇄ paused (Paused, Resumed) · ──Recovered──▶ active
    active, paused ──Stopped──▶ inactive: what is completed stays completed
    active ──Completed──▶ completed · ──Failed──▶ failed ──Started──▶ active, at the failed step
    any ──Reset──▶ inactive, at the first step; a completed run is left in no other way
The steps are data: a chain of names whose last is the end and has no work of its own.
"""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Any, get_args
from uuid import UUID

from pydantic import JsonValue

from resumelog.domain.aggregate import Draft, EventSourced, draft, evolves
from resumelog.domain.autopilot_events import (
    Completed,
    Configured,
    Failed,
    Mode,
    Paused,
    PollFailed,
    ProgressSaved,
    Recovered,
    Reset,
    Resumed,
    Started,
    StepCompleted,
    StepFailed,
    StepStarted,
    Stopped,
)
from resumelog.domain.errors import (
    BadField,
    BadMode,
    BadSteps,
    ModeNotAuto,
    ModeNotManual,
    NotActive,
    NotPaused,
    PercentOutOfRange,
    StepOutOfOrder,
)
from resumelog.domain.events import DomainEvent, Events
from resumelog.domain.run_state import RunState, comes_to
from resumelog.domain.values import Claim, JsonObject, Payload, Worker, checked_key, error_text

DEFAULT_STEPS = ("preparing", "starting", "monitoring", "generating_report", "completed")
IDLE = "idle"
SECONDS_MAX = 1e12


class RunStatus(StrEnum):
    """Where a run stands."""

    INACTIVE = "inactive"
    ACTIVE = "active"
    PAUSED = "paused"
    COMPLETED = "completed"
    FAILED = "failed"


class AutoPilotRun(EventSourced):
    """The state of one run and its rules. `percent` is 0–100 and belongs to the current step.

    So do its times: `active_s`, at work as its workers counted it; `down_s`, by the wall clock, from
    what a worker that was cut off had counted to the next worker, without pauses; `uncounted_s`, the
    part of that before a pause.
    """

    kind = "AutoPilotRun"
    noun = "auto_pilot"
    key_fields = ("simulation_id",)
    origins = (Reset,)
    finished = frozenset({RunStatus.COMPLETED})
    at_work = frozenset({RunStatus.ACTIVE, RunStatus.PAUSED})
    at_rest = RunStatus.INACTIVE

    def __init__(self, id: UUID, natural_key: tuple[str, ...] = ()) -> None:  # noqa: A002 - see EventSourced
        """Begin inactive, in manual mode."""
        super().__init__(id, natural_key)
        self.status = RunStatus.INACTIVE
        self.mode: Mode = "manual"
        self.steps: tuple[str, ...] = DEFAULT_STEPS
        self.step = IDLE
        self.completed: dict[str, StepCompleted] = {}
        self.attempts: dict[str, int] = {}
        self.failures = 0
        self.polls_failed = 0
        self.active_s = self.down_s = self.uncounted_s = 0.0
        self.counted_until: datetime | None = None
        self.progress: ProgressSaved | None = None
        self.error = ""
        self.error_step: str | None = None
        self.configured_at: datetime | None = None
        self.started_at: datetime | None = None

    @property
    def next_step(self) -> str:
        """The first step that is not completed; the chain's last name when all are."""
        remaining = (step for step in self.steps if step not in self.completed)
        return next(remaining, (IDLE, *self.steps)[-1])

    @property
    def was_begun(self) -> bool:
        """Tell whether a worker drove it since it was configured or reset."""
        return "worker" in self.decided_by

    @property
    def last_completed_step(self) -> str:
        """The step completed last, "idle" at first."""
        return next(reversed(self.completed), IDLE)

    # Control commands: no lease, but an actor

    def configure(self, mode: Mode, actor: str, at: datetime) -> Events:
        """Choose auto or manual; manual on an active run pauses it there. Raises BadMode."""
        if mode not in get_args(Mode):
            raise BadMode(self.title, mode=mode)
        if mode == self.mode and self.version:
            return ()
        key = self.natural_key[0]
        configured = draft(Configured, simulation_id=key, mode=mode, actor=actor)
        pauses = mode == "manual" and self.status is RunStatus.ACTIVE
        paused = draft(Paused, reason="configured to manual", actor=actor)
        return self.new(at, configured, *((paused,) if pauses else ()))

    def pause(self, reason: str, actor: str, at: datetime) -> Events:
        """Ask the worker to stop at its next safe point. Raises NotActive where nothing runs."""
        if self.status is RunStatus.PAUSED:
            return ()
        self._require_active("pause")
        return self.new(at, draft(Paused, reason=error_text(reason), actor=actor))

    def resume(self, actor: str, at: datetime) -> Events:
        """Let a paused run go on. Raises NotPaused where nothing is to go on."""
        if self.status is RunStatus.ACTIVE:
            return ()
        if self.status is not RunStatus.PAUSED:
            raise NotPaused(self.title, status=self.status)
        return self.new(at, draft(Resumed, actor=actor))

    def stop(self, actor: str, at: datetime) -> Events:
        """Give it up for now; a worker that is still at it is refused from here on."""
        if self.status not in self.at_work:
            return ()
        return self.new(at, draft(Stopped, actor=actor, epoch=self.epoch + 1))

    def reset(self, actor: str, at: datetime) -> Events:
        """Forget all but the mode; a worker that is still at it is refused from here on."""
        if not self.was_begun:
            return ()
        return self.new(at, self._reset(actor, self.epoch + 1))

    def import_state(self, state: RunState, by: Worker, at: datetime) -> Events:
        """Begin where the old autopilot stopped; whoever starts, resumes or recovers it goes on there.

        What the file dates keeps its time. The same file again appends nothing. Raises
        AlreadyRecorded, TooLarge, BadField.
        """
        dated = [*comes_to(state, by)]
        imported, *others = self.import_from(
            state.source,
            state.sha256,
            at,
            *(each for each, _ in dated),
            recorded_at=state.recorded_at,
            recorded=state.recorded,
        ) or (None,)
        if imported is None:
            return ()
        times = (time or at for _, time in dated)
        pairs = zip(others, times, strict=True)
        return (imported, *(each.model_copy(update={"timestamp": time}) for each, time in pairs))

    # A worker's commands: under its claim

    def start(
        self,
        by: Claim,
        at: datetime,
        *,
        forced: bool = False,
        steps: tuple[str, ...] = DEFAULT_STEPS,
        actor: str = "",
    ) -> Events:
        """Drive the run: from its first step when forced, else after the last completed one.

        A paused run is resumed, an active one taken over, a completed one left as it is unless
        forced. Raises ModeNotAuto, BadSteps, LeaseLost.
        """
        if self.mode != "auto":
            raise ModeNotAuto(self.title, mode=self.mode)
        return self._begin(by, at, forced=forced, steps=steps, actor=actor)

    def step_by_hand(
        self, by: Claim, at: datetime, *, steps: tuple[str, ...] = DEFAULT_STEPS, actor: str = ""
    ) -> Events:
        """Begin as `start` does, in manual mode. Raises ModeNotManual, BadSteps, LeaseLost."""
        if self.mode != "manual" or not self.version:
            raise ModeNotManual(self.title, mode=self.mode if self.version else "not configured")
        return self._begin(by, at, forced=False, steps=steps, actor=actor)

    def _begin(
        self, by: Claim, at: datetime, *, forced: bool, steps: tuple[str, ...], actor: str
    ) -> Events:
        if by.epoch == self.epoch and self.status is RunStatus.ACTIVE:
            return ()
        self.require_newer(by)
        chain = self._chain(steps)
        started = draft(Started, epoch=by.epoch, forced=forced, steps=chain, worker=by.worker)
        if forced and self.was_begun:
            return self.new(at, self._reset(actor or str(by.worker), by.epoch), started)
        if self.status is RunStatus.COMPLETED:
            return ()
        if self.status is RunStatus.PAUSED:
            resumed = draft(Resumed, actor=actor or str(by.worker))
            return self.new(at, resumed, self._recovered(by))
        if self.status is RunStatus.ACTIVE:
            return self.new(at, self._recovered(by))
        over = {*chain[:-1]} <= {*self.completed}
        completed = (draft(Completed, epoch=by.epoch),) if over else ()
        return self.new(at, started, *completed)

    def recover(self, by: Claim, at: datetime) -> Events:
        """Take an active run over from a worker that is gone; nothing for any other run."""
        if self.status is not RunStatus.ACTIVE or by.epoch == self.epoch:
            return ()
        self.require_newer(by)
        return self.new(at, self._recovered(by))

    def start_step(self, step: str, attempt: int, by: Claim, at: datetime) -> Events:
        """Begin the step whose turn it is, for the nth time. Raises StepOutOfOrder for any other."""
        self.require_claim(by)
        self._require_active("start a step")
        if step != self.next_step or step == self.steps[-1]:
            raise StepOutOfOrder(self.title, step=step, expected=self.next_step)
        if attempt <= self.attempts.get(step, 0):
            return ()
        return self.new(at, draft(StepStarted, epoch=by.epoch, step=step, attempt=attempt))

    def save_progress(
        self,
        percent: float,
        by: Claim,
        at: datetime,
        *,
        message: str = "",
        detail: JsonObject | None = None,
        resume_data: JsonValue = None,
        active_s: float = 0.0,
    ) -> Events:
        """Record how far the current step is; `active_s` counts from the step's first attempt."""
        self._require_step("save progress", by)
        number = isinstance(percent, int | float) and not isinstance(percent, bool)
        if not number or not 0 <= percent <= 100:
            raise PercentOutOfRange(self.title, percent=percent)
        self.require_json("the progress detail", detail)
        self.require_json("the resume data", resume_data)
        facts: dict[str, Any] = {
            "step": self.step,
            "percent": float(percent),
            "message": error_text(message),
            "detail": detail or {},
            "resume_data": resume_data,
            "active_s": self._forward(active_s),
        }
        told = self.progress  # a start counts its time anew, and keeps what to go on from
        if told and told.active_s == self.active_s and facts.items() <= dict(told).items():
            return ()
        return self.new(at, draft(ProgressSaved, epoch=by.epoch, **facts))

    def poll_failed(self, error: object, in_a_row: int, by: Claim, at: datetime) -> Events:
        """Record the nth failed look in a row."""
        self._require_step("record a failed poll", by)
        if in_a_row == self.polls_failed:
            return ()
        text = error_text(error)
        return self.new(
            at,
            draft(PollFailed, epoch=by.epoch, step=self.step, error=text, in_a_row=in_a_row),
        )

    def complete_step(
        self,
        step: str,
        by: Claim,
        at: datetime,
        *,
        result: Payload | None = None,
        active_s: float = 0.0,
    ) -> Events:
        """Record that a step is done, and with the last one the run."""
        self.require_claim(by)
        if step in self.completed:
            return ()
        self._require_step("complete a step", by, step)
        active_s = self._forward(active_s)
        done = draft(StepCompleted, epoch=by.epoch, step=step, result=result, active_s=active_s)
        last = {*self.completed, step} >= {*self.steps[:-1]}
        return self.new(at, done, *((draft(Completed, epoch=by.epoch),) if last else ()))

    def fail_step(
        self, step: str, error: object, attempts_max: int, by: Claim, at: datetime
    ) -> Events:
        """Record that an attempt failed, and with the last failure allowed that the run did.

        Attempts that a pause or a kill ended are no failures.
        """
        self.require_claim(by)
        attempt, text = self.attempts.get(step, 0), error_text(error)
        if self.error_step == step and self.step != step:
            return ()
        self._require_step("fail a step", by, step)
        failed = draft(StepFailed, epoch=by.epoch, step=step, error=text, attempt=attempt)
        gives_up = draft(Failed, epoch=by.epoch, step=step, error=text)
        return self.new(at, failed, *((gives_up,) if self.failures + 1 >= attempts_max else ()))

    # Rules

    def _reset(self, actor: str, epoch: int) -> Draft:
        simulation_id = self.natural_key[0]
        return draft(Reset, epoch=epoch, simulation_id=simulation_id, mode=self.mode, actor=actor)

    def _recovered(self, by: Claim) -> Draft:
        return draft(Recovered, epoch=by.epoch, from_step=self.next_step, worker=by.worker)

    def _require_active(self, command: str) -> None:
        if self.status is not RunStatus.ACTIVE:
            raise NotActive(self.title, command=command, status=self.status)

    def _require_working(self, command: str, by: Claim) -> None:
        """What a step does until it notices a pause is still recorded."""
        self.require_claim(by)
        if self.status is not RunStatus.PAUSED:
            self._require_active(command)

    def _require_step(self, command: str, by: Claim, step: str | None = None) -> None:
        self._require_working(command, by)
        if self.step not in self.steps or (step or self.step) != self.step:
            raise StepOutOfOrder(self.title, step=step or self.step, expected=self.next_step)

    def _chain(self, steps: tuple[str, ...]) -> tuple[str, ...]:
        chain = tuple(checked_key(step, "the step") for step in steps)
        if len(chain) < 2 or len({*chain}) < len(chain) or IDLE in chain:
            raise BadSteps(self.title, steps=chain)
        return chain

    def _forward(self, active_s: float) -> float:
        """Time at work never runs backwards."""
        if not isinstance(active_s, int | float) or not 0 <= active_s <= SECONDS_MAX:
            raise BadField(self.title, why=f"active_s {active_s!r} is no number of seconds")
        return max(self.active_s, float(active_s))

    # Evolve

    @evolves
    def _configured(self, event: Configured) -> None:
        self.natural_key, self.mode = (event.simulation_id,), event.mode
        self.configured_at = self.configured_at or event.timestamp
        self.decided_by["mode"] = event

    @evolves
    def _started(self, event: Started) -> None:
        self.steps = event.steps
        self.completed = {step: by for step, by in self.completed.items() if step in event.steps}
        self.error, self.error_step = "", None
        self.step, self.polls_failed, self.failures = IDLE, 0, 0
        self._counts_anew(event)
        self.attempts.pop(self.next_step, None)
        self.started_at = event.timestamp
        self._worked_on_by(event.worker, event)
        self._became(RunStatus.ACTIVE, event)

    @evolves
    def _recovered_again(self, event: Recovered) -> None:
        down_s, self.uncounted_s = self.uncounted_s + self._lapse_s(event), 0.0
        if self.attempts.get(self.next_step):
            self.down_s += down_s
        self.step, self.counted_until = IDLE, event.timestamp
        self._worked_on_by(event.worker, event)

    @evolves
    def _step_started(self, event: StepStarted) -> None:
        self.step, self.attempts[event.step] = event.step, event.attempt
        if event.attempt == 1:  # else looks fail on in a row, over restarts and pauses
            self.polls_failed = 0
        self.uncounted_s, self.counted_until = 0.0, event.timestamp
        self.decided_by["step"] = self.decided_by["attempt"] = event

    @evolves
    def _progress_saved(self, event: ProgressSaved) -> None:
        self.progress, self.active_s = event, event.active_s
        self.uncounted_s, self.counted_until = 0.0, event.timestamp
        self.polls_failed, self.error = 0, ""

    @evolves
    def _poll_failed(self, event: PollFailed) -> None:
        self.polls_failed, self.error = event.in_a_row, event.error

    @evolves
    def _step_completed(self, event: StepCompleted) -> None:
        self.completed[event.step] = event
        self.step, self.error, self.error_step = IDLE, "", None
        self.progress, self.polls_failed, self.failures = None, 0, 0
        self._counts_anew(event)
        self.decided_by.pop("attempt", None)
        self.decided_by["step"] = event

    @evolves
    def _step_failed(self, event: StepFailed) -> None:
        self.step, self.error, self.error_step = IDLE, event.error, event.step
        self.failures += 1
        self.decided_by["step"] = event

    @evolves
    def _paused(self, event: Paused) -> None:
        self.uncounted_s += self._lapse_s(event)
        self._became(RunStatus.PAUSED, event)

    @evolves
    def _resumed(self, event: Resumed) -> None:
        self.counted_until = event.timestamp
        self._became(RunStatus.ACTIVE, event)

    @evolves
    def _stopped(self, event: Stopped) -> None:
        self.epoch = event.epoch or 0
        self._became(RunStatus.INACTIVE, event)

    @evolves
    def _failed(self, event: Failed) -> None:
        self.error, self.error_step = event.error, event.step
        self._became(RunStatus.FAILED, event)

    @evolves
    def _completed(self, event: Completed) -> None:
        self.step = (IDLE, *self.steps)[-1]
        self._became(RunStatus.COMPLETED, event)

    @evolves
    def _was_reset(self, event: Reset) -> None:
        self.begin_anew((event.simulation_id,))
        self.configured_at = event.timestamp
        self.mode, self.epoch = event.mode, event.epoch or 0
        self._became(RunStatus.INACTIVE, event)

    def _counts_anew(self, event: DomainEvent) -> None:
        self.active_s = self.down_s = self.uncounted_s = 0.0
        self.counted_until = event.timestamp

    def _lapse_s(self, event: DomainEvent) -> float:
        """How long an active run has not been counted; a wall clock that was put back counts nothing."""
        if self.status is not RunStatus.ACTIVE or self.counted_until is None:
            return 0.0
        return max(0.0, (event.timestamp - self.counted_until).total_seconds())
