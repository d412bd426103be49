"""One stage of a workflow: what makes its scenes, from what, and how it is run."""

from __future__ import annotations

from collections.abc import Sequence
from types import EllipsisType
from typing import Any, Literal, Unpack

from resumelog.application.batch_files import ArtifactPath
from resumelog.application.errors import BadArgument
from resumelog.application.ports import Verify
from resumelog.application.run_options import RunOptions, require
from resumelog.application.scene_attempt import SceneFunction
from resumelog.domain.values import JsonObject


class Stage:
    """A stage of a pipeline. Raises BadArgument.

    `function(scene)` makes a scene from its content and from what the stage before made of it,
    `scene.before` (its result) and `scene.before_file`. `after` names that stage, by default the
    one before in the list; None takes from nothing. `params`, `context`, `artifact`, `verify` and
    `on_save_error` are those of `SceneBatches.open`, `options` those of `RunOptions`.
    """

    def __init__(
        self,
        name: str,
        function: SceneFunction,
        *,
        params: JsonObject | None = None,
        context: JsonObject | None = None,
        artifact: ArtifactPath | None = None,
        verify: Verify = "stat",
        after: str | EllipsisType | None = ...,
        on_save_error: Literal["raise", "continue"] = "continue",
        **options: Unpack[RunOptions],
    ) -> None:
        """Describe it; nothing is opened yet."""
        require(options)
        self.name, self.function, self.after, self.options = name, function, after, options
        self.opening: dict[str, Any] = {
            "params": params,
            "context": context,
            "artifact": artifact,
            "verify": verify,
            "on_save_error": on_save_error,
        }


def linked(stages: Sequence[Stage]) -> list[tuple[Stage, str | None]]:
    """Return each stage with the name of the one that it comes after. Raises BadArgument."""
    names = [stage.name for stage in stages]
    if not names or len(names) > len({*names}):
        raise BadArgument(option="stages", given=names, advice="give each a name of its own")
    links = []
    for place, stage in enumerate(stages):
        after = stage.after if stage.after is not ... else (names[place - 1] if place else None)
        if after in names[place:]:
            raise BadArgument(option="after", given=after, advice="list that stage before this one")
        links.append((stage, after))
    return links
