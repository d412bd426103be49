"""The database's identity and its named migrations."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

from resumelog.application.errors import NewerSchema, NotOurDatabase
from resumelog.domain.aggregate import ORIGIN_TOPICS
from resumelog.infrastructure.storage.sqlite.engine import sqlite3

APPLICATION_ID = 0x52534C47  # "RSLG", told by `file` and PRAGMA application_id

EVENTS = """
CREATE TABLE IF NOT EXISTS {table} (
    position INTEGER PRIMARY KEY AUTOINCREMENT,
    originator_id TEXT NOT NULL,
    originator_version INTEGER NOT NULL,
    topic TEXT NOT NULL,
    state BLOB NOT NULL,
    seal BLOB NOT NULL,
    UNIQUE (originator_id, originator_version)
)
"""

IS_ORIGIN = f"topic IN {ORIGIN_TOPICS!r}"
"""A query must say it in just these words for SQLite to use the index."""

THE_LOG = (
    EVENTS.format(table="stored_events"),
    f"CREATE INDEX origins ON stored_events (originator_id, originator_version) WHERE {IS_ORIGIN}",
    """
    CREATE TABLE payloads (
        position INTEGER PRIMARY KEY REFERENCES stored_events (position),
        content BLOB NOT NULL
    )
    """,
    """
    CREATE TABLE leases (
        originator_id TEXT PRIMARY KEY,
        epoch INTEGER NOT NULL,
        holder TEXT,
        in_flight TEXT NOT NULL
    ) WITHOUT ROWID
    """,
    """
    CREATE TABLE workers (
        holder TEXT PRIMARY KEY,
        identity TEXT NOT NULL,
        beat REAL NOT NULL,
        lease_s REAL NOT NULL
    ) WITHOUT ROWID
    """,
    """
    CREATE TABLE jobs (
        originator_id TEXT NOT NULL UNIQUE,
        position INTEGER NOT NULL,
        kind TEXT NOT NULL,
        status TEXT NOT NULL,
        facts BLOB NOT NULL
    )
    """,
    "CREATE INDEX jobs_by_change ON jobs (position, status, kind)",
    # As eventsourcing's `tracking`, whose form depends on a setting.
    """
    CREATE TABLE jobs_position (
        application_name TEXT PRIMARY KEY,
        notification_id INTEGER NOT NULL
    ) WITHOUT ROWID
    """,
)

MIGRATIONS: tuple[tuple[str, tuple[str, ...]], ...] = (
    ("the log, payloads, leases and jobs", THE_LOG),
)
"""Each takes the schema one version up. What has been released is never changed."""


def migrate(connection: sqlite3.Connection, store: str) -> None:
    """Make the database ours, at the newest schema. Raises NotOurDatabase and NewerSchema."""
    if require_ours(connection, store) == len(MIGRATIONS):
        return
    connection.execute("BEGIN IMMEDIATE")
    try:
        for number in range(require_ours(connection, store), len(MIGRATIONS)):
            _apply(connection, number + 1)
        connection.execute("COMMIT")
    except BaseException:
        _roll_back(connection)
        raise


def require_ours(connection: sqlite3.Connection, store: str) -> int:
    """Return the schema version, 0 for an empty file. Raises NotOurDatabase and NewerSchema."""
    if not connection.in_transaction:
        connection.execute("BEGIN")  # one look, while another process may be making it
        try:
            return require_ours(connection, store)
        finally:
            _roll_back(connection)
    (ours,) = connection.execute("PRAGMA application_id").fetchone()
    (tables,) = connection.execute("SELECT count(*) FROM sqlite_schema").fetchone()
    (version,) = connection.execute("PRAGMA user_version").fetchone()
    if ours != APPLICATION_ID and (tables or ours or version):
        raise NotOurDatabase(store=store, what="another program's database")
    if version > len(MIGRATIONS):
        raise NewerSchema(store=store, found=version, known=len(MIGRATIONS))
    return int(version)


def _roll_back(connection: sqlite3.Connection) -> None:
    """Roll back, unless SQLite has done so itself, as on a full disk: the true cause is to be told."""
    if connection.in_transaction:
        connection.execute("ROLLBACK")


def _apply(connection: sqlite3.Connection, version: int) -> None:
    name, statements = MIGRATIONS[version - 1]
    connection.execute(
        "CREATE TABLE IF NOT EXISTS migrations"
        " (version INTEGER PRIMARY KEY, name TEXT NOT NULL, applied_at TEXT NOT NULL)"
    )
    for statement in statements:
        connection.execute(statement)
    applied_at = datetime.now(UTC).isoformat()
    connection.execute("INSERT INTO migrations VALUES (?, ?, ?)", (version, name, applied_at))
    connection.execute(f"PRAGMA application_id = {APPLICATION_ID}")
    connection.execute(f"PRAGMA user_version = {version}")


def is_there(path: Path) -> bool:
    """Tell whether there is a file with something in it."""
    return path.is_file() and path.stat().st_size > 0
