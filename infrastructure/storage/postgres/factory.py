"""The factory: the library's environment variables and further ones, and our recorders."""

from __future__ import annotations

from typing import Any

import eventsourcing.postgres as stock
from eventsourcing.persistence import Mapper, Transcoder
from eventsourcing.utils import Environment, EnvType
from psycopg import ProgrammingError
from psycopg.conninfo import conninfo_to_dict

from resumelog.application.errors import BadSetting
from resumelog.application.ports import JobsView
from resumelog.infrastructure.storage.lease_table import LeaseTable
from resumelog.infrastructure.storage.mapper import keeping_payloads_aside
from resumelog.infrastructure.storage.postgres.connections import LOCK_TIMEOUT_S, Datastore
from resumelog.infrastructure.storage.postgres.jobs import PostgresJobsView
from resumelog.infrastructure.storage.postgres.leases import PostgresLeaseTable
from resumelog.infrastructure.storage.postgres.recorders import (
    AggregateRecorder,
    ApplicationRecorder,
    ProcessRecorder,
    TrackingRecorder,
)
from resumelog.infrastructure.storage.postgres.schema import Tables
from resumelog.infrastructure.storage.postgres.url import STOCK


def _parameters(text: str) -> dict[str, object]:
    try:
        return {**conninfo_to_dict(text)}
    except ProgrammingError as error:
        raise BadSetting(name="POSTGRES_PARAMETERS", why=str(error).strip()) from None


class Factory(stock.PostgresFactory):
    """The stock factory and its environment variables, with these recorders.

    POSTGRES_PARAMETERS: further parameters of libpq, as `name=value name=value`.
    POSTGRES_DURABILITY: `full`, or `normal` (a crash of the server may lose the last moments).
    POSTGRES_CONNECT_TIMEOUT: seconds that an outage is waited out, 30 by default.
    """

    datastore: Datastore
    aggregate_recorder_class = AggregateRecorder  # type: ignore[assignment]  # narrower datastore
    application_recorder_class = ApplicationRecorder  # type: ignore[assignment]  # narrower datastore
    tracking_recorder_class = TrackingRecorder
    process_recorder_class = ProcessRecorder  # type: ignore[assignment]  # narrower datastore

    def __init__(self, env: Environment | EnvType | None) -> None:
        """Read the environment as the stock factory does; no connection is opened yet."""
        super().__init__(env)
        stock_datastore: stock.PostgresDatastore = self.datastore
        pool = stock_datastore.pool
        assert isinstance(pool.kwargs, dict)
        named = {name: pool.kwargs[name] for name in STOCK}
        size = pool.min_size if self.env.get(self.POSTGRES_POOL_SIZE) else 1
        self.datastore = Datastore(
            **named,
            connect_timeout=pool.timeout,
            idle_in_transaction_session_timeout=stock_datastore.idle_in_transaction_session_timeout,
            pool_size=size,
            max_overflow=pool.max_size - size,
            max_waiting=pool.max_waiting,
            conn_max_age=pool.max_lifetime,
            pre_ping=stock_datastore.pre_ping,
            lock_timeout=stock_datastore.lock_timeout or LOCK_TIMEOUT_S,
            schema=stock_datastore.schema,
            get_password_func=pool.get_password_func,
            single_row_tracking=stock_datastore.single_row_tracking,
            originator_id_type=stock_datastore.originator_id_type,
            enable_db_functions=stock_datastore.enable_db_functions,
            parameters=_parameters(self.env.get("POSTGRES_PARAMETERS") or ""),
            durability=self.env.get("POSTGRES_DURABILITY") or "full",
        )

    def mapper(
        self,
        transcoder: Transcoder | None = None,
        mapper_class: type[Mapper[Any]] | None = None,
    ) -> Mapper[Any]:
        """Return the mapper, told that this store keeps payloads aside."""
        return keeping_payloads_aside(super().mapper(transcoder, mapper_class))

    def lease_table(self) -> LeaseTable:
        """Return who works on what, kept beside the events."""
        tables = Tables(
            self.datastore.schema, f"{self._prefix()}_events", self.datastore.originator_id_type
        )
        return PostgresLeaseTable(self.datastore, tables)

    def jobs_view(self) -> JobsView:
        """Return the list of jobs, kept beside the events."""
        view = PostgresJobsView(self.datastore, tracking_table_name=f"{self._prefix()}_tracking")
        view.cipher = self.cipher()
        return view

    def _prefix(self) -> str:
        return self.env.name.lower() or "stored"
