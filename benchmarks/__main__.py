"""python -m benchmarks [startup] [store] [jobs]: all of them by default."""

from __future__ import annotations

import sys

from benchmarks import jobs, startup, store

ALL = {"startup": startup.measure, "store": store.measure, "jobs": jobs.measure}

for name in sys.argv[1:] or ALL:
    ALL[name]()
