"""SQLite as an eventsourcing store: PERSISTENCE_MODULE=resumelog.infrastructure.storage.sqlite.

WAL and synchronous=FULL: what was committed survives a kill and a power loss. Positions are never
reused, every event is sealed in the transaction that inserts it, and its payload goes with it.
"""

from resumelog.infrastructure.storage.sqlite.factory import Factory as Factory
