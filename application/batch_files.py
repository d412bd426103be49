"""The files that the scenes of one worker make: where each belongs, and where it is written first."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

from resumelog.application.errors import BadArgument, SceneFileMissing
from resumelog.application.file_places import FilePlaces
from resumelog.application.late_files import LateFiles
from resumelog.application.ports import Artifacts
from resumelog.application.scene import Scene
from resumelog.domain.values import Artifact

ArtifactPath = str | Callable[[Scene], str | Path]
"""A path with {key} and {index} in it, or a function of the scene."""


class BatchFiles:
    """Temporary paths by scene, until the file is placed or discarded."""

    def __init__(self, artifacts: Artifacts, where: ArtifactPath | None) -> None:
        """Take where files belong by default."""
        self._artifacts, self._where = artifacts, where
        self._begun: dict[str, tuple[Path, Path]] = {}
        self._placed: dict[str, Artifact] = {}
        self.late = LateFiles(artifacts.discard)
        self._places: FilePlaces | None = None

    @property
    def are_made(self) -> bool:
        """Tell whether every scene makes a file."""
        return self._where is not None

    def require_free(
        self,
        scene: Scene,
        final: str | Path | None,
        made: Callable[[], Iterable[tuple[str, Artifact]]],
        counts: Callable[[str], bool],
    ) -> None:
        """Give a path to one scene. Raises BadArgument where another has its file there.

        `made` says where files are that were made before, `counts` whether a scene's still does.
        """
        place = self._absolute(scene, final)
        if self._places is None:
            self._places = FilePlaces()
            self.note_made(made())
        is_kept: Callable[[str], bool] = lambda key: self._holds(key) or counts(key)  # noqa: E731 - typed
        if other := self._places.taken_by(place, scene.key, is_kept):
            advice = f"scene {other} has its file there; give scene {scene.key} another path"
            raise BadArgument(option="path", given=str(place), advice=advice)
        self._places.note(scene.key, place)

    def note_made(self, made: Iterable[tuple[str, Artifact]]) -> None:
        """Note where files are that scenes have made, once anybody asked for a path of his own."""
        if self._places is not None:
            for key, artifact in made:
                self._places.note(key, self.path_of(artifact))

    def _absolute(self, scene: Scene, final: str | Path | None) -> Path:
        return self._artifacts.absolute(final if final is not None else self.place_of(scene))

    def _holds(self, key: str) -> bool:
        """Tell whether a scene's file is being written, or is in place and not recorded yet."""
        return key in self._begun or key in self._placed

    def has_begun(self, key: str) -> bool:
        """Tell whether a scene has a temporary path."""
        return key in self._begun

    def partial(self, scene: Scene, final: str | Path | None) -> Path:
        """Return a new temporary path for a scene's file. Raises BadArgument, OSError."""
        place = Path(final) if final is not None else self.place_of(scene)
        self.discard(scene.key)
        self.recorded(scene.key)
        partial = self._artifacts.partial(place)
        self._begun[scene.key] = (partial, place)
        return partial

    def placed(self, key: str, title: str) -> Artifact | None:
        """Move a scene's file into place, durably; None where none was begun.

        Until it is recorded it can be asked again: an interrupt may have come just after it. Raises
        SceneFileMissing, also for none that was begun where every scene makes a file.
        """
        if key in self._placed:
            return self._placed[key]
        if key not in self._begun and not self.are_made:
            return None
        partial, place = self._begun.get(key, (None, Path(key)))
        if partial is None or not partial.exists():
            raise SceneFileMissing(title, scene=key, path=str(place))
        artifact = self._placed[key] = self._artifacts.commit(partial, place)
        self._begun.pop(key, None)
        return artifact

    def recorded(self, key: str) -> None:
        """Forget a scene's file: the log has it."""
        self._placed.pop(key, None)

    def given_up(self, key: str) -> Path | None:
        """Forget a scene's temporary path, and return it: whoever writes there can't be ended."""
        return self._begun.pop(key, (None, None))[0]

    def discard(self, key: str) -> None:
        """Remove what a scene left at its temporary path."""
        if key in self._begun:
            self._artifacts.discard(self._begun.pop(key)[0])

    def discard_all(self) -> None:
        """Remove all that was begun and not placed."""
        for key in [*self._begun]:
            self.discard(key)

    def path_of(self, artifact: Artifact) -> Path:
        """Return where a recorded file is."""
        return self._artifacts.path_of(artifact)

    def places(self, plan: Iterable[Scene]) -> Iterator[str]:
        """Iterate over where the scenes' files belong. Raises BadArgument for one that two would write."""
        writers: dict[str, str] = {}
        for scene in plan:
            place = str(self.place_of(scene))
            first = writers.setdefault(place, scene.key)
            if first != scene.key:
                advice = f"scenes {first} and {scene.key} would both write it; put {{key}} into it"
                raise BadArgument(option="artifact", given=place, advice=advice)
            yield place

    def place_of(self, scene: Scene) -> Path:
        """Return where a scene's file belongs. Raises BadArgument."""
        if self._where is None:
            advice = "name the file's path, or open the batch with artifact='images/{key}.png'"
            raise BadArgument(option="final", given=None, advice=advice)
        if callable(self._where):
            return Path(self._where(scene))
        values: dict[str, Any] = {"key": file_name(scene.key), "index": scene.index}
        try:
            return Path(self._where.format(**values))
        except (KeyError, IndexError, ValueError) as error:
            advice = f"it may hold {{key}} and {{index}}, and no other names: {error}"
            raise BadArgument(option="artifact", given=self._where, advice=advice) from None


def file_name(key: str) -> str:
    """Return a key that names a file in the folder it is put in. Raises BadArgument."""
    if "/" in key or "\\" in key or key in (".", ".."):
        advice = "that is no file name; give a function of the scene for its path"
        raise BadArgument(option="{key}", given=key, advice=advice)
    return key
