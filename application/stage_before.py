"""What the scenes of a stage take from the stage before, as the log has it now."""

from __future__ import annotations

from threading import Lock

from pydantic import JsonValue

from resumelog.application.errors import PayloadGone
from resumelog.application.event_log import EventLog
from resumelog.application.ports import Artifacts
from resumelog.application.scene import MadeBefore
from resumelog.domain.scene_batch import SceneBatch
from resumelog.domain.scene_events import SceneCompleted


class StageBefore:
    """The batch that another comes after; without one, nothing is taken. Safe for threads."""

    def __init__(
        self, log: EventLog, project: str, stage: str | None, artifacts: Artifacts
    ) -> None:
        """Read nothing yet."""
        self.stage = stage
        self._log, self._artifacts, self._lock = log, artifacts, Lock()
        self._batch = SceneBatch.named(project, stage) if stage is not None else None

    def taken(self, key: str) -> JsonValue:
        """Return the hashes of a scene's result and file there, None while it is not done."""
        event = self._completed(key)
        if event is None:
            return None
        made = (event.result, event.artifact)
        return [part.sha256 if part else None for part in made]

    def made(self, key: str) -> MadeBefore:
        """Return a scene's result and file there; nothing while it is not done."""
        event = self._completed(key)
        if event is None:
            return MadeBefore()
        file = self._artifacts.path_of(event.artifact) if event.artifact else None
        try:
            return MadeBefore(self._log.value_of(event), file)
        except PayloadGone as gone:
            return MadeBefore(None, file, str(gone))

    def is_done(self, key: str) -> bool:
        """Tell whether a scene can be begun; so can any where there is no stage before."""
        return self._batch is None or self._completed(key) is not None

    def _completed(self, key: str) -> SceneCompleted | None:
        if self._batch is None:
            return None
        with self._lock:
            if not self._log.recover(self._batch).is_done(key):
                return None
            version = self._batch.scenes[key].version
        event = self._log.event(self._batch.id, version)
        assert isinstance(event, SceneCompleted)
        return event
