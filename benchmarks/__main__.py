"""python -m benchmarks [startup] [store] [jobs] [audit] [postgres]: all of them by default."""

from __future__ import annotations

import sys

from benchmarks import audit, jobs, postgres, startup, store

ALL = {
    "startup": startup.measure,
    "store": store.measure,
    "jobs": jobs.measure,
    "audit": audit.measure,
    "postgres": postgres.measure,
}

for name in sys.argv[1:] or ALL:
    ALL[name]()
