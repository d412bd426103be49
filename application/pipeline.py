"""The stages of a project as one workflow, each for all scenes or all at once, scene by scene."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, get_args

from resumelog.application.errors import BadArgument
from resumelog.application.ports import Signals
from resumelog.application.scene import Report
from resumelog.application.scene_coordinator import Coordinator
from resumelog.application.scene_run import SceneRun
from resumelog.application.scene_updates import SceneUpdate
from resumelog.application.stage import Stage, linked
from resumelog.application.stop_flag import StopFlag

if TYPE_CHECKING:
    from resumelog.application.scene_batches import SceneBatches

Mode = Literal["stages", "streaming"]

OnStageScene = Callable[[str, SceneUpdate], object]


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
    """Stages over the same scenes; `SceneBatches.pipeline` makes one. Every run goes on."""

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
        self._listeners = list[OnStageScene]()

    def on_scene(self, callback: OnStageScene) -> None:
        """Call `callback` with the stage's name and each SceneUpdate, in the thread that runs it."""
        self._listeners.append(callback)

    def run(self, *, mode: Mode = "stages", stop: StopFlag | None = None) -> PipelineReport:
        """Make every scene of every stage that is not done, and return how the stages stand.

        "stages": one after the other, each for all scenes. "streaming": a scene goes on to the next
        stage as soon as it is done in this one; each stage has its own workers. A scene that failed
        is not begun in the stages after, the others go on. So it is where one stage is paused or
        stopped, or ends by `stop_after_failures`: the stages after make what is done in it. `stop`
        ends all after the scenes in flight; Ctrl+C, SIGTERM and errors leave all as `Batch.run`
        does. All batches are held from the beginning on. Raises AlreadyRunning, BadArgument,
        NotSaved, and what `SceneBatches.open` and `Batch.run` do.
        """
        if mode not in get_args(Mode):
            advice = f"choose {' or '.join(get_args(Mode))}"
            raise BadArgument(option="mode", given=mode, advice=advice)
        with self._signals, ExitStack() as opened:
            runs = self._opened(opened, stop)
            at_work = [run for run in runs.values() if not run.is_over]
            for together in [at_work] if mode == "streaming" else [[run] for run in at_work]:
                for run in together:
                    run.offer_all()
                Coordinator(together, self._signals).run()
                for run in together:
                    run.end_batch()
            for run in runs.values():
                run.finish()  # in their order: the first to tell is the one that the others wait for
        return PipelineReport({name: run.report() for name, run in runs.items()})

    def _opened(self, opened: ExitStack, stop: StopFlag | None) -> dict[str, SceneRun]:
        """Open every stage, earlier ones first: what is to be made again there shows in the later."""
        runs = dict[str, SceneRun]()
        for stage, after in self._stages:
            batch = self._batches.open(
                self._project, stage.name, scenes=self._scenes, after=after, **stage.opening
            )
            opened.enter_context(batch)
            run = runs[stage.name] = SceneRun(batch, stage.function, **stage.options)
            run.is_fed = True
            run.stops += [stop] if stop else []
            if after in runs:
                runs[after].followers.append(run)
            for callback in self._listeners:
                batch.on_scene(_of(stage.name, callback))
        return runs


def _of(stage: str, callback: OnStageScene) -> Callable[[SceneUpdate], object]:
    return lambda update: callback(stage, update)
