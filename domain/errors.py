"""What the domain refuses. A refused command leaves the log as it was.

ResumelogError
├── BrokenStream                 events of a stream are missing or twice
└── Refused                      the rules say no; `job` names the stream
    ├── BadInput (ValueError)    the value itself is wrong
    │   ├── BadKey, DuplicateScene, UnknownScene, TooManyScenes, BadSteps, BadMode
    │   ├── PercentOutOfRange, ProgressOutOfRange, ProgressFell, UnitsOutOfRange, UnitsTotalChanged, UnitsRemain
    │   └── TooLarge, NotJson, BadField, NothingToFork
    ├── WrongState               not in this status
    │   ├── NotBegun, NotRunning, NotActive, NotPaused, NotFinished, AlreadyRecorded
    │   ├── SceneAlreadyCompleted, StepOutOfOrder, InputsChanged
    │   ├── ModeNotAuto, ModeNotManual
    └── LeaseLost                a worker with a newer epoch has taken over
"""

from __future__ import annotations

from typing import Any, ClassVar


class ResumelogError(Exception):
    """Root of every error that resumelog raises itself.

    The keyword arguments become attributes and fill the class's `text`.
    """

    text: ClassVar[str] = ""

    def __init__(self, job: str = "", **data: Any) -> None:
        """Name the job and keep `data` as attributes."""
        self.job = job
        self.data = data
        self.__dict__.update(data)
        message = self.wording().format(job=job, **data)
        super().__init__(f"{job}: {message}" if job else message)

    def wording(self) -> str:
        """Return the text that the data is filled into."""
        return self.text

    def __reduce__(self) -> tuple[Any, ...]:
        """Pickle by data, so that errors cross process boundaries."""
        return _rebuild, (type(self), self.job, self.data)


def _rebuild(error: type[ResumelogError], job: str, data: dict[str, Any]) -> ResumelogError:
    return error(job, **data)


class BrokenStream(ResumelogError):
    """An event is missing, or there twice."""

    text = "version {after} follows version {before}: the log is damaged; restore a copy of it"
    before: int
    after: int


class Refused(ResumelogError):
    """A rule of the domain says no."""


class BadInput(Refused, ValueError):
    """The value that was handed in can't be recorded."""


class WrongState(Refused):
    """The command is impossible in the job's present status."""


class BadKey(BadInput):
    """A natural key that can't name a stream."""

    text = "{what} {key!r} can't name a job: {why}"
    what: str
    key: object
    why: str


class BadField(BadInput):
    """A value that an event can't hold."""

    text = "can't be recorded: {why}"
    why: str


class NothingToFork(BadInput):
    """No events, or not from the first one on."""

    text = "a fork needs the events of a stream from its first one on"


class NotJson(BadInput):
    """A value that JSON can't hold."""

    text = "{what} can't be kept as JSON: {why}"
    what: str
    why: str


class TooLarge(BadInput):
    """A value over its limit in bytes."""

    text = "{what} takes {size} bytes, the limit is {limit}; keep it in a file and record its path"
    what: str
    size: int
    limit: int


class ProgressOutOfRange(BadInput):
    """Not a finite number from 0 to 1."""

    text = "progress {progress!r} is not a number from 0.0 to 1.0; report the fraction that is done"
    progress: object


class PercentOutOfRange(BadInput):
    """Not a finite number from 0 to 100."""

    text = "percent {percent!r} is not a number from 0 to 100; report the part that is done"
    percent: object


class ProgressFell(BadInput):
    """Less than what this attempt already recorded."""

    text = (
        "progress fell from {before} to {after}; to begin again at 0 restart the job"
        " (`begin_again`, or `clear_state` of the old system)"
    )
    before: float
    after: float


class UnitsOutOfRange(BadInput):
    """Unit counts that are not 0 <= done <= total, total >= 1."""

    text = (
        "{units_done!r} of {units_total!r} units is no count; report 0 <= done <= total, total >= 1"
    )
    units_done: object
    units_total: object

    def wording(self) -> str:
        """Say how a total is given where that is what is missing."""
        if self.units_done is self.units_total is None:
            return (
                "units were counted, and a fraction alone is refused; report `units_done=` as well"
            )
        if self.units_total is not None or type(self.units_done) is not int:
            return self.text
        return (
            "{units_done!r} units are done of an unknown number; give `units_total=` as well, or loop"
            " over `remaining(total)`"
        )


class UnitsTotalChanged(BadInput):
    """The same input can't have another number of units."""

    text = "the number of units changed from {before} to {after}; restart the job to begin again"
    before: int
    after: int


class UnitsRemain(BadInput):
    """Completed with units left to do."""

    text = "{units_done} of {units_total} units are done; save the others before completing"
    units_done: int
    units_total: int


class UnknownScene(BadInput):
    """A scene key that the plan doesn't hold."""

    text = "scene {scene!r} is not in the plan; open the batch with it first"
    scene: str


class DuplicateScene(BadInput):
    """Two scenes with one key."""

    text = (
        "scene index {first} and scene index {second} both have the key {scene!r};"
        " give each scene its own id"
    )
    scene: str
    first: int
    second: int


class TooManyScenes(BadInput):
    """A plan over its limit."""

    text = "{count} scenes are more than the limit of {limit}; split the batch"
    count: int
    limit: int


class BadMode(BadInput):
    """Neither auto nor manual."""

    text = "mode {mode!r} is unknown; choose auto or manual"
    mode: object


class BadSteps(BadInput):
    """A chain of steps that can't be run."""

    text = "steps {steps!r} are no chain: name one or more steps and the end, each once"
    steps: tuple[str, ...]


class NotBegun(WrongState):
    """A worker's command before its epoch was recorded."""

    text = "epoch {epoch} has not begun here (the log is at {current}); begin the work first"
    epoch: int
    current: int


class NotRunning(WrongState):
    """Only a running job can do this."""

    command: str
    status: str

    def wording(self) -> str:
        """A pause needs no beginning first: there is nothing to do."""
        if self.command == "pause":
            return "is {status}, and nobody works on it; there is nothing to pause until it is run"
        return "can't {command} while {status}; begin or resume it first"


class NotActive(WrongState):
    """Only an active run can do this."""

    text = "can't {command} while {status}; start the run first"
    command: str
    status: str


class NotPaused(WrongState):
    """Only a paused job can be resumed."""

    text = "can't resume while {status}; only a paused job can be resumed"
    status: str


class NotFinished(WrongState):
    """Only a finished job can do this."""

    text = "can't {command} while {status}; the job must have finished first"
    command: str
    status: str


class AlreadyRecorded(WrongState):
    """An import or a fork onto a stream that has events."""

    text = "has {version} events already; choose a key that is not in use"
    version: int


class SceneAlreadyCompleted(WrongState):
    """Another result for a scene that is done."""

    text = "scene {scene!r} is completed since version {version}; regenerate it to make it again"
    scene: str
    version: int


class ModeNotAuto(WrongState):
    """Only a run in auto mode starts by itself."""

    text = "mode is {mode}, not auto; configure the run with mode auto first"
    mode: str


class ModeNotManual(WrongState):
    """Only a run in manual mode does one step at a time."""

    text = "mode is {mode}, not manual; configure the run with mode manual first"
    mode: str


class StepOutOfOrder(WrongState):
    """Not the step whose turn it is."""

    text = "step {step!r} is out of order; the next is {expected!r}"
    step: str
    expected: str


class InputsChanged(WrongState):
    """The job belongs to another input, and the caller refuses to begin again."""

    text = "{reason}; let it restart, or use another key"
    reason: str


class LeaseLost(Refused):
    """A worker with a newer epoch has taken over; this one must stop."""

    text = "epoch {epoch} is over, the log is at epoch {current}; stop this worker"
    epoch: int
    current: int
