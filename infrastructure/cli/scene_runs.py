"""One run of a recipe over a batch, whether it comes from the command line or from the log."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Literal, NamedTuple

from resumelog.domain.plan import Plan
from resumelog.domain.scene_batch import BatchStatus, SceneBatch
from resumelog.infrastructure.cli.display import Display
from resumelog.infrastructure.cli.inputs import InputScene
from resumelog.infrastructure.cli.options import InputError
from resumelog.infrastructure.cli.outcomes import Exit
from resumelog.infrastructure.cli.recipe import Recipe
from resumelog.infrastructure.cli.scene_jobs import SceneJob, jobs_of, plan_of
from resumelog.infrastructure.cli.scene_work import retry_of
from resumelog.infrastructure.cli.worker import SceneWorker

if TYPE_CHECKING:
    from resumelog.application.batch import Batch
    from resumelog.infrastructure.bootstrap import ResumeLog


class Selection(NamedTuple):
    """Which scenes a run makes: all that remain, or fewer; `regenerate` takes done ones as well.

    `command` chose them.
    """

    only: tuple[str, ...] = ()
    retry_failed: bool = False
    regenerate: bool = False
    actor: str = ""
    command: Literal["run", "retry", "regenerate"] = "run"

    @property
    def rest(self) -> str:
        """Say who makes the scenes that were not chosen; nothing where all were."""
        if self.command != "run":
            return f"{self.command} makes no others, the command of the batch does"
        options = {"--only": self.only, "--retry-failed": self.retry_failed}
        said = " and ".join(name for name, is_said in options.items() if is_said)
        return f"run it without {said} to make them" if said else ""


class SceneRuns:
    """What is to be run, checked whole before a log is opened."""

    def __init__(
        self,
        names: tuple[str, str],
        recipe: Recipe,
        scenes: Sequence[InputScene],
        selection: Selection,
    ) -> None:
        """Raises InputError and BadKey."""
        self._names, self._recipe, self._selection = names, recipe, selection
        self._kept = SceneBatch.named(*names)
        self.plan = plan_of(recipe, scenes)
        self._jobs = jobs_of(recipe, scenes, self.plan)
        self.only = _keys(selection.only, self.plan, self._jobs) if selection.only else None

    def display(self, *, verbose: bool, wants_json: bool) -> Display:
        """Return what shows it."""
        tries = retry_of(self._recipe).attempts
        how = {"verbose": verbose, "wants_json": wants_json}
        return Display("/".join(self._names), tries=tries, rest=self._selection.rest, **how)

    def run(self, log: ResumeLog, display: Display, workers: int | None = None) -> Exit:
        """Open the batch and work on it. Raises AlreadyRunning, NotSaved, LeaseLost, StoreError."""
        if asked := self._asked(log):
            display.say(f"{display.job} was {asked}; going on")
        batch = self._opened(log)
        recipe = replace(self._recipe, workers=workers or self._recipe.workers)
        worker = SceneWorker(batch, recipe, self._jobs, display, lambda: self._asked(log))
        chosen = self._chosen(batch)
        if self._selection.retry_failed and not chosen:
            display.say(f"{display.job}: nothing to retry, none of these scenes failed last")
        return worker.work(chosen)

    def _opened(self, log: ResumeLog) -> Batch:
        def opened() -> Batch:
            return log.scenes.open(*self._names, scenes=self.plan, after=self._recipe.after)

        batch = opened()
        if self._selection.regenerate:
            wanted = self.only if self.only is not None else [*self.plan]
            log.scenes.regenerate(*self._names, wanted, actor=self._selection.actor)
            if batch.is_over:  # it was complete, and is not any more
                return opened()
            batch.is_asked_to_leave()  # reads what was marked
        return batch

    def _chosen(self, batch: Batch) -> list[str] | None:
        if not self._selection.retry_failed:
            return self.only
        failed = [scene.key for scene in batch.failed()]
        return [key for key in failed if self.only is None or key in self.only]

    def _asked(self, log: ResumeLog) -> str:
        """Say who paused or stopped the batch, and why; nothing if nobody did."""
        state = log.log.recover(self._kept)
        if state.status not in (BatchStatus.PAUSED, BatchStatus.STOPPED):
            return ""
        event = state.decided_by["status"]
        actor, reason = getattr(event, "actor", ""), getattr(event, "reason", "")
        return f"{state.status} by {actor or 'somebody'}" + (f": {reason}" if reason else "")


def _keys(asked: Iterable[str], plan: Plan, jobs: dict[str, SceneJob]) -> list[str]:
    """Return the keys of scenes that are named, one by one or in lists with commas.

    A scene without a key of its own is named by its line. Raises InputError.
    """
    lines = {job.values["line"]: key for key, job in jobs.items() if not job.has_own_key}
    named = {**lines, **{key: key for key in plan}}
    chosen = dict.fromkeys(
        name for each in asked for name in ([each] if each in named else each.split(","))
    )
    for name in chosen:
        if name not in named:
            some = ", ".join([job.label for job in jobs.values()][:5])
            raise InputError(f"there is no scene {name!r} in INPUT; it begins with {some}")
    return [named[name] for name in chosen]
