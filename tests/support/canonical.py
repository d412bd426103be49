"""Canonical values: the same workers, times, digests and files in every test."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from resumelog.domain.values import Artifact, Attempt, Claim, Worker

NOW = datetime(2025, 3, 1, 8, 30, tzinfo=UTC)
DIGEST = "ab" * 32

WORKER = Worker(
    host="渲染-01",
    boot_id="5f0c8c5e-6f0e-4a3c-9a5b-0d6f6f1c2b3a",
    pid_namespace="4026531836",
    pid=4711,
    started=123_456,
)
OTHER = WORKER.model_copy(update={"host": "渲染-02", "pid": 4712})
CLIP = Artifact(
    root="/srv/作品",
    path="第1集/成片🎬.mp4",
    size=5_242_880,
    mtime_ns=1_740_817_800_123_456_789,
    sha256="cd" * 32,
)


def later(seconds: float) -> datetime:
    """Return the time so many seconds after NOW."""
    return NOW + timedelta(seconds=seconds)


def claim(
    epoch: int = 1, in_flight: tuple[Attempt, ...] | None = None, worker: Worker = WORKER
) -> Claim:
    """Return the right to work under this epoch."""
    return Claim(worker, epoch, in_flight)
