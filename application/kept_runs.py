"""The states of runs that are at work, kept and fast-forwarded, so that a look costs no replay."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import NamedTuple, TypeVar

from resumelog.application.event_log import EventLog
from resumelog.domain.autopilot_run import AutoPilotRun
from resumelog.domain.events import Events

Seen = TypeVar("Seen")


class _Kept(NamedTuple):
    run: AutoPilotRun
    lock: threading.Lock


class KeptRuns:
    """One state for each run that is active or paused, brought up to date by whoever asks."""

    def __init__(self, log: EventLog) -> None:
        """Keep none yet."""
        self._log = log
        self._kept: dict[str, _Kept] = {}

    def __len__(self) -> int:
        """How many are kept."""
        return len(self._kept)

    def seen(self, simulation_id: str, look: Callable[[AutoPilotRun], Seen]) -> Seen:
        """Return what `look` makes of the run as the log has it now. Raises BadKey."""
        return self._with(simulation_id, look)

    def decide(self, simulation_id: str, command: Callable[[AutoPilotRun], Events]) -> Events:
        """Append what a control command decides. Raises what it refuses."""
        return self._with(simulation_id, lambda run: self._log.decide(run, command))

    def _with(self, simulation_id: str, use: Callable[[AutoPilotRun], Seen]) -> Seen:
        run = AutoPilotRun.named(simulation_id)
        (key,) = run.natural_key  # one form of an id
        kept = self._kept.get(key) or _Kept(run, threading.Lock())
        with kept.lock:
            try:
                return use(self._log.recover(kept.run))
            finally:
                if kept.run.status in AutoPilotRun.at_work:
                    self._kept[key] = kept
                else:
                    self._kept.pop(key, None)
