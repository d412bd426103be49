"""python -m benchmarks [postgres] [startup] [store]: all of them by default."""

from __future__ import annotations

import sys

from benchmarks import postgres, startup, store

ALL = {"postgres": postgres.measure, "startup": startup.measure, "store": store.measure}

for name in sys.argv[1:] or ALL:
    ALL[name]()
