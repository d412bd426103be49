"""Scene batches: every scene saved the moment it is done, finished ones skipped, failed ones again."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, Concatenate, Literal, ParamSpec, get_args
from weakref import WeakSet

from pydantic import JsonValue

from resumelog.application.async_batch import AsyncBatch
from resumelog.application.async_session import AsyncSession
from resumelog.application.batch import Batch
from resumelog.application.batch_files import ArtifactPath, BatchFiles
from resumelog.application.errors import BadArgument
from resumelog.application.event_log import EventLog
from resumelog.application.ports import Artifacts, Clock, Leases, Signals, Verify
from resumelog.application.running import Running
from resumelog.application.stage_before import StageBefore
from resumelog.domain.errors import ResumelogError
from resumelog.domain.events import Events
from resumelog.domain.plan import Plan
from resumelog.domain.scene_batch import SceneBatch
from resumelog.domain.values import Claim, JsonObject

logger = logging.getLogger("resumelog")

VERIFY = get_args(Verify)
OpenOptions = ParamSpec("OpenOptions")


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
        self, log: EventLog, leases: Leases, clock: Clock, artifacts: Artifacts, signals: Signals
    ) -> None:
        """Take the parts that every batch shares."""
        self._log, self._leases, self._clock, self._artifacts = log, leases, clock, artifacts
        self.signals = signals
        self._open = WeakSet[Batch]()

    def open(
        self,
        project: str,
        stage: str,
        *,
        scenes: Sequence[JsonValue] | Plan,
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
        "off" at nothing. Raises AlreadyRunning, BadKey, DuplicateScene, TooManyScenes, NotJson,
        TooLarge, BadArgument, StoreUnavailable.
        """
        _require("verify", verify, VERIFY)
        _require("on_save_error", on_save_error, ("raise", "continue"))
        batch = SceneBatch.named(project, stage)
        plan = scenes if isinstance(scenes, Plan) else Plan(scenes, params, context)
        before = StageBefore(self._log, project, after, self._artifacts)
        running = Running(self._log, self._leases, self._clock, batch, on_save_error=on_save_error)
        stale: dict[str, str] = {}
        looked_at = 0

        def begin(batch: SceneBatch, by: Claim) -> Events:
            """Look at the newest state: another worker may have made scenes until just now."""
            nonlocal looked_at
            if batch.version != looked_at:
                stale.clear()
                stale.update(self._stale(batch, plan, before, verify))
                looked_at = batch.version
            return batch.begin(plan, by, self._clock.now(), after=after, stale=stale)

        running.begin(begin)
        files = BatchFiles(self._artifacts, artifact)
        opened = Batch(running, files, plan, before, stale, self.signals)
        self._open.add(opened)
        return opened

    open_async = _awaited(open)  # noqa: A003 - the method above is meant

    def close(self) -> None:
        """Leave every batch that is still open; what that could not save is logged."""
        for batch in [*self._open]:
            try:
                batch.leave("the log was closed")
            except ResumelogError as error:
                logger.warning("%s", error)

    def pause(self, project: str, stage: str, reason: str = "", actor: str = "") -> Events:
        """Ask the worker to stop after the scenes in flight."""
        return self._control(project, stage, lambda b: b.pause(reason, actor, self._clock.now()))

    def stop(self, project: str, stage: str, actor: str = "") -> Events:
        """Give the batch up; what is done stays done."""
        return self._control(project, stage, lambda b: b.stop(actor, self._clock.now()))

    def reopen(self, project: str, stage: str, reason: str = "", actor: str = "") -> Events:
        """Let a paused, stopped or completed batch be worked on again."""
        return self._control(project, stage, lambda b: b.reopen(reason, actor, self._clock.now()))

    def _control(self, project: str, stage: str, command: Any) -> Events:
        return self._log.decide(self._log.recover(SceneBatch.named(project, stage)), command)

    def _stale(
        self, batch: SceneBatch, plan: Plan, before: StageBefore, verify: Verify
    ) -> Mapping[str, str]:
        stale = {}
        for key in filter(batch.is_done, plan):
            record = batch.scenes[key]
            if record.fingerprint != plan.fingerprint(key, before.taken(key)):
                stale[key] = "its input or its command changed"
            elif record.artifact and (fault := self._artifacts.fault(record.artifact, verify)):
                stale[key] = fault
        return stale


def _require(option: str, given: object, choices: Sequence[str]) -> None:
    if given not in choices:
        raise BadArgument(option=option, given=given, advice=f"choose {' or '.join(choices)}")
