"""The tables of a pilot.toml: what may stand there, and its defaults. All times are seconds."""

from __future__ import annotations

from typing import Annotated, Any, Literal, Self

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Discriminator,
    Field,
    NonNegativeInt,
    PositiveFloat,
    PositiveInt,
    StringConstraints,
    Tag,
    model_validator,
)

from resumelog.application.pilot_options import PilotOptions
from resumelog.application.poll import DAY_S
from resumelog.infrastructure.pilot_placeholders import FROM_ROUND, SIMULATION_ID, require_known

LOOK_LIMIT_S = 60.0
GRACE_S = 2.0
NOT_NAMES = ("idle", "completed")

_Seconds = Annotated[float, Field(gt=0, allow_inf_nan=False)]
_Text = Annotated[str, StringConstraints(min_length=1, pattern=r"^[^\x00]*$")]


def _argv(*names: str) -> AfterValidator:
    def check(argv: list[str]) -> list[str]:
        require_known(argv[:1], ())
        require_known(argv, names)
        return argv

    return AfterValidator(check)


_Words = Annotated[list[_Text], Field(min_length=1)]
Argv = Annotated[_Words, _argv(SIMULATION_ID)]
StartArgv = Annotated[_Words, _argv(SIMULATION_ID, FROM_ROUND)]


def _path(path: str) -> str:
    require_known([path], (SIMULATION_ID,))
    return path


def _name(name: str) -> str:
    if name in NOT_NAMES:
        raise ValueError(
            f"no step may be called {name!r}, which a run is before or after all steps"
        )
    return name


class Table(BaseModel):
    """Unknown keys are refused."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)


class Command(Table):
    """A command with its arguments, started in `cwd` (from the file's folder) without a shell."""

    run: Argv
    cwd: _Text = "."
    environment: dict[str, str] = {}


class Work(Command):
    """A command that does a step; skipped where `done_when` is there, or `check` exits with 0."""

    limit_s: PositiveFloat | None = None
    done_when: Annotated[_Text, AfterValidator(_path)] | None = None
    check: Argv | None = None


class Start(Table):
    """A command that starts the simulation, and returns once it runs by itself."""

    run: StartArgv
    cwd: _Text = "."
    environment: dict[str, str] = {}
    limit_s: PositiveFloat | None = None


class Monitor(Command):
    """A command that prints where a simulation is, as JSON, asked every so often."""

    every_s: _Seconds = 30.0
    limit_s: PositiveFloat = 3 * DAY_S
    errors_max: PositiveInt = 10
    look_limit_s: _Seconds = LOOK_LIMIT_S


class OwnWork(Work):
    """A step of a chain of one's own."""

    name: Annotated[_Text, AfterValidator(_name)]


class OwnMonitor(Monitor):
    """A step of a chain of one's own that waits for something; told by its `every_s`."""

    name: Annotated[_Text, AfterValidator(_name)]
    every_s: _Seconds


class Folder(Table):
    """A simulation exists where this folder has a sub-folder of its name."""

    folder: _Text


def _kind_of_step(value: Any) -> str:
    return "monitor" if isinstance(value, dict) and "every_s" in value else "work"


def _kind_of_exists(value: Any) -> str:
    if isinstance(value, dict):
        return "folder" if "folder" in value else "command"
    return "any"


OwnStep = Annotated[
    Annotated[OwnWork, Tag("work")] | Annotated[OwnMonitor, Tag("monitor")],
    Discriminator(_kind_of_step),
]
Exists = Annotated[
    Annotated[Literal["any"], Tag("any")]
    | Annotated[Folder, Tag("folder")]
    | Annotated[Command, Tag("command")],
    Discriminator(_kind_of_exists),
]
TAGS = ("work", "monitor", "any", "folder", "command")


class PilotTables(Table):
    """A whole file: the default chain by `start`, `monitor` and `report`, or `steps` of one's own."""

    exists: Exists
    environment: dict[str, str] = {}
    grace_s: _Seconds = GRACE_S
    options: PilotOptions = PilotOptions()
    prepare: Work | None = None
    start: Start | None = None
    monitor: Monitor | None = None
    report: Work | None = None
    steps: Annotated[list[OwnStep], Field(min_length=1)] | None = None

    @model_validator(mode="after")
    def _one_chain(self) -> Self:
        chain = ("prepare", "start", "monitor", "report")
        named = [name for name in chain if getattr(self, name) is not None]
        if self.steps is None:
            missing = [f"[{name}]" for name in chain[1:] if name not in named]
            if missing:
                raise ValueError(f"{' and '.join(missing)} must be there, or [[steps]] of its own")
        elif named:
            raise ValueError(
                f"it has [[steps]] of its own, and [{named[0]}]: only one can be meant"
            )
        names = [step.name for step in self.steps or ()]
        if twice := {name for name in names if names.count(name) > 1}:
            raise ValueError(f"steps: the name {min(twice)!r} stands there twice")
        return self


class Look(BaseModel):
    """What a monitor prints; what else it prints is shown to whoever asks for the status."""

    model_config = ConfigDict(frozen=True, extra="allow")

    status: Literal["idle", "running", "completed", "failed"]
    round: NonNegativeInt = 0
    rounds: NonNegativeInt = 0
    error: str = ""
    message: str = ""
