"""A simulation whose every look does what a test says, in a service that a test ends."""

from __future__ import annotations

import queue
import threading
from collections.abc import Mapping
from pathlib import Path
from typing import Literal

from pydantic import JsonValue
from support.clocks import StillClock
from support.hosts import PATIENCE_S, SIM, SKIPPED, no_result

import resumelog
from resumelog import AutoPilot, Poll, ResumeLog, StepContext, StopAsked
from resumelog.application.steps import Step
from resumelog.infrastructure.storage.leases import TableLeases
from resumelog.infrastructure.storage.memory_jobs import MemoryJobsView

Look = Literal["news", "nothing", "an error", "the end", "leave"]


class Watched(Poll):
    """A poll that waits at each look for what it sees there, and tells when it is left."""

    def __init__(self, every_s: float, limit_s: float) -> None:
        super().__init__(self._see, every_s=every_s, limit_s=limit_s)
        self.sees: queue.Queue[Look] = queue.Queue()
        self.told: queue.Queue[str] = queue.Queue()
        self.context: StepContext | None = None

    def __call__(self, context: StepContext) -> JsonValue:
        try:
            return super().__call__(context)
        finally:
            self.told.put("left")

    def _see(self, context: StepContext) -> JsonValue:
        self.context = context
        self.told.put("looks")
        seen = self.sees.get(timeout=PATIENCE_S)
        if seen == "leave":
            raise StopAsked
        if seen == "an error":
            raise ConnectionError("没有回应")
        if seen == "news":
            rounds = _rounds(context) + 1  # else a service that follows another tells nothing new
            context.progress(rounds % 100, f"第 {rounds} 轮", resume_data=rounds)
        return "over" if seen == "the end" else None


def _rounds(context: StepContext) -> int:
    """Return how many were told so far, by whatever service."""
    told = context.resume_data or 0
    assert isinstance(told, int)
    return told


class Service:
    """One process's share of a log in memory: a pilot, and a worker that waits at each look."""

    def __init__(self, log: ResumeLog, every_s: float, limit_s: float) -> None:
        self.log = ResumeLog(
            log.log, MemoryJobsView(), TableLeases(log.leases.table, 15), log.clock, Path.cwd()
        )
        self.poll = Watched(every_s, limit_s)
        self.pilot: AutoPilot = self.log.autopilot(self, SKIPPED)

    @property
    def steps(self) -> Mapping[str, Step]:
        return {"preparing": no_result, "monitoring": self.poll, "generating_report": no_result}

    def exists(self, _: str) -> bool:
        return True

    def settled(self) -> bool:
        """Return once the worker waits at a look, or has ended; tell whether it waits."""
        if self.poll.told.get(timeout=PATIENCE_S) == "looks":
            return True
        self.pilot.wait(SIM, PATIENCE_S)
        return False

    def sees(self, look: Look) -> bool:
        """Let the worker see something; tell whether it waits at the next look."""
        self.poll.sees.put(look)
        return self.settled()

    @property
    def left_s(self) -> float:
        """How long the worker that waits at a look still has."""
        assert self.poll.context
        return self.poll.context.left_s

    def is_as_recorded(self) -> bool:
        """Tell whether a replay gives the state that the worker holds."""
        return self.pilot._drivers[SIM]._running.is_as_recorded()

    def hand_back(self) -> None:
        """End as a service does that is told to."""
        closing = threading.Thread(target=self.log.leases.close)
        self.pilot._closing.set()
        self.poll.sees.put("nothing")
        self.settled()
        closing.start()
        closing.join()

    def be_gone(self) -> None:
        """Leave the worker where it is, and its lease, as a kill does."""
        self.log.leases.table.leave(self.log.leases.holder_id)

    def clear_away(self) -> None:
        """End what is left of it."""
        self.poll.sees.put("leave")
        self.pilot.close()
        self.log.leases.close()


def still_log(clock: StillClock) -> ResumeLog:
    """Return a log in memory, under a clock whose time is skipped."""
    return resumelog.open("memory:", clock=clock)
