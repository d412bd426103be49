"""python -m benchmarks [startup] [store] [exports] [scenes] [jobs] [audit] [postgres] [autopilot]: all by default."""

from __future__ import annotations

import sys

from benchmarks import audit, autopilot, exports, jobs, postgres, scenes, startup, store

ALL = {
    "startup": startup.measure,
    "store": store.measure,
    "exports": exports.measure,
    "scenes": scenes.measure,
    "jobs": jobs.measure,
    "audit": audit.measure,
    "postgres": postgres.measure,
    "autopilot": autopilot.measure,
}

for name in sys.argv[1:] or ALL:
    ALL[name]()
