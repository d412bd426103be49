"""What an auditor reads of one log in PostgreSQL: the rows as they stand, and their seals."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Sequence
from typing import Any
from uuid import UUID

from resumelog.application.ports import SealedRow
from resumelog.domain.seals import Head
from resumelog.infrastructure.storage.postgres.connections import Datastore, patiently

BEFORE_ALL = "0" * 32
"""An id that no stream has: uuid5 marks its version and variant."""

HEADS = """
WITH RECURSIVE streams AS (
    (SELECT originator_id FROM {events} WHERE originator_id > %s::{id_type}
     ORDER BY originator_id LIMIT 1)
    UNION ALL
    SELECT (SELECT originator_id FROM {events} WHERE originator_id > streams.originator_id
            ORDER BY originator_id LIMIT 1)
    FROM streams WHERE originator_id IS NOT NULL
)
SELECT {stream}, head.originator_version, head.seal FROM streams, LATERAL (
    SELECT originator_version, seal FROM {events} AS log
    WHERE log.originator_id = streams.originator_id ORDER BY originator_version DESC LIMIT 1
) AS head
LIMIT %s
"""
"""From stream to stream through the index, so that a long one costs what a short one does."""


class SealedReads:
    """The `SealedEvents` of a recorder."""

    datastore: Datastore

    @abstractmethod
    def _select(self, statement: str, values: Sequence[object]) -> list[tuple[Any, ...]]:
        """Return the rows of a statement on the tables of the log."""

    def sealed_by_position(self, *, gt: int, limit: int) -> Sequence[SealedRow]:
        """Return the events after a position, in the order of their positions."""
        return self._sealed("notification_id > %s ORDER BY notification_id LIMIT %s", gt, limit)

    @patiently
    def sealed_heads(self, *, gt: str, limit: int) -> Sequence[Head]:
        """Return the newest event of each stream after a stream, in the order of streams."""
        before_all = BEFORE_ALL if self.datastore.originator_id_type == "uuid" else ""
        rows = self._select(HEADS, (gt or before_all, limit))
        return [Head(*row) for row in rows]

    def damage(self, *, limit: int) -> Sequence[str]:
        """Return nothing: PostgreSQL's own check needs an extension and its owner's rights."""
        del limit
        return []

    def sealed_by_version(self, stream: UUID | str, *, gt: int, limit: int) -> Sequence[SealedRow]:
        """Return the events of a stream after a version, in the order of their versions."""
        where = (
            "originator_id = %s AND originator_version > %s ORDER BY originator_version LIMIT %s"
        )
        return self._sealed(where, stream, gt, limit)

    @patiently
    def _sealed(self, where: str, *values: object) -> Sequence[SealedRow]:
        rows: list[Any] = self._select(
            "SELECT notification_id, {stream}, originator_version, topic, state, seal"
            f" FROM {{events}} WHERE {where}",
            values,
        )
        return rows
