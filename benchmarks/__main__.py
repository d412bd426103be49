"""python -m benchmarks [startup] [store] [jobs] [audit]: all of them by default."""

from __future__ import annotations

import sys

from benchmarks import audit, jobs, startup, store

ALL = {
    "startup": startup.measure,
    "store": store.measure,
    "jobs": jobs.measure,
    "audit": audit.measure,
}

for name in sys.argv[1:] or ALL:
    ALL[name]()
