"""python -m benchmarks [startup] [store]: all of them by default."""

from __future__ import annotations

import sys

from benchmarks import startup, store

ALL = {"startup": startup.measure, "store": store.measure}

for name in sys.argv[1:] or ALL:
    ALL[name]()
