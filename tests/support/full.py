"""A disk that is full, until it is freed."""

from __future__ import annotations

from typing import Any

import pytest
from eventsourcing.persistence import StoredEvent
from support.logs import Store

from resumelog import ResumeLog
from resumelog.application.errors import StoreUnavailable
from resumelog.infrastructure.storage.sqlite.recorders import ApplicationRecorder


class Full(ApplicationRecorder):
    """Has no room for any event until it is freed, but for the next `room` saves."""

    is_full, room = True, 0

    def insert_events(self, stored_events: list[StoredEvent], **beside: Any) -> None:  # type: ignore[override]
        if type(self).room:
            type(self).room -= 1
        elif type(self).is_full:
            raise StoreUnavailable(store="jobs.db", why="it is full", advice="free it")
        super().insert_events(stored_events, **beside)


class FullDisk:
    """The disk below a log; there is room at first."""

    def __init__(self, store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
        self._patch = monkeypatch
        monkeypatch.setattr(Full, "is_full", False)
        monkeypatch.setenv("APPLICATION_RECORDER_TOPIC", f"{__name__}:Full")
        self.log: ResumeLog = store.open()

    def fill(self) -> None:
        self._patch.setattr(Full, "is_full", True)

    def free(self, *, saves: int = 0) -> None:
        """Free it, or make room for so many saves."""
        self._patch.setattr(Full, "room", saves)
        self._patch.setattr(Full, "is_full", bool(saves))
