"""What the list of jobs costs, at a hundred thousand jobs (budget: 100 ms for a page of it)."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory

import resumelog
from benchmarks.measuring import medians
from resumelog.domain.aggregate import stream_id
from resumelog.domain.events import DomainEvent
from resumelog.domain.export_events import Completed, ProgressSaved, Started
from resumelog.domain.export_job import ExportJob
from resumelog.domain.values import Worker
from resumelog.infrastructure.bootstrap import ResumeLog

JOBS = 100_000
BATCH = 1000
AT_WORK = 50
"""Every so many jobs, one is not completed."""
NOW = datetime(2026, 1, 1, tzinfo=UTC)
WORKER = Worker(host="render-01", boot_id="b", pid_namespace="n", pid=4711, started=1)


def measure() -> None:
    """Print what it costs to catch up, to rebuild, and to ask once caught up."""
    with (
        TemporaryDirectory(dir=Path.cwd(), prefix=".bench-") as folder,
        resumelog.open(Path(folder, "jobs.db")) as log,
    ):
        events = _fill(log)
        print(f"\nThe list of {JOBS:,} jobs, from {events:,} events")
        _rate("catch up", events, lambda: log.queries.jobs(limit=100))
        _rate("rebuild", events, log.queries.rebuild)
        for name, seconds in medians(_questions(log)).items():
            print(f"{name:<44}{seconds * 1e3:>12.2f} ms")


def _questions(log: ResumeLog) -> dict[str, Callable[[], int]]:
    queries = log.queries
    some_id = stream_id(ExportJob.kind, ["/job 4711"]).hex

    def asked(answer: object) -> int:
        assert answer
        return 1

    return {
        "the 100 newest": lambda: asked(queries.jobs(limit=100)),
        "the 100 newest that run": lambda: asked(queries.jobs(statuses=["running"], limit=100)),
        "the 100 newest of a kind": lambda: asked(queries.jobs(kinds=["ExportJob"], limit=100)),
        "how many run": lambda: asked(queries.count(statuses=["running"])),
        "one by the beginning of its id": lambda: asked(queries.find(some_id[:8])),
        "all": lambda: asked(queries.jobs()),
    }


def _rate(name: str, events: int, work: Callable[[], object]) -> None:
    start = time.perf_counter()
    work()
    print(f"{name:<44}{events / (time.perf_counter() - start):>12,.0f} events/s")


def _fill(log: ResumeLog) -> int:
    """Write the jobs, many in one transaction; return the number of events."""
    count = 0
    for first in range(0, JOBS, BATCH):
        events = [each for job in range(first, first + BATCH) for each in _job(job)]
        log.log.events.put(events)
        count += len(events)
    return count


def _job(number: int) -> list[DomainEvent]:
    key = f"/job {number}"
    stream = stream_id(ExportJob.kind, [key])

    def event(kind: type[DomainEvent], version: int, **facts: object) -> DomainEvent:
        columns = {"originator_id": stream, "originator_version": version, "timestamp": NOW}
        return kind.model_validate({**columns, "epoch": 1, **facts})

    work = {"key": key, "exporter": "", "output_path": key, "inputs_sha256": ""}
    begun = [
        event(Started, 1, worker=WORKER, **work),
        event(ProgressSaved, 2, progress=0.5, units_done=5, units_total=10),
        event(ProgressSaved, 3, progress=1.0, units_done=10, units_total=10),
    ]
    return begun if number % AT_WORK == 0 else [*begun, event(Completed, 4)]
