"""Rows of the `jobs` projection as they are stored: columns to find them by, and their facts."""

from __future__ import annotations

import json
from datetime import datetime
from uuid import UUID

from eventsourcing.persistence import Cipher

from resumelog.application.errors import DamagedView
from resumelog.application.job_row import JobRow
from resumelog.infrastructure.storage.ciphertexts import JOB, Place, decrypted, encrypted

FORMAT = 1

COLUMNS = "originator_id, position, kind, status, facts"

StoredJob = tuple[str, int, str, str, bytes]
"""The columns of a row: stream (hex), position, kind, status, and the facts: JSON, or encrypted."""


def stored(row: JobRow, cipher: Cipher | None) -> StoredJob:
    """Return a row as it is stored; what a log encrypts is not told by its list of jobs."""
    created, modified = row.created_at, row.modified_at
    facts = [
        FORMAT,
        row.name,
        row.version,
        row.progress,
        row.done,
        row.failed,
        row.total,
        row.attempts,
        row.worker,
        created and created.isoformat(),
        modified and modified.isoformat(),
        row.error,
        [*row.failed_scenes],
        row.steps,
        [*row.completed],
        row.tries,
    ]
    content = json.dumps(facts, ensure_ascii=False, separators=(",", ":")).encode()
    content = encrypted(cipher, content, _place(row))
    return (row.id.hex, row.position, row.kind, row.status, content)


def job_row(columns: StoredJob, cipher: Cipher | None) -> JobRow:
    """Return the row. Raises DamagedView."""
    stream, position, kind, status, content = columns
    try:
        row = JobRow(UUID(stream), kind, "", status, position)
        number, *facts = json.loads(str(decrypted(cipher, content, _place(row)), "utf-8"))
        assert number == FORMAT, f"it has format {number}, this resumelog knows {FORMAT}"
        row.name, row.version, row.progress, row.done, row.failed, row.total, *others = facts
        row.attempts, row.worker, created, modified, row.error, *memory = others
        row.created_at = created and datetime.fromisoformat(created)
        row.modified_at = modified and datetime.fromisoformat(modified)
        failed_scenes, steps, completed, row.tries = memory
        row.failed_scenes, row.steps, row.completed = {*failed_scenes}, (*steps,), {*completed}
    except Exception as error:
        raise DamagedView(why=f"stream {stream}: {type(error).__name__}: {error}") from error
    return row


def _place(row: JobRow) -> Place:
    return Place(JOB, row.id, row.position, f"{row.kind} {row.status}")
