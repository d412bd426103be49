"""What an auditor reads of one SQLite database: the rows as they stand, and their seals."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from resumelog.application.ports import SealedRow
from resumelog.domain.seals import Head
from resumelog.infrastructure.storage.heads import as_text
from resumelog.infrastructure.storage.sqlite.datastore import Datastore

HEADS = """
WITH RECURSIVE streams (stream) AS (
    SELECT min(originator_id) FROM {table} WHERE originator_id > :gt
    UNION ALL
    SELECT (SELECT min(originator_id) FROM {table} WHERE originator_id > stream)
    FROM streams WHERE stream IS NOT NULL LIMIT :limit
)
SELECT originator_id, originator_version, seal FROM streams JOIN {table} ON position = (
    SELECT position FROM {table} WHERE originator_id = stream
    ORDER BY originator_version DESC LIMIT 1
)
"""
"""From stream to stream through the index, so that a long one costs what a short one does."""


class SealedReads:
    """The `SealedEvents` of a recorder."""

    datastore: Datastore
    events_table_name: str

    def sealed_by_position(self, *, gt: int, limit: int) -> Sequence[SealedRow]:
        """Return the events after a position, in the order of their positions."""
        # With > the search would begin at `gt` itself, on a page that may be the damaged one.
        return self._sealed("position >= ? ORDER BY position LIMIT ?", gt + 1, limit)

    def sealed_by_version(self, stream: UUID | str, *, gt: int, limit: int) -> Sequence[SealedRow]:
        """Return the events of a stream after a version, in the order of their versions."""
        where = "originator_id = ? AND originator_version > ? ORDER BY originator_version LIMIT ?"
        return self._sealed(where, as_text(stream), gt, limit)

    def sealed_heads(self, *, gt: str, limit: int) -> Sequence[Head]:
        """Return the newest event of each stream after a stream, in the order of streams."""
        statement = HEADS.format(table=self.events_table_name)
        with self.datastore.transaction(commit=False) as c:
            return [Head(*row) for row in c.execute(statement, {"gt": gt, "limit": limit})]

    def damage(self, *, limit: int) -> Sequence[str]:
        """Return what SQLite's own check finds: tables and indexes, page by page."""
        with self.datastore.transaction(commit=False) as c:
            found = [row[0] for row in c.execute(f"PRAGMA integrity_check({limit})").fetchall()]
        return [] if found == ["ok"] else found

    def _sealed(self, where: str, *values: object) -> Sequence[SealedRow]:
        statement = (
            "SELECT position, originator_id, originator_version, topic, state, seal"
            f" FROM {self.events_table_name} WHERE {where}"
        )
        with self.datastore.transaction(commit=False) as c:
            rows: list[SealedRow] = c.execute(statement, values).fetchall()
        return rows
