"""The tables of one application in a PostgreSQL schema, and their named migrations."""

from __future__ import annotations

from functools import lru_cache
from typing import Any, NamedTuple

from psycopg import Cursor
from psycopg.sql import SQL, Identifier

from resumelog.application.errors import NewerSchema, NotOurDatabase
from resumelog.domain.aggregate import ORIGIN_TOPICS

THE_LOG = (
    # As the stock recorder makes it, with a seal. The positions are never reused. Vacuum is rare,
    # since writers wait while it is at the table, and nothing is updated.
    """
    CREATE TABLE {events} (
        originator_id {id_type} NOT NULL,
        originator_version bigint NOT NULL,
        topic text NOT NULL,
        state bytea NOT NULL,
        seal bytea NOT NULL,
        notification_id bigserial,
        PRIMARY KEY (originator_id, originator_version)
    ) WITH (
        autovacuum_vacuum_threshold = 100000000,
        autovacuum_vacuum_insert_threshold = 100000000,
        autovacuum_vacuum_scale_factor = 0.5,
        autovacuum_analyze_threshold = 1000,
        autovacuum_analyze_scale_factor = 0.01
    )
    """,
    "CREATE UNIQUE INDEX {index} ON {events} (notification_id)",
    "CREATE INDEX {origins} ON {events} (originator_id, originator_version) WHERE {is_origin}",
    """
    CREATE TABLE {payloads} (
        originator_id {id_type} NOT NULL,
        originator_version bigint NOT NULL,
        content bytea NOT NULL,
        PRIMARY KEY (originator_id, originator_version)
    )
    """,
    # It is compressed already.
    "ALTER TABLE {payloads} ALTER COLUMN content SET STORAGE EXTERNAL",
    """
    CREATE TABLE {leases} (
        originator_id {id_type} PRIMARY KEY,
        epoch bigint NOT NULL,
        holder text,
        in_flight text NOT NULL
    ) WITH (fillfactor = 50)
    """,
    """
    CREATE TABLE {workers} (
        holder text PRIMARY KEY,
        identity text NOT NULL,
        beat double precision NOT NULL,
        lease_s double precision NOT NULL
    ) WITH (fillfactor = 50)
    """,
    """
    CREATE TABLE {jobs} (
        originator_id text COLLATE "C" PRIMARY KEY,
        position bigint NOT NULL,
        kind text NOT NULL,
        status text NOT NULL,
        facts bytea NOT NULL
    )
    """,
    "CREATE INDEX {jobs_index} ON {jobs} (position, status, kind)",
    # As eventsourcing's table of tracking, whose form depends on a setting.
    """
    CREATE TABLE {jobs_position} (
        application_name text PRIMARY KEY,
        notification_id bigint NOT NULL
    )
    """,
)

MIGRATIONS: tuple[tuple[str, tuple[str, ...]], ...] = (
    ("the log, payloads, leases and jobs", THE_LOG),
)
"""Each takes the schema one version up. What has been released is never changed."""


class Tables(NamedTuple):
    """The names of one application's tables: the one of its events, and those beside it."""

    schema: str
    events: str
    id_type: str

    def beside(self, name: str) -> str:
        """Return the name of another table of the same application."""
        return f"{self.events.removesuffix('_events')}_{name}"

    def named(self, statement: str) -> str:
        """Return a statement with its {events}, {payloads}, … filled in."""
        return _named(self, statement)


_STREAM = {"uuid": "replace(originator_id::text, '-', '')", "text": "originator_id"}
"""A stream as seals and manifests name it."""


@lru_cache(maxsize=256)
def _named(tables: Tables, statement: str) -> str:
    beside = ("payloads", "leases", "workers", "jobs", "jobs_position", "migrations")
    filled = SQL(statement).format(
        **{name: Identifier(tables.schema, tables.beside(name)) for name in beside},
        events=Identifier(tables.schema, tables.events),
        id_type=Identifier(tables.id_type),
        index=Identifier(f"{tables.events}_notification_id_idx"),
        origins=Identifier(f"{tables.events}_origins_idx"),
        jobs_index=Identifier(f"{tables.beside('jobs')}_by_change_idx"),
        stream=SQL(_STREAM[tables.id_type]),
        is_origin=SQL(f"topic IN {ORIGIN_TOPICS!r}"),
    )
    return filled.as_string()


def migrate(cursor: Cursor[Any], tables: Tables, store: str) -> None:
    """Bring the tables to the newest schema. Raises NotOurDatabase and NewerSchema.

    Only one process may do so at a time, in one transaction.
    """
    for number in range(require_ours(cursor, tables, store), len(MIGRATIONS)):
        name, statements = MIGRATIONS[number]
        if number == 0:
            cursor.execute(
                tables.named(
                    "CREATE TABLE {migrations} (version integer PRIMARY KEY, name text NOT NULL,"
                    " applied_at timestamptz NOT NULL DEFAULT now())"
                )
            )
        for statement in statements:
            cursor.execute(tables.named(statement))
        cursor.execute(
            tables.named("INSERT INTO {migrations} (version, name) VALUES (%s, %s)"),
            (number + 1, name),
        )


def require_ours(cursor: Cursor[Any], tables: Tables, store: str) -> int:
    """Return the schema version, 0 where nothing is. Raises NotOurDatabase and NewerSchema."""
    columns = _columns(cursor, tables.schema, tables.events)
    if columns and "seal" not in columns:
        what = f"in use by another application, whose table {tables.events} has no seals"
        raise NotOurDatabase(store=store, what=what)
    if not _columns(cursor, tables.schema, tables.beside("migrations")):
        return 0
    cursor.execute(tables.named("SELECT coalesce(max(version), 0) AS version FROM {migrations}"))
    row = cursor.fetchone()
    assert row is not None, "an aggregate without GROUP BY has one row"
    if row["version"] > len(MIGRATIONS):
        raise NewerSchema(store=store, found=row["version"], known=len(MIGRATIONS))
    return int(row["version"])


def _columns(cursor: Cursor[Any], schema: str, table: str) -> set[str]:
    cursor.execute(
        "SELECT attname FROM pg_attribute WHERE attnum > 0 AND NOT attisdropped"
        " AND attrelid = to_regclass(format('%%I.%%I', %s::text, %s::text))",
        (schema, table),
    )
    return {row["attname"] for row in cursor.fetchall()}
