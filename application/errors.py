"""What can go wrong around the rules: the log, its store, and who works on it.

ResumelogError
├── Refused                        see resumelog.domain.errors
│   ├── BatchOver (NotRunning)     scenes are to be made (again) by a handle that has left
│   ├── AttemptOver                an attempt that took too long wants a file all the same
│   └── BadInput
│       ├── BadArgument            an option that can't be meant
│       ├── BadBatch, DuplicateExport   many exports that can't be run together
│       ├── NotScenes              what is given as scenes is no list of them
│       ├── NoVersion              what is to be exported has no names
│       └── NotExporter (TypeError)   what is to be made resumable exports nothing
├── JobNotFound, AmbiguousJob      a name that means no job, or several
├── AlreadyRunning                 another worker holds the job
├── SessionEntered                 the same attempt is begun a second time meanwhile
├── JobPaused                      somebody asked the worker to leave
├── ResultGone                     a scene takes from the stage before what was removed
├── SceneFileMissing               a scene was to make a file, and made none
├── NoOutput, OutputMissing        the job was begun without one; its exporter wrote none
├── NoResumer                      nothing was begun by the names of the old system
├── ReleaseFailed                  what an export had borrowed was not given back
├── ResourcesReleased              one more, once all were given back
├── CommandFailed                  a command that did the work ended badly
├── NoSuchSimulation, NoHost       the host doesn't know it; there is none to do its steps
├── StoreError
│   ├── StoreUnavailable           disk full, no permission, locked: nothing was written
│   │   ├── NoPlace                a folder, or in none: there can be no log at this path
│   │   └── TooMuchHeld            so many saves wait for the disk that no more are kept
│   ├── Contended                  other writers kept winning
│   ├── LostEvents                 what was acknowledged is gone: a crash under durability=normal
│   ├── InDoubt                    it stands there already, perhaps from an earlier try
│   ├── NotOurDatabase, NewerSchema, NoLog, UnknownStore, NoDriver, BadSetting
│   ├── ForkedLog, ClosedLog, NeverClosed
│   ├── NotSealed                  a store that keeps no seals
│   └── DamagedStore, DamagedEvent, DamagedView, PayloadGone
│       └── PayloadRemoved         on purpose: `resumelog clean`
├── BadPilotFile                   no pilot.toml that says how runs are driven
├── BadManifest                    no list of heads, or not as it was written
├── NoSceneContent                 what a scene says is needed, and the log does not hold it
├── NoOldForm                      no old file could hold it
├── ForeignFile                    another program's file stands where ours would go
├── BadStateFile                   a progress file of an old system that can't be imported
│   ├── NoStateFile                none there, or none that can be read
│   ├── DamagedStateFile           empty, cut off, altered
│   ├── ForeignStateFile           another program's
│   ├── NoWholeScene               scene files of which nothing can be taken
│   ├── UnsafeStateFile            instructions that the old system never wrote; none was run
│   └── BadStateProgress           the old system recorded what is no fraction
└── NotSaved                       the work is done, but part of its record is not on disk

SystemExit
├── Terminated                     SIGTERM or SIGHUP came; the exit code is 128 and the signal's number
└── BatchStopped                   raised in a worker once its StopFlag was set
"""

from __future__ import annotations

import shlex
import signal
from datetime import datetime
from uuid import UUID

from eventsourcing.persistence import (
    ConnectionPoolClosedError,
    DatabaseError,
    IntegrityError,
    MapperDeserialisationError,
    OperationalError,
)

from resumelog.domain.errors import BadInput, NotRunning, Refused, ResumelogError
from resumelog.domain.wording import agreeing, counted


class JobNotFound(ResumelogError):
    """No job has this name."""

    text = "no job is named {name!r}; `resumelog jobs` lists them"
    name: str


class AmbiguousJob(ResumelogError):
    """Several jobs have this name."""

    text = "{name!r} names several jobs; name one by its id: {candidates}"
    name: str
    candidates: str


class AlreadyRunning(ResumelogError):
    """Another worker is at it."""

    text = "is being worked on by {holder}; wait for it, or stop it first"
    holder: str
    is_own: bool = False

    def wording(self) -> str:
        """Nobody who waits for himself gets on."""
        if not self.is_own:
            return self.text
        return (
            "is being worked on by this very process ({holder}), in another thread or an outer block;"
            " waiting in it is of no use: leave that block first"
        )


class SessionEntered(ResumelogError):
    """What one `resume` returned is entered again before it was left."""

    text = "is being worked on by this very session; leave its block first, or call `resume` again"


class JobPaused(ResumelogError):
    """The worker leaves because somebody paused the job; `actor` and `reason` may be empty."""

    actor: str
    reason: str

    def wording(self) -> str:
        """Leave out who and why where that was not said."""
        by, why = " by {actor}" if self.actor else "", ": {reason}" if self.reason else ""
        return f"was paused{by}{why}; run it again to go on"


class NoOutput(ResumelogError):
    """An output is asked for, and the job was begun without one."""

    text = "has no output; name its path when it is resumed"


class NoResumer(ResumelogError):
    """Nothing was begun by the names of the old system."""

    text = "no export was begun in this thread or task; enter `resumable_export_context` first"


class OutputMissing(ResumelogError):
    """An exporter said that it is done, and there is no file."""

    text = (
        "ended without an error, but there is no file {output}; check where it was written to, and"
        " remove a file that was there before if it is to be made again"
    )
    output: str


class ResultGone(ResumelogError, LookupError):
    """A scene takes a result from the stage before that was removed from the log."""

    scene: str
    before: str
    why: str

    def wording(self) -> str:
        """Say how it is made again, by a name that a shell takes as it is."""
        named = shlex.join([self.before, self.scene]).replace("{", "{{").replace("}", "}}")
        return (
            "scene {scene!r} takes a result of {before} that is gone; make it again there, by"
            f" `resumelog regenerate {named} --run` or by `log.scenes.regenerate` and a run of"
            " that stage: {why}"
        )


class SceneFileMissing(BadInput):
    """A scene that was to write a file wrote none."""

    text = "scene {scene!r} wrote no file for {path}; write to the path that `artifact` gave"
    scene: str
    path: str


class AttemptOver(Refused):
    """An attempt that was let go goes on in its thread: its file would become the next one's."""

    text = "attempt {attempt} at scene {scene!r} took too long and was let go; let it end, it makes nothing any more"
    scene: str
    attempt: int


class BatchOver(NotRunning):
    """A handle that has left its batch can neither make scenes nor let them be made again."""

    command: str
    status: str

    def wording(self) -> str:
        """Say how it goes on from here."""
        left, again = "is {status}, and left by this handle; ", "open the batch again to make them"
        if self.command == "run":
            return f"{left}it has scenes to make: {again}"
        how = "`log.scenes.regenerate(project, stage, scenes)`"
        return f"{left}let scenes be made again with {how}, and {again}"


class BadArgument(BadInput):
    """An option that can't be meant."""

    text = "{option}={given!r} is no choice; {advice}"
    option: str
    given: object
    advice: str


class BadBatch(BadInput):
    """Exports that can't be run together as was asked."""

    text = "the exports can't be run: {why}"
    why: str


class NotScenes(BadInput):
    """What is given as the scenes is no list of them."""

    text = "the scenes are of the type {kind}; give a list with an entry for each scene"
    kind: str


class NoVersion(BadInput):
    """What is to be exported is no mapping, so that an exporter's callback has no place in it."""

    text = "the version is of the type {kind}, and no mapping; give a dict: {advice}"
    kind: str
    advice: str


class NotExporter(BadInput, TypeError):
    """What is to be made resumable exports nothing."""

    text = (
        "{what} can't be made resumable; give an object with a method export(version, output_path)"
    )
    what: str


class DuplicateExport(BadInput):
    """Two exports of one batch that would be the same job, or write the same file."""

    text = "exports {first} and {second} both have the {what} {value!r}; give each its own"
    first: int
    second: int
    what: str
    value: str


class ReleaseFailed(ResumelogError):
    """Resources that failed when they were released; `__cause__` is the group of their errors."""

    text = "{count} resources were not released: {failures}; clean up after them by hand"
    failures: str
    count: int


class ResourcesReleased(ResumelogError):
    """A resource that nobody would release."""

    text = "its resources are released, {name} comes too late; register it before the work ends"
    name: str


class CommandFailed(ResumelogError):
    """A command gave up, or said that it is done where it is not."""

    text = "{why}"
    why: str


class NoSuchSimulation(ResumelogError):
    """The host does not know this simulation."""

    text = "the host knows no such simulation; create it there first"


class NoHost(ResumelogError):
    """Whoever only controls runs can't do their steps."""

    text = "there is no host here to do its steps; ask the service that has one, or give a host"


class BadPilotFile(ResumelogError):
    """A file of steps that can't be used; `line` is None where no one line is to blame."""

    text = "{path}: {why}; {advice}"
    path: str
    why: str
    advice: str
    line: int | None

    def wording(self) -> str:
        """Name the line where there is one."""
        return "{path}, line {line}: {why}; {advice}" if self.line else self.text


class StoreError(ResumelogError):
    """The log can't be read or written."""


class StoreUnavailable(StoreError, OperationalError):
    """Nothing was written; it can be tried again once the reason is gone."""

    text = "the log {store} can't be written: {why}; {advice}"
    store: str
    why: str
    advice: str


class NoPlace(StoreUnavailable):
    """There can be no log at this path."""


class TooMuchHeld(StoreUnavailable):
    """A save that is neither written nor kept; what was kept before waits on.

    `held` bytes are kept, at most `limit`, and this save would keep `size` more.
    """

    text = (
        "{waiting} for the disk with {held:,} bytes, and at most {limit:,} bytes are kept in memory:"
        " {size:,} more are not, and the work ends here ({why}); {advice}"
    )
    waiting: str
    held: int
    limit: int
    size: int


class Contended(StoreError):
    """The bound on decisions was reached."""

    text = "other writers appended first {attempts} times in a row; try again"
    attempts: int


class InDoubt(StoreError, IntegrityError):
    """A store tried again after it had lost the answer, and met what stands there now.

    Either the first try was committed, or another writer was faster: read, and compare.
    """

    text = "the log {store} lost an answer, and holds these versions now; read them"
    store: str


class LostEvents(StoreError):
    """Events that this process had acknowledged are gone from the store."""

    text = (
        "version {version} of stream {stream} was acknowledged and is not there any more (a crash"
        " under durability=normal, a failover, a deletion); open the log again and run the job again"
    )
    stream: str
    version: int


class NotOurDatabase(StoreError):
    """A file or a schema that resumelog did not make."""

    text = "{store} is {what}; choose another path or schema"
    store: str
    what: str


class NewerSchema(StoreError):
    """A database that a newer resumelog made."""

    text = "{store} has schema {found}, this resumelog knows {known}; install a newer resumelog"
    store: str
    found: int
    known: int


class NeverClosed(StoreError):
    """Nobody left a batch or closed its log, where what waits is tried once more."""

    text = (
        "the log was never closed, which tries it once more; leave the batch, or the log, by `with`"
    )


class NoLog(StoreError):
    """Nothing to read."""

    text = "there is no log at {store}; name it with --db or RESUMELOG_URL"
    store: str


class UnknownStore(StoreError):
    """A URL that names no store."""

    text = (
        "{url!r} names no store; use a path, sqlite:///PATH,"
        " postgresql://USER@HOST/DATABASE?schema=NAME or memory:"
    )
    url: str


class NoDriver(StoreError):
    """PostgreSQL's driver is not installed."""

    text = (
        "{store} needs PostgreSQL's driver;"
        " pip install '.[postgres]' in the clone of resumelog, or pip install 'resumelog[postgres]'"
        " from an index"
    )
    store: str


class PayloadGone(StoreError, LookupError):
    """A value that was removed on purpose, or is missing."""

    text = "the value kept with event {version} of stream {stream} is gone; the event itself stays"
    stream: UUID
    version: int


class PayloadRemoved(PayloadGone):
    """A value that was given up on purpose."""

    text = (
        "the value kept with event {version} was removed on {at:%Y-%m-%d} by {actor}: {reason};"
        " its size and sha256 stay in the event, and what made it can be run again"
    )
    at: datetime
    actor: str
    reason: str


class NotSealed(StoreError):
    """Nothing to verify."""

    text = (
        "{store} keeps no seals, so nothing can be verified; keep the log in resumelog's own store"
    )
    store: str


class BadManifest(ResumelogError):
    """A list of heads that can't be trusted."""

    text = "the manifest {name} can't be used: {why}; take another copy of it"
    name: str
    why: str


class BadStateFile(ResumelogError):
    """A progress file of an old system that can't be imported. Nothing was written."""

    path: str


class NoStateFile(BadStateFile):
    """Nothing that can be read: missing, no permission, a folder, a pipe."""

    text = "the progress file {path} can't be read: {why}; name the one that the old system left"
    why: str


class DamagedStateFile(BadStateFile):
    """A file that is not as it was written."""

    text = (
        "the progress file {path} can't be used: {why}; nothing was imported; stop the old system if"
        " it still writes there, else take an older copy, or move it away and begin at 0"
    )
    why: str


class ForeignStateFile(BadStateFile):
    """A file that the old system never wrote."""

    text = (
        "{path} is no progress file: {why}; nothing of it was run or imported;"
        " name the one that the old system left"
    )
    why: str


class NoWholeScene(BadStateFile):
    """Scene files of which no entry can be taken; `doubts` say why."""

    text = "nothing of {path} can be imported: {why}; name a whole copy, or its plan, or begin anew"
    why: str
    doubts: tuple[str, ...]


class UnsafeStateFile(BadStateFile):
    """A pickle with other instructions than the old system's; none was run."""

    text = (
        "{path} is no progress file: {instruction} at byte {at} is an instruction that the old system"
        " never wrote, and that files hold which run code; nothing in it was run. Don't open it with"
        " the old system, and find out who wrote it"
    )
    instruction: str
    at: int


class BadStateProgress(BadStateFile):
    """What the old system recorded without looking."""

    text = (
        "the progress file {path} says {progress}, which is no number from 0.0 to 1.0;"
        " take an older copy, or move it away and begin at 0"
    )
    progress: str


class NoSceneContent(ResumelogError):
    """A log holds the keys of scenes, and what was made of them, but not what they say."""

    text = (
        "what scene {scene!r} says, as it was when it was made, is not in the log; hand in"
        " the plan (--plan)"
    )
    scene: str


class NoOldForm(ResumelogError):
    """What a log holds can't be said in the files of the old scene writer."""

    text = "can't be written as {file}: {why}; leave it out (--stage names one to write)"
    file: str
    why: str


class ForeignFile(ResumelogError):
    """A file that is not what was written there last."""

    text = (
        "{path} was written or changed by another program; move it away, name another folder, or say"
        " --force"
    )
    path: str


class ForkedLog(StoreError):
    """A child process uses the log that its parent opened."""

    text = "this log was opened in the parent process; open it again in this one"


class ClosedLog(StoreError, ConnectionPoolClosedError):
    """The log was closed already."""

    text = "the log is closed; open it again"


class DamagedStore(StoreError, DatabaseError):
    """The database itself is damaged."""

    text = "{store} is damaged: {why}; restore a copy of it"
    store: str
    why: str


class BadSetting(StoreError):
    """A variable of the environment that can't be used."""

    text = "the setting {name} can't be used: {why}"
    name: str
    why: str


class DamagedEvent(StoreError, MapperDeserialisationError):
    """A stored event that can't be decoded. Nothing is imported or guessed."""

    text = "event {version} of stream {stream} ({topic}) can't be read: {why}"
    topic: str
    stream: UUID | str
    version: int
    why: str


class DamagedView(StoreError, DatabaseError):
    """The list of jobs that is kept beside the log can't be read. The log itself may be intact."""

    text = "the list of jobs can't be read: {why}; `resumelog jobs --rebuild` makes it anew"
    why: str


class NotSaved(ResumelogError):
    """What is not on disk at the end: scenes, by key, or `count` saves of what has none."""

    count: int
    why: str
    scenes: tuple[str, ...] = ()

    def wording(self) -> str:
        """Name the first few."""
        what = counted(self.count, "scene" if self.scenes else "save", self.scenes)
        what = what.replace("{", "{{").replace("}", "}}")  # a key may hold them
        are = agreeing(self.count, "is", "are")
        return f"{what} {are} not on disk: {{why}}; mend that and run it again"


class Terminated(SystemExit):
    """The process was asked to end, in the middle of work."""

    def __init__(self, number: int) -> None:
        """Take the signal's number."""
        super().__init__(128 + number)
        self.signal = signal.Signals(number).name

    def __str__(self) -> str:
        """Name the signal."""
        return self.signal


class BatchStopped(SystemExit):
    """The exports that this one belongs to are ended, in the middle of work; says by what."""
