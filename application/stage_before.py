"""What the scenes of a stage take from the stage before, as the log has it now."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from threading import Lock

from pydantic import JsonValue

from resumelog.application.errors import BadArgument, PayloadGone, ResultGone
from resumelog.application.event_log import EventLog
from resumelog.application.later_stages import earlier_stages
from resumelog.application.ports import Artifacts
from resumelog.application.scene import MadeBefore
from resumelog.domain.plan import Plan
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

    def require_earlier_than(self, batch: SceneBatch) -> None:
        """Refuse a stage that takes from this batch, so that both would wait for each other.

        What is on record was looked at when it was recorded. Raises BadArgument.
        """
        if self._batch is None:
            return
        advice = "name a stage that is made before this one"
        if self._batch.id != batch.id:
            with self._lock:
                if batch.after == self.stage or not self._is_after(batch):
                    return
            advice = f"it comes after this one itself; {advice}"
        raise BadArgument(batch.title, option="after", given=self.stage, advice=advice)

    @property
    def is_begun(self) -> bool:
        """Tell whether it was ever opened, as it was last looked at."""
        return self._batch is None or self._batch.version > 0

    def _is_after(self, batch: SceneBatch) -> bool:
        assert self._batch
        return batch.id in earlier_stages(self._log, self._log.recover(self._batch))

    def taken(self, key: str) -> JsonValue:
        """Return the hashes of a scene's result and file there, None while it is not done."""
        ((_, taken),) = self.all_taken([key])
        return taken

    def made(self, key: str) -> tuple[JsonValue, MadeBefore]:
        """Return a scene's result and file there; nothing while it is not done."""
        ((_, event),) = self._completed([key])
        if event is None:
            return None, MadeBefore()
        file = self._artifacts.path_of(event.artifact) if event.artifact else None
        try:
            return _hashes(event), MadeBefore(self._log.value_of(event), file)
        except PayloadGone as gone:
            return _hashes(event), MadeBefore(None, file, str(gone), self._name)

    def require_there(self, keys: Iterable[str]) -> None:
        """Refuse scenes whose result was removed here and who made no file. Raises ResultGone."""
        if self._batch is None:
            return
        with self._lock:
            removed_at = self._log.recover(self._batch).payloads_removed_at
        for key, event in self._completed(keys if removed_at else ()):
            if event and not event.artifact and event.originator_version < removed_at:
                self._require_value(key, event)

    def _require_value(self, key: str, event: SceneCompleted) -> None:
        try:
            self._log.value_of(event)
        except PayloadGone as gone:
            raise ResultGone(scene=key, before=self._name, why=str(gone)) from gone

    @property
    def _name(self) -> str:
        return "/".join(self._batch.natural_key) if self._batch else ""

    def waiting(self, keys: Iterable[str]) -> set[str]:
        """Return the scenes that can't be begun: they are not done there."""
        if self._batch is None:
            return set()
        with self._lock:
            self._log.recover(self._batch)
            return {key for key in keys if not self._batch.is_done(key)}

    def outdated(self, batch: SceneBatch, plan: Plan, keys: Iterable[str]) -> dict[str, str]:
        """Return which scenes of a batch are done with another input than theirs is now, and why.

        What is to be made again in the stage before counts as another input at once, so that
        nothing passes for finished that rests on it.
        """
        stale = {}
        for key, taken in self.all_taken(filter(batch.is_done, keys)):
            if batch.scenes[key].fingerprint != plan.fingerprint(key, taken):
                stale[key] = "its input or its command changed"
                if taken is None and self._batch is not None:
                    stale[key] = f"it is to be made again in {self.stage}"
        return stale

    def all_taken(self, keys: Iterable[str]) -> Iterator[tuple[str, JsonValue]]:
        """Iterate over scenes with the hashes of what they take."""
        for key, event in self._completed(keys):
            yield key, _hashes(event) if event else None

    def _completed(self, keys: Iterable[str]) -> Iterator[tuple[str, SceneCompleted | None]]:
        """Iterate over scenes with the events that completed them, read a page at a time."""
        keys = [*keys]
        if self._batch is None:
            yield from ((key, None) for key in keys)
            return
        with self._lock:
            scenes = self._log.recover(self._batch).scenes
            done = {key: scenes[key].version for key in keys if self._batch.is_done(key)}
        events = self._log.events_at(self._batch.id, done.values())
        for key in keys:
            event = next(events) if key in done else None
            assert isinstance(event, SceneCompleted | None)
            yield key, event


def _hashes(event: SceneCompleted) -> JsonValue:
    return [part.sha256 if part else None for part in (event.result, event.artifact)]
