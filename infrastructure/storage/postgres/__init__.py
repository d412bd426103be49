"""PostgreSQL as an eventsourcing store: PERSISTENCE_MODULE=resumelog.infrastructure.storage.postgres.

Every event is sealed in the transaction that inserts it, and its payload goes with it. What was
committed survives a crash of the server, unless POSTGRES_DURABILITY=normal gives its last moments
up; a server that restarts is waited for. Needs the extra `postgres`.
"""

from resumelog.infrastructure.storage.postgres.factory import Factory as Factory
