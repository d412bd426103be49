"""Scene batches: every scene saved the moment it is done, finished ones skipped, failed ones again."""

from __future__ import annotations

import logging
from collections.abc import Callable, Container, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from threading import Lock
from typing import Any, Concatenate, Literal, ParamSpec, get_args

from pydantic import JsonValue

from resumelog.application.async_batch import AsyncBatch
from resumelog.application.async_session import AsyncSession
from resumelog.application.batch import Batch
from resumelog.application.batch_files import ArtifactPath, BatchFiles
from resumelog.application.batch_reader import BatchReader
from resumelog.application.errors import (
    BadArgument,
    JobNotFound,
    NotSaved,
    NotScenes,
    PayloadGone,
)
from resumelog.application.event_log import EventLog
from resumelog.application.job_list import JobList
from resumelog.application.later_stages import known_keys, later_stages
from resumelog.application.pipeline import Pipeline
from resumelog.application.ports import Artifacts, Clock, Leases, Signals, Verify
from resumelog.application.running import Running
from resumelog.application.scene import Scene, SceneName, keys_of
from resumelog.application.scene_records import RecordedScenes, recorded_scenes
from resumelog.application.stage import Stage
from resumelog.application.stage_before import StageBefore
from resumelog.application.unsaved import tell_of_unsaved
from resumelog.domain.errors import ResumelogError
from resumelog.domain.events import Events
from resumelog.domain.plan import Plan
from resumelog.domain.scene_batch import Adopted, SceneBatch
from resumelog.domain.scene_progress import ImportedScenes
from resumelog.domain.values import Claim, JsonObject, Payload

logger = logging.getLogger("resumelog")

VERIFY = get_args(Verify)
OpenOptions = ParamSpec("OpenOptions")
SceneCommand = Callable[[SceneBatch], Events]


def _awaited(
    open_batch: Callable[Concatenate[SceneBatches, OpenOptions], Batch],
) -> Callable[Concatenate[SceneBatches, OpenOptions], AsyncSession[Batch, AsyncBatch]]:
    """Return a method that opens with the same options, in a thread, once it is entered."""

    def open_async(
        self: SceneBatches, /, *names: OpenOptions.args, **options: OpenOptions.kwargs
    ) -> AsyncSession[Batch, AsyncBatch]:
        """Open a batch by `async with`, which gives an AsyncBatch; options and errors are those of `open`.

        Nothing is read before it is entered, and the event loop never waits for the log. On leaving
        the block the batch is finished, or left with the exception as the cause, also where the
        task was cancelled. While a task of the main thread is in it SIGTERM and SIGHUP end the loop as
        sys.exit would, and the record names them, unless the program handles them.
        """

        @contextmanager
        def opened() -> Iterator[Batch]:
            with open_batch(self, *names, **options) as batch:
                yield batch

        return AsyncSession(opened(), self.signals.in_loop, AsyncBatch)

    return open_async


class SceneBatches:
    """All scene batches of one log."""

    def __init__(
        self,
        log: EventLog,
        listed: JobList,
        leases: Leases,
        clock: Clock,
        artifacts: Artifacts,
        signals: Signals,
    ) -> None:
        """Take the parts that every batch shares."""
        self._listed = listed
        self._log, self._leases, self._clock, self._artifacts = log, leases, clock, artifacts
        self.signals = signals
        self._open, self._opening = set[Batch](), Lock()

    def open(
        self,
        project: str,
        stage: str,
        *,
        scenes: Sequence[Any] | Plan,
        params: JsonObject | None = None,
        context: JsonObject | None = None,
        after: str | None = None,
        artifact: ArtifactPath | None = None,
        verify: Verify = "stat",
        on_save_error: Literal["raise", "continue"] = "continue",
    ) -> Batch:
        """Open a batch, or take it up again: scenes that are done and unchanged stay done.

        A scene's key is its `id` or `key`, else its fingerprint; a `Plan` has its keys, params and
        context already. `params` are part of every scene's input; with `after` so is its result in
        that stage of the project. `artifact` says where each scene's file belongs, if it makes one:
        a path with {key} or {index} in it, or a function of the scene. A scene whose input changed,
        or whose file is gone or altered, is invalidated and made again: `verify="stat"` looks at
        size and mtime, and at the content where the mtime differs, "sha256" always at the content,
        "off" at nothing. Raises AlreadyRunning, BadKey, DuplicateScene, TooManyScenes, NotScenes,
        NotJson, TooLarge, BadArgument (also for an `after` that comes after this stage), StoreUnavailable.
        """
        _require("verify", verify, VERIFY)
        _require("on_save_error", on_save_error, ("raise", "continue"))
        batch = SceneBatch.named(project, stage)
        files = BatchFiles(self._artifacts, artifact)
        plan = scenes if isinstance(scenes, Plan) else _plan(scenes, params, context, files)
        before = StageBefore(self._log, project, after, self._artifacts)
        running = Running(self._log, self._leases, self._clock, batch, on_save_error=on_save_error)
        stale: dict[str, str] = {}
        adopted: dict[str, Adopted] = {}
        looked_at = 0

        def begin(batch: SceneBatch, by: Claim) -> Events:
            """Look at the newest state: another worker may have made scenes until just now."""
            nonlocal looked_at
            before.require_earlier_than(batch)
            if batch.version != looked_at:
                adopted.clear()
                adopted.update(self._adopted(batch, plan, before))
                stale.clear()
                stale.update(self._stale(batch, plan, before, verify, adopted))
                looked_at = batch.version
            at = self._clock.now()
            return batch.begin(plan, by, at, after=after, stale=stale, adopted=adopted)

        running.begin(begin)
        opened = Batch(running, files, plan, before, stale, self.signals)
        tell_of_unsaved(opened, running)
        with self._opening:
            self._open = {batch for batch in self._open if not batch.is_over} | {opened}
        return opened

    open_async = _awaited(open)  # noqa: A003 - the method above is meant

    def pipeline(self, project: str, stages: Sequence[Stage], *, scenes: Sequence[Any]) -> Pipeline:
        """Return the stages of a project as one workflow over the same scenes, to be run.

        Raises BadArgument, NotScenes.
        """
        require_scenes(scenes)
        return Pipeline(self, project, stages, scenes, self.signals)

    def results(
        self,
        project: str,
        stage: str,
        *,
        scenes: Sequence[Any],
        params: JsonObject | None = None,
        context: JsonObject | None = None,
        after: str | None = None,
        artifact: ArtifactPath | None = None,
        verify: Verify = "stat",
    ) -> Iterator[tuple[Scene, Any]]:
        """Iterate over scenes and their results as far as `open` with these options would keep them.

        In order, from the log as it is now, one result in memory at a time. Needs no lease and
        changes nothing. Raises what `open` does for scenes that can't be meant.
        """
        batch = self._log.recover(SceneBatch.named(project, stage))
        files = BatchFiles(self._artifacts, artifact)
        plan = _plan(scenes, params, context, files)
        before = StageBefore(self._log, project, after, self._artifacts)
        adopted = dict(self._adopted(batch, plan, before))
        stale = self._stale(batch, plan, before, verify, adopted)
        kept = [key for key in plan if batch.is_done(key) and key not in stale]
        running = Running(self._log, self._leases, self._clock, batch)
        return BatchReader(running, files, plan, before).results_of(kept)

    def regenerate(
        self,
        project: str,
        stage: str,
        scenes: Iterable[SceneName],
        reason: str = "",
        actor: str = "",
    ) -> dict[str, Events]:
        """Let scenes that are done be made again, here and in every stage that took from them.

        Needs no lease: the next run makes them, or the pipeline that is at it. What is in flight
        meanwhile is recorded with the input that it had, and made again where that was another.
        Returns the events by stage; what is refused is refused before anything is written. Raises
        JobNotFound, UnknownScene, StoreUnavailable; ResultGone for a scene that could not be made, since
        `resumelog clean` removed what it takes from the stage before.
        """
        batch, keys = self._begun(project, stage), keys_of(scenes)
        asked = f"asked for{f' by {actor}' if actor else ''}{f': {reason}' if reason else ''}"
        why = f"it is made again in {stage}, {asked}"
        before = StageBefore(self._log, project, batch.after, self._artifacts)
        before.require_there(filter(batch.is_done, keys))
        commands = [(batch, self._invalidation(keys, asked))]
        for later in [*later_stages(self._log, self._listed, batch)]:
            planned = known_keys(self._log, later)
            taken = [key for key in keys if key in planned]
            commands.append((later, self._invalidation(taken, why)))
        for each, command in commands:
            self._log.decided(each, command)
        return {each.natural_key[-1]: self._log.decide(each, command) for each, command in commands}

    def _invalidation(self, keys: Sequence[str], why: str) -> SceneCommand:
        at, reasons = self._clock.now(), dict.fromkeys(keys, why)
        return lambda batch: batch.invalidate(reasons, known_keys(self._log, batch), at)

    def _begun(self, project: str, stage: str) -> SceneBatch:
        """Return the state of a batch. Raises JobNotFound."""
        batch = self._log.recover(SceneBatch.named(project, stage))
        if not batch.version:
            raise JobNotFound(name="/".join(batch.natural_key))
        return batch

    def close(self) -> None:
        """Leave every batch that is still open. Raises NotSaved, once all are left.

        Where several batches could not be saved, the others are notes of the first one's error.
        """
        unsaved: list[NotSaved] = []
        for batch in self._open:
            try:
                batch.leave("the log was closed")
            except NotSaved as error:
                unsaved.append(error)
            except ResumelogError as error:
                logger.warning("%s", error)
        self._open = set()
        if unsaved:
            first, *others = unsaved
            for other in others:
                first.add_note(f"and {other}")
            raise first

    def import_progress(
        self, project: str, stages: Mapping[str, ImportedScenes]
    ) -> dict[str, Events]:
        """Begin the batches of a project with what old progress files hold of them, by stage.

        The first `open` of each binds what was imported to its params and to the stage before.
        Returns no events for a stage whose file was imported before. Raises AlreadyRecorded, before
        anything is written, where a stage has events of its own; BadKey, NotJson, TooLarge.
        """
        at = self._clock.now()
        batches = {stage: SceneBatch.named(project, stage) for stage in stages}

        def command(stage: str) -> SceneCommand:
            return lambda batch: batch.import_progress(stages[stage], at)

        for stage, batch in batches.items():
            self._log.decided(self._log.recover(batch), command(stage))
        return {stage: self._log.decide(batch, command(stage)) for stage, batch in batches.items()}

    def recorded(
        self, project: str, stage: str, scenes: Sequence[JsonValue] | None = None
    ) -> RecordedScenes:
        """Return what is done in a batch, with its scenes, which the log has if they were imported.

        Raises JobNotFound, NoSceneContent.
        """
        batch = self._begun(project, stage)
        before = StageBefore(self._log, project, batch.after, self._artifacts)
        return recorded_scenes(self._log, batch, before.taken, scenes)

    def pause(self, project: str, stage: str, reason: str = "", actor: str = "") -> Events:
        """Ask the worker to stop after the scenes in flight. Raises JobNotFound, NotRunning."""
        return self._control(project, stage, lambda b: b.pause(reason, actor, self._clock.now()))

    def stop(self, project: str, stage: str, actor: str = "") -> Events:
        """Give the batch up; what is done stays done. Raises JobNotFound."""
        return self._control(project, stage, lambda b: b.stop(actor, self._clock.now()))

    def reopen(self, project: str, stage: str, reason: str = "", actor: str = "") -> Events:
        """Let a paused, stopped or completed batch be worked on again. Raises JobNotFound.

        A paused batch goes on under its worker; where that has left, it waits for another.
        """

        def command(batch: SceneBatch) -> Events:
            has_worker = self._leases.holder(batch.id) is not None
            return batch.reopen(reason, actor, self._clock.now(), has_worker=has_worker)

        return self._control(project, stage, command)

    def _control(self, project: str, stage: str, command: SceneCommand) -> Events:
        return self._log.decide(self._begun(project, stage), command)

    def _adopted(
        self, batch: SceneBatch, plan: Plan, before: StageBefore
    ) -> Iterator[tuple[str, Adopted]]:
        """Bind imported results to what their scenes are made from now; one that is gone is not."""
        keys = [key for key in plan if batch.is_adoptable(key, plan)]
        taken = dict(before.all_taken(keys))
        events = self._log.events_at(batch.id, [batch.scenes[key].version for key in keys])
        for key, event in zip(keys, events, strict=True):
            with suppress(PayloadGone):
                result = Payload.of(self._log.value_of(event))
                yield key, Adopted(plan.fingerprint(key, taken[key]), result)

    def _stale(
        self,
        batch: SceneBatch,
        plan: Plan,
        before: StageBefore,
        verify: Verify,
        adopted: Container[str],
    ) -> Mapping[str, str]:
        stale = before.outdated(batch, plan, plan)
        for key in filter(batch.is_done, plan):
            record = batch.scenes[key]
            if key in adopted:
                stale.pop(key, None)
            elif record.fingerprint == plan.imported_fingerprint(key):
                file = "it was imported without its file"
                stale[key] = file if plan.makes_files else "its imported result is gone"
            elif key in stale or not record.artifact:
                continue
            elif fault := self._artifacts.fault(record.artifact, verify):
                stale[key] = fault
        return stale


def require_scenes(scenes: object) -> None:
    """Refuse what has no entry for each scene, in an order. Raises NotScenes."""
    if not isinstance(scenes, Sequence) or isinstance(scenes, str | bytes | bytearray):
        raise NotScenes(kind=type(scenes).__name__)


def _plan(
    scenes: Sequence[Any],
    params: JsonObject | None,
    context: JsonObject | None,
    files: BatchFiles,
) -> Plan:
    """Return the plan of scenes; where a scene's file belongs is a part of its input."""
    require_scenes(scenes)
    if not files.are_made:
        return Plan(scenes, params, context)
    keys = Plan(scenes)
    named = (Scene(key, index, keys[key], 0, "") for index, key in enumerate(keys))
    places = [*files.places(named)]
    made_by: Callable[[str, int], JsonValue] = lambda _, index: places[index]  # noqa: E731 - typed
    return Plan(scenes, params, context, made_by=made_by, makes_files=True)


def _require(option: str, given: object, choices: Sequence[str]) -> None:
    if given not in choices:
        raise BadArgument(option=option, given=given, advice=f"choose {' or '.join(choices)}")
