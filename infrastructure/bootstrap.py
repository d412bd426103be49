"""The one place where the parts are put together."""

from __future__ import annotations

import os
import re
from collections.abc import Collection, Sequence
from contextlib import ExitStack
from datetime import timedelta
from pathlib import Path
from types import TracebackType
from typing import Self

from eventsourcing.persistence import InfrastructureFactoryError
from eventsourcing.utils import Environment
from pydantic import JsonValue, ValidationError

from resumelog.application.audit import Audit
from resumelog.application.autopilot_runs import CLOSE_S, AutoPilot
from resumelog.application.clean_report import CleanReport
from resumelog.application.cleaning import Cleaning
from resumelog.application.errors import (
    BadSetting,
    NoDriver,
    NoLog,
    StoreUnavailable,
    UnknownStore,
)
from resumelog.application.event_log import EventLog
from resumelog.application.export_jobs import ExportJobs
from resumelog.application.job_list import JobList
from resumelog.application.pilot_options import PilotOptions
from resumelog.application.ports import Clock, JobsView
from resumelog.application.queries import Queries
from resumelog.application.scene_batches import SceneBatches
from resumelog.application.steps import Host
from resumelog.domain.autopilot_run import AutoPilotRun
from resumelog.domain.errors import ResumelogError
from resumelog.domain.events import Events
from resumelog.domain.values import validation_text
from resumelog.infrastructure.artifacts import FileArtifacts
from resumelog.infrastructure.clock import SystemClock
from resumelog.infrastructure.settings import DEFAULT_URL, Settings, without_password
from resumelog.infrastructure.signals import termination
from resumelog.infrastructure.storage.lease_table import MemoryLeaseTable
from resumelog.infrastructure.storage.leases import TableLeases
from resumelog.infrastructure.storage.memory_jobs import MemoryJobsView
from resumelog.infrastructure.storage.remains import LeaseRemains
from resumelog.infrastructure.storage.sqlite.schema import is_there
from resumelog.infrastructure.transfer.export_state import read_export_state
from resumelog.infrastructure.transfer.run_state import read_run_state
from resumelog.infrastructure.transfer.scene_files import WrittenFiles
from resumelog.infrastructure.transfer.scene_folder import (
    ImportedStage,
    export_folder,
    import_folder,
)

# Prefixed by the application's name, as eventsourcing reads them first.
MAPPER = {"RESUMELOG_MAPPER_TOPIC": "resumelog.infrastructure.storage.mapper:EventMapper"}
MEMORY = {"RESUMELOG_PERSISTENCE_MODULE": "eventsourcing.popo"}
SQLITE = {"RESUMELOG_PERSISTENCE_MODULE": "resumelog.infrastructure.storage.sqlite"}
NO_PATH = re.compile(r"[A-Za-z]{2,}:/|(?:file|sqlite|postgres(?:ql)?):", re.IGNORECASE)
"""The URL of another store, or of one of ours without its `//`: none of them is meant as a file."""
STORES = ("SQLITE", "POSTGRES")
POSTGRES = {"RESUMELOG_PERSISTENCE_MODULE": "resumelog.infrastructure.storage.postgres"}


class ResumeLog:
    """An open log: `exports`, `scenes`, `autopilot(host)`, `queries`, `audit`. Close it, or use `with`."""

    def __init__(
        self, log: EventLog, view: JobsView, leases: TableLeases, clock: Clock, root: Path
    ) -> None:
        """Put the services together; `open` makes the parts."""
        self.log, self.view, self.leases, self.clock = log, view, leases, clock
        artifacts = FileArtifacts(root)
        self.exports = ExportJobs(log, leases, clock, artifacts, termination())
        self._listed = JobList(log, view)
        self.scenes = SceneBatches(log, self._listed, leases, clock, artifacts, termination())
        self.queries = Queries(log, self._listed)
        self.audit = Audit(log)
        self._pilots: list[AutoPilot] = []

    def autopilot(self, host: Host | None = None, options: PilotOptions | None = None) -> AutoPilot:
        """Return the runs of this log under a host; closing the log hands them back.

        Without a host runs can be controlled, and none is driven.
        """
        chosen = options or PilotOptions()
        pilot = AutoPilot(self.log, self._listed, self.leases, self.clock, host, chosen)
        self._pilots.append(pilot)
        return pilot

    def import_export_state(self, path: str | Path, *, key: str | None = None) -> Events:
        """Import the old exporter's progress file `.export_state` as the export `key`.

        The key is by default the file's absolute path. The first `exports.resume` of that key binds
        the job to its work and goes on from the file's progress. Nothing in the file is run, and it
        stays where it is. Returns no events where it was imported before. Raises BadStateFile,
        AlreadyRecorded, BadKey.
        """
        state = read_export_state(path)
        return self.exports.import_progress(state.source if key is None else key, state)

    def import_autopilot(self, path: str | Path) -> Events:
        """Import the old autopilot's state file `{simulation_id}_autopilot.json` as that run.

        `start`, `resume` or `recover`, as its status asks for, go on after the last completed step. A
        run that it calls completed without a report is not: `start` goes on. The 72 h of a step
        begin anew: the file does not say how long it was at work. Naive times are local. Nothing
        changes in the file. Returns no events where it was imported before. Raises BadStateFile,
        AlreadyRecorded.
        """
        state = read_run_state(path)
        run = self.log.recover(AutoPilotRun.named(state.simulation_id))
        by, at = self.leases.worker, self.clock.now()
        return self.log.decide(run, lambda run: run.import_state(state, by, at))

    def import_scenes(
        self,
        folder: str | Path,
        *,
        project: str,
        plan: Sequence[JsonValue] | None = None,
        trust_index: bool = False,
    ) -> dict[str, ImportedStage]:
        """Import the old scene writer's progress files in a folder as batches of a project.

        Its storyboard_progress.json and enhancement_progress.json begin the batches `storyboard` and
        `enhancement`. Entries are matched by their index, once: to the scenes of `plan`, else to
        what the files say of their scenes. One that says something else of its scene is not taken,
        unless `trust_index`. The first `scenes.open` of each stage binds what was imported to its
        params, so that only what is missing or differs is made. Whatever was not taken stands in
        the `doubts` of the stage. Raises BadStateFile, AlreadyRecorded, BadKey, DuplicateScene,
        TooManyScenes, NotJson, TooLarge.
        """
        return import_folder(self.scenes, folder, project, plan, trust_index=trust_index)

    def export_scenes(
        self,
        project: str,
        folder: str | Path,
        *,
        plan: Sequence[JsonValue] | None = None,
        stages: Collection[str] | None = None,
        force: bool = False,
    ) -> WrittenFiles:
        """Write a project's batches as the old scene writer's files, for tools that read those.

        What the scenes say is in the log where they were imported; else `plan` has to tell. A file
        that another program wrote is not replaced, unless `force`. Raises JobNotFound,
        NoSceneContent, NoOldForm, ForeignFile, OSError.
        """
        return export_folder(self.scenes, project, folder, plan, stages, force=force)

    def clean(
        self, older_than: timedelta, *, kinds: Collection[str] = (), dry_run: bool = False
    ) -> CleanReport:
        """Remove what jobs that have not changed for so long don't need any more.

        That are the payloads of finished jobs (results and plans above 1 KiB): `PayloadsRemoved`
        records it in the same transaction, events and seals stay, and to read one raises
        PayloadRemoved. And the temporary files of workers of this machine that are gone for certain,
        with what they left running, as a takeover would; what was in flight stays noted for their
        successor. A job whose worker lives is left alone. `kinds` as in `queries.jobs` (empty: all);
        with `dry_run` nothing is changed. Raises BadArgument, StoreUnavailable.
        """
        listed = JobList(self.log, self.view, saves=False) if dry_run else self._listed
        parts = (self.log, listed, self.leases, LeaseRemains(self.leases), self.clock)
        return Cleaning(*parts, older_than, dry_run=dry_run).run(kinds)

    def close(self, timeout_s: float = CLOSE_S) -> None:
        """Hand back what is in work and close the store, whatever goes wrong on the way.

        Waits `timeout_s` for the steps of each host. Raises NotSaved, once all is closed, where
        scenes that waited for the disk are not on it.
        """
        with ExitStack() as closing:  # calls its callbacks in reverse
            for close in (self.log.close, self.leases.close, self.scenes.close):
                closing.callback(close)
            for pilot in reversed(self._pilots):
                closing.callback(pilot.close, timeout_s)

    def __enter__(self) -> Self:
        """Return the log itself."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Close it; of an exception that goes on, what could not be saved is a note."""
        try:
            self.close()
        except ResumelogError as unsaved:
            if error is None:
                raise
            error.add_note(f"and not everything was saved: {unsaved}")


def open_log(
    url: str | Path | None = None,
    *,
    must_exist: bool = False,
    root: str | Path | None = None,
    clock: Clock | None = None,
    settings: Settings | None = None,
) -> ResumeLog:
    """Open a log, made on first use: a path, sqlite:///PATH, postgresql://…, or memory:.

    A PostgreSQL URL is libpq's, with `?schema=NAME`; memory: keeps nothing. Without a URL: RESUMELOG_URL, else eventsourcing's own environment variables if they name a
    store, else resumelog.db in the current folder. `root` is the folder that artifact paths are
    relative to (default: the current one). Raises NoLog (`must_exist`), UnknownStore,
    NoDriver, NotOurDatabase, NewerSchema, StoreUnavailable.
    """
    settings = settings or _settings()
    env = {**MAPPER, **_environment(url, settings, must_exist)}
    if settings.durability:
        env |= {f"RESUMELOG_{store}_DURABILITY": settings.durability for store in STORES}
    log = _event_log(env)
    make_table = getattr(log.factory, "lease_table", MemoryLeaseTable)
    leases = TableLeases(make_table(), settings.lease_s)
    make_view = getattr(log.factory, "jobs_view", MemoryJobsView)
    return ResumeLog(log, make_view(), leases, clock or SystemClock(), Path(root or Path.cwd()))


def _settings() -> Settings:
    try:
        return Settings()
    except ValidationError as error:
        name = "RESUMELOG_" + str(error.errors()[0]["loc"][0]).upper()
        raise BadSetting(name=name, why=validation_text(error)) from None


def _event_log(env: dict[str, str]) -> EventLog:
    try:
        return EventLog(env=env)
    except (InfrastructureFactoryError, OSError) as error:
        if _lacks_driver(error):
            raise NoDriver(store="PERSISTENCE_MODULE") from error
        raise BadSetting(name="PERSISTENCE_MODULE", why=str(error)) from None


def _environment(url: str | Path | None, settings: Settings, must_exist: bool) -> dict[str, str]:
    chosen = str(url) if url is not None else settings.url
    if chosen is None:
        if "PERSISTENCE_MODULE" in os.environ or "RESUMELOG_PERSISTENCE_MODULE" in os.environ:
            return _configured(must_exist)
        chosen = DEFAULT_URL
    if chosen.startswith(("postgresql://", "postgres://")):
        return _postgres(chosen, must_exist)
    path = chosen.removeprefix("sqlite:///")
    if path in ("memory:", ":memory:"):
        return MEMORY
    if not path or NO_PATH.match(path):
        raise UnknownStore(url=without_password(chosen))
    if must_exist and not is_there(Path(path)) and not Path(path).is_dir():
        raise NoLog(store=path)
    if not must_exist and is_there(Path(path)) and not os.access(path, os.W_OK):
        advice = "make the file and its folder writable"
        raise StoreUnavailable(store=path, why="it is read-only", advice=advice)
    return {**SQLITE, "RESUMELOG_SQLITE_DBNAME": path}


def _configured(must_exist: bool) -> dict[str, str]:
    """Leave it to eventsourcing's variables; a file that must exist is looked for."""
    env = Environment(EventLog.name, os.environ)
    path = env.get("SQLITE_DBNAME") or ""
    in_file = "sqlite" in (env.get("PERSISTENCE_MODULE") or "") and path and ":" not in path
    if must_exist and in_file and not is_there(Path(path)):
        raise NoLog(store=path)
    return {}


def _postgres(url: str, must_exist: bool) -> dict[str, str]:
    try:
        from resumelog.infrastructure.storage.postgres import url as postgres_url
    except ImportError as error:
        raise NoDriver(store="a postgresql:// URL") from error
    if must_exist and not postgres_url.holds_log(url, f"{EventLog.name}_events"):
        raise NoLog(store=postgres_url.shown(postgres_url.parsed(url)))
    return {**POSTGRES, **postgres_url.environment(url, "RESUMELOG_")}


def _lacks_driver(error: BaseException | None) -> bool:
    while error is not None:
        if isinstance(error, ImportError) and (error.name or "").startswith("psycopg"):
            return True
        error = error.__cause__ or error.__context__
    return False
