"""What a worker sees of a batch: a scene to make, the scenes that failed, and counts."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

from resumelog.application.errors import BadArgument, ResultGone
from resumelog.domain.wording import agreeing, counted


class MadeBefore(NamedTuple):
    """What a scene made in the stage before, or why that is gone, and from which job."""

    result: Any = None
    file: Path | None = None
    gone: str = ""
    job: str = ""


NOTHING = MadeBefore()


@dataclass(frozen=True, slots=True)
class Scene:
    """One scene as it is begun; it can be handed to another process.

    `index` counts from 0, `content` is what was handed in (JSON), `attempt` counts from 1 over all runs.
    `fingerprint` covers all that it is made from, as that is now. `partial` is where to write its
    file, in a batch that was opened with `artifact`.
    """

    key: str
    index: int
    content: Any
    attempt: int
    fingerprint: str
    made_before: MadeBefore = NOTHING
    partial: Path | None = None

    @property
    def before(self) -> Any:
        """Its result in the stage before (JSON). Raises ResultGone for one that was removed from the log."""
        if self.made_before.gone:
            made = self.made_before
            raise ResultGone(scene=self.key, before=made.job, why=made.gone)
        return self.made_before.result

    @property
    def before_file(self) -> Path | None:
        """The file that it made in the stage before."""
        return self.made_before.file


@dataclass(frozen=True, slots=True)
class FailedScene:
    """A scene whose last attempt failed, and why."""

    key: str
    index: int
    error: str
    attempts: int


class Counts(NamedTuple):
    """Counts over the plan; `skipped` were done before this worker, `held` saves are not on disk."""

    total: int
    done: int
    failed: int
    remaining: int
    skipped: int
    status: str
    held: int = 0


@dataclass(frozen=True)
class Report:
    """How a batch stands after a run. `remaining` counts the failed ones too.

    `durations` are seconds by the key of each scene that this run made, `elapsed_s` is what the
    run took, `cause` says why it ended before all was tried, `held` saves are not on disk yet.
    """

    total: int
    done: int
    failed: tuple[FailedScene, ...]
    remaining: int
    skipped: int
    status: str
    held: int = 0
    cause: str = ""
    elapsed_s: float = 0.0
    durations: Mapping[str, float] = field(default_factory=dict)

    @property
    def is_complete(self) -> bool:
        """Tell whether every scene is done, and on disk."""
        return not self.remaining and not self.held

    def __str__(self) -> str:
        """Return it as one line."""
        made = f"{self.done} of {counted(self.total, 'scene')} done ({len(self.durations)} now)"
        parts = [made, f"{len(self.failed)} failed", f"{self.remaining} remaining"]
        if self.held:
            are = agreeing(self.held, "is", "are")
            parts.append(f"{counted(self.held, 'save')} {are} not on disk")
        return ", ".join(parts) + (f": {self.cause}" if self.cause else "")


SceneName = Scene | FailedScene | str


def keys_of(scenes: Iterable[SceneName]) -> list[str]:
    """Return the keys of scenes that are named by key, or by what a batch or a report gave.

    Raises BadArgument for one alone: a text is a list of its letters, and those may be keys.
    """
    if isinstance(scenes, str | Scene | FailedScene):
        name = scenes if isinstance(scenes, str) else scenes.key
        raise BadArgument(option="scenes", given=name, advice=f"give a list: [{name!r}]")
    return [scene if isinstance(scene, str) else scene.key for scene in scenes]
