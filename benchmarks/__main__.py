"""python -m benchmarks [audit] [startup] [store]: all of them by default."""

from __future__ import annotations

import sys

from benchmarks import audit, startup, store

ALL = {"audit": audit.measure, "startup": startup.measure, "store": store.measure}

for name in sys.argv[1:] or ALL:
    ALL[name]()
