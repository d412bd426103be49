"""The stages of a project as one workflow, each for all scenes or all at once, scene by scene."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any, Literal, get_args

from resumelog.application.batch_progress import BatchFacts
from resumelog.application.errors import BadArgument
from resumelog.application.loop_tasks import LoopTasks, StopOfItsOwn
from resumelog.application.off_loop import OneThread
from resumelog.application.ports import Signals
from resumelog.application.run_options import RunOptions, require
from resumelog.application.scene import Report, Scene
from resumelog.application.scene_coordinator import Coordinator
from resumelog.application.scene_executors import is_async, is_in_loop
from resumelog.application.scene_run import SceneRun
from resumelog.application.scene_updates import SceneUpdate
from resumelog.application.stage import Stage, linked
from resumelog.application.stage_progress import StageProgress
from resumelog.application.stop_flag import StopFlag

if TYPE_CHECKING:
    from resumelog.application.scene_batches import SceneBatches

Mode = Literal["stages", "streaming"]

OnStageScene = Callable[[str, SceneUpdate], object]
OnStageProgress = Callable[[str, BatchFacts], object]

IN_A_LOOP = (
    "this would block the event loop that it is called in; write `await pipeline.run_async(…)`"
)


@dataclass(frozen=True)
class PipelineReport:
    """How every stage stands after a run, by its name and in the order of the workflow."""

    stages: Mapping[str, Report]

    @property
    def is_complete(self) -> bool:
        """Tell whether every scene of every stage is done, and on disk."""
        return all(report.is_complete for report in self.stages.values())

    def __str__(self) -> str:
        """Return a line a stage."""
        return "\n".join(f"{name}: {report}" for name, report in self.stages.items())


class Pipeline:
    """Stages over the same scenes; `SceneBatches.pipeline` makes one. Every run goes on.

    `progress` has what can be shown of each stage: `progress_bar(pipeline)` shows them all.
    """

    def __init__(
        self,
        batches: SceneBatches,
        project: str,
        stages: Sequence[Stage],
        scenes: Sequence[Any],
        signals: Signals,
    ) -> None:
        """Link the stages. Raises BadArgument."""
        self._batches, self._project, self._scenes = batches, project, scenes
        self._signals, self._stages = signals, linked(stages)
        self._listeners = dict[object, OnStageScene]()
        self.progress = tuple(StageProgress(project, one.name, len(scenes)) for one in stages)

    def on_scene(self, callback: OnStageScene) -> Callable[[], None]:
        """Call `callback` with the stage's name and each SceneUpdate, in the thread that runs it.

        From the next run on. What it raises is logged and the work goes on. Returns what ends the calls.
        """
        token = object()
        self._listeners[token] = callback

        def end() -> None:
            self._listeners.pop(token, None)

        return end

    def on_progress(self, callback: OnStageProgress) -> Callable[[], None]:
        """Call `callback` with the stage's name and its BatchFacts, as Batch.on_progress does."""
        ends = [one.on_progress(partial(callback, one.stage)) for one in self.progress]

        def end() -> None:
            for each in ends:
                each()

        return end

    def results(self, stage: str) -> Iterator[tuple[Scene, Any]]:
        """Iterate over the scenes that are done in a stage and their results, in order.

        From the log as it is now, also while a run goes on, one result in memory at a time. What the
        next run makes again, as another scene, other params or a file that is gone, is left out.
        Raises BadArgument for a stage that is none of these.
        """
        for one, after in self._stages:
            if one.name == stage:
                opening = {name: it for name, it in one.opening.items() if name != "on_save_error"}
                return self._batches.results(
                    self._project, stage, scenes=self._scenes, after=after, **opening
                )
        advice = f"the stages are {', '.join(one.name for one, _ in self._stages)}"
        raise BadArgument(option="stage", given=stage, advice=advice)

    def run(self, *, mode: Mode = "stages", stop: StopFlag | None = None) -> PipelineReport:
        """Make every scene of every stage that is not done, and return how the stages stand.

        "stages": one after the other, each for all scenes; what is regenerated meanwhile in a stage
        that has completed remains for the next run. "streaming": a scene goes on to the next
        stage as soon as it is done in this one; each stage has its own workers. A scene that failed
        is not begun in the stages after, the others go on. So it is where one stage is paused or
        stopped, or ends by `stop_after_failures`: the stages after make what is done in it. `stop`
        ends all after the scenes in flight; Ctrl+C, SIGTERM and errors leave all as `Batch.run`
        does. All batches are held from the beginning on. Coroutine functions run in an event loop of
        their own. Raises AlreadyRunning, BadArgument, NotSaved, and what `SceneBatches.open` and
        `Batch.run` do.
        """
        _require(mode, stop)
        made_later = [one.function for one, _ in self._stages if is_async(one.function)]
        if made_later and is_in_loop():
            raise BadArgument(option="function", given=made_later[0], advice=IN_A_LOOP)
        return self._run(mode, stop)

    async def run_async(
        self, *, mode: Mode = "stages", stop: StopFlag | None = None
    ) -> PipelineReport:
        """Do what `run` does, and let the event loop go on meanwhile.

        The calls of coroutine functions are tasks of this loop, any other function runs in threads.
        Where this task is cancelled, or SIGTERM or SIGHUP ends the loop, the scenes' tasks are
        cancelled too, and it waits for them; what they come to is recorded, and why all was left.
        Callbacks are called in the thread that records.
        """
        _require(mode, stop)
        tasks, own = LoopTasks(asyncio.get_running_loop()), StopOfItsOwn(stop)
        left_by = list[BaseException]()

        def give_up(error: BaseException) -> None:
            left_by.append(error)
            own.set(error)
            tasks.end(is_closed=isinstance(error, GeneratorExit))

        def cause() -> BaseException | None:
            return self._signals.in_loop.cause_of(left_by[0]) if left_by else None

        thread = OneThread("resumelog-run")
        with self._signals.in_loop:
            try:
                return await thread.do(partial(self._run, mode, own, tasks, cause), give_up)
            finally:
                thread.close()

    def _run(
        self,
        mode: Mode,
        stop: StopFlag | None,
        tasks: LoopTasks | None = None,
        left_by: Callable[[], BaseException | None] = lambda: None,
    ) -> PipelineReport:
        with self._signals, ExitStack() as opened:
            runs = self._opened(opened, stop, tasks)
            at_work = [run for run in runs.values() if not run.is_over]
            together = [at_work] if mode == "streaming" else [[run] for run in at_work]
            while self._driven(together, left_by):
                found = [
                    run.looked_again() for run in at_work
                ]  # also what found room on the disk late
                if not any(found):
                    break
            for run in runs.values():
                run.finish()  # in their order: the first to tell is the one that the others wait for
            for run in runs.values():
                run.look()
        return PipelineReport({name: run.report() for name, run in runs.items()})

    def _driven(
        self, groups: Iterable[list[SceneRun]], left_by: Callable[[], BaseException | None]
    ) -> bool:
        """Drive runs, group after group; tell whether none was told to leave."""
        for together in groups:
            at_work = [run for run in together if not run.is_over]
            for run in at_work:
                run.offer_all()
            Coordinator(at_work, self._signals).run()
            if cause := left_by():
                for group in groups:
                    for run in group:
                        run.leave(cause)
                return False
            for run in at_work:
                run.end_batch()
        return True

    def _opened(
        self, opened: ExitStack, stop: StopFlag | None, tasks: LoopTasks | None
    ) -> dict[str, SceneRun]:
        """Open every stage, earlier ones first: what is to be made again there shows in the later."""
        runs = dict[str, SceneRun]()
        for (stage, after), progress in zip(self._stages, self.progress, strict=True):
            batch = self._batches.open(
                self._project, stage.name, scenes=self._scenes, after=after, **stage.opening
            )
            opened.callback(progress.rest)
            opened.enter_context(batch)
            options: RunOptions = {**stage.options}
            if tasks and is_async(stage.function) and options.get("executor") is None:
                options["executor"] = tasks
            run = runs[stage.name] = SceneRun(batch, stage.function, **options)
            run.is_fed = True
            run.stops += [stop] if stop else []
            if after in runs:
                runs[after].followers.append(run)
            for token in self._listeners:
                batch.on_scene(partial(self._tell, token, stage.name))
            progress.is_of(batch)
        return runs

    def _tell(self, token: object, stage: str, update: SceneUpdate) -> None:
        if callback := self._listeners.get(token):
            callback(stage, update)


def _require(mode: object, stop: StopFlag | None) -> None:
    if mode not in get_args(Mode):
        raise BadArgument(option="mode", given=mode, advice=f"choose {' or '.join(get_args(Mode))}")
    require({"stop": stop})
