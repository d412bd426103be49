"""The SQLite that is used: the newest there is.

SQLite 3.7.0 to 3.51.2 can, very rarely, damage a log that several connections write when its -wal
begins anew. `pysqlite3` (the extra `sqlite`) brings a newer one than Python links.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import sqlite3
else:
    try:
        import pysqlite3 as sqlite3
    except ImportError:
        import sqlite3

__all__ = ["sqlite3"]
