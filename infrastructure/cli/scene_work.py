"""One scene's command, and the check of what it made, as a function for `Batch.run`."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping, Sequence
from pathlib import Path

from resumelog.application.batch import Batch
from resumelog.application.errors import CommandFailed
from resumelog.application.retry import Retry
from resumelog.application.scene import Scene
from resumelog.domain.errors import BadInput
from resumelog.infrastructure.cli.recipe import Recipe
from resumelog.infrastructure.cli.scene_jobs import SceneJob
from resumelog.infrastructure.cli.template import names, text
from resumelog.infrastructure.gate import Ended
from resumelog.infrastructure.scene_commands import Interrupts, run_command

ENV_BYTES_MAX = 64 * 1024
"""The system refuses a command whose environment has a longer value: 128 KiB on Linux."""
TRY_AGAIN = 75
"""EX_TEMPFAIL of sysexits.h."""
TRIES = 3
"""So often is tried what asks for another try itself."""
_RETRY_AFTER = re.compile(r"^\s*retry-after:?\s+(\d+(?:\.\d+)?)\s*s?\s*$", re.I | re.M)


class SceneWork:
    """Makes scenes by commands, in any thread; an exception is that scene's failure."""

    def __init__(
        self, batch: Batch, recipe: Recipe, jobs: Mapping[str, SceneJob], interrupts: Interrupts
    ) -> None:
        """Take what is to be run for each scene."""
        self._batch, self._recipe, self._jobs = batch, recipe, jobs
        self._interrupts = interrupts

    def __call__(self, scene: Scene) -> str:
        """Run the command; return what it printed. Raises CommandFailed."""
        try:
            return self._made(scene, self._jobs[scene.key])
        except BadInput as error:
            raise CommandFailed(why=str(error)) from error
        except (OSError, ValueError) as error:
            raise CommandFailed(why=_why(error)) from error

    def _made(self, scene: Scene, job: SceneJob) -> str:
        recipe, partial = self._recipe, None
        if job.place:
            partial = self._batch.artifact(scene, job.place)
        before = self._before(scene)
        file = str(scene.before_file or "") if recipe.after else ""
        given = {"before": before, "before_file": file} if recipe.after else {}
        given |= {"artifact": str(partial)} if partial else {}
        ended = self._run(scene, job.argv(recipe.command, given), given, before, partial)
        if ended.code:
            raise _failed(ended, ended.why)
        if partial and not partial.is_file():
            raise CommandFailed(why="it ended well, but wrote no file to {artifact}")
        if recipe.check:
            self._check(scene, job, given, ended.printed, partial)
        return ended.printed

    def _before(self, scene: Scene) -> str:
        """Return the result in the stage before; one that is gone is no matter where the file is used."""
        wanted = names(self._recipe.command)
        if not self._recipe.after or ("before_file" in wanted and "before" not in wanted):
            return ""
        return "" if scene.before is None else text(scene.before)

    def _check(
        self,
        scene: Scene,
        job: SceneJob,
        given: Mapping[str, str],
        result: str,
        partial: Path | None,
    ) -> None:
        argv = job.argv(self._recipe.check, given)
        ended = self._run(scene, argv, {**given, "result": result}, result, partial)
        if ended.code:
            raise _failed(ended, f"the check refused it: {ended.printed.strip() or ended.why}")

    def _run(
        self,
        scene: Scene,
        argv: Sequence[str],
        given: Mapping[str, str],
        reads: str,
        partial: Path | None,
    ) -> Ended:
        left = {"partial": str(partial)} if partial else {}
        return run_command(
            argv,
            lambda group, started: self._batch.begun(scene, group=group, started=started, **left),
            self._interrupts,
            env=_environment(scene, given),
            folder=self._recipe.folder,
            reads=reads,
            timeout_s=self._recipe.timeout_s,
        )


def retry_of(recipe: Recipe) -> Retry:
    """Return how often a scene is tried: without --retries only what asks for another try itself."""
    jitter_s = min(1.0, recipe.backoff_s)
    if recipe.retries is None:
        return Retry(TRIES, recipe.backoff_s, jitter_s=jitter_s, retry_on=_asks)
    return Retry(1 + recipe.retries, recipe.backoff_s, jitter_s=jitter_s)


def _asks(error: BaseException) -> bool:
    return isinstance(error, CommandFailed) and error.data.get("asks", False)


def _failed(ended: Ended, why: str) -> CommandFailed:
    hints = _RETRY_AFTER.findall(ended.errors)
    asks = ended.code == TRY_AGAIN or bool(hints)
    return CommandFailed(why=why, asks=asks, retry_after=hints[-1] if hints else None)


def _environment(scene: Scene, given: Mapping[str, str]) -> dict[str, str]:
    own = {"scene": scene.key, "index": str(scene.index), "attempt": str(scene.attempt), **given}
    told = ("scene", "index", "attempt", "artifact", "before", "before_file", "result")
    env = {**os.environ}
    for name in told:  # those of a run around this one are not this scene's
        env.pop(f"RESUMELOG_{name.upper()}", None)
    fits = {name: value for name, value in own.items() if len(value.encode()) <= ENV_BYTES_MAX}
    return env | {f"RESUMELOG_{name.upper()}": value for name, value in fits.items()}


def _why(error: OSError | ValueError) -> str:
    place = getattr(error, "filename2", None) or getattr(error, "filename", None)
    reason = getattr(error, "strerror", None) or str(error)
    return f"{place}: {reason}" if place else reason
