"""eventsourcing's own suites for recorders, factories, applications and projections, on PostgreSQL."""

from __future__ import annotations

from typing import Any, ClassVar
from unittest import TestCase

import eventsourcing.tests.persistence as stock
import pytest
from eventsourcing.persistence import Tracking
from eventsourcing.tests import application, projection
from eventsourcing.utils import Environment, get_topic
from psycopg.sql import SQL, Identifier

from resumelog.infrastructure.storage.postgres import Factory
from resumelog.infrastructure.storage.postgres.connections import Datastore
from resumelog.infrastructure.storage.postgres.recorders import (
    AggregateRecorder,
    ApplicationRecorder,
    ProcessRecorder,
    TrackingRecorder,
)
from resumelog.infrastructure.storage.postgres.url import environment


class OwnSchema(TestCase):
    """A new schema for each test, named in the environment as any application would."""

    @pytest.fixture(autouse=True)
    def _configured(self, postgres_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
        self.variables = {
            "PERSISTENCE_MODULE": Factory.__module__,
            **environment(postgres_url, prefix=""),
        }
        for name, value in self.variables.items():
            monkeypatch.setenv(name, value)


class OwnDatastore(OwnSchema):
    """And a datastore in it."""

    def setUp(self) -> None:
        self.datastore: Datastore = Factory(Environment("", self.variables)).datastore
        self.addCleanup(self.datastore.close)


class TestAggregateRecorder(OwnDatastore, stock.AggregateRecorderTestCase):
    def create_recorder(self) -> AggregateRecorder:
        recorder = AggregateRecorder(self.datastore)
        recorder.create_table()
        return recorder


class TestSnapshotRecorder(OwnDatastore, stock.AggregateRecorderTestCase):
    def create_recorder(self) -> AggregateRecorder:
        recorder = AggregateRecorder(self.datastore, events_table_name="stored_snapshots")
        recorder.create_table()
        return recorder


class TestApplicationRecorder(OwnDatastore, stock.ApplicationRecorderTestCase[ApplicationRecorder]):
    EXPECT_CONTIGUOUS_NOTIFICATION_IDS = False  # a sequence does not go back on a rollback

    def create_recorder(self) -> ApplicationRecorder:
        recorder = ApplicationRecorder(self.datastore)
        recorder.create_table()
        return recorder

    def test_insert_subscribe(self) -> None:
        self.optional_test_insert_subscribe()


class TestTrackingRecorder(OwnDatastore, stock.TrackingRecorderTestCase):
    def create_recorder(self) -> TrackingRecorder:
        recorder = TrackingRecorder(self.datastore)
        recorder.create_table()
        return recorder


class TestProcessRecorder(OwnDatastore, stock.ProcessRecorderTestCase):
    def create_recorder(self) -> ProcessRecorder:
        recorder = ProcessRecorder(self.datastore)
        recorder.create_table()
        return recorder


class TestNonInterleaving(OwnDatastore, stock.NonInterleavingNotificationIDsBaseCase):
    def create_recorder(self) -> ApplicationRecorder:
        recorder = ApplicationRecorder(self.datastore)
        recorder.create_table()
        return recorder


class EventCounters(TrackingRecorder, projection.EventCountersView):
    """Counts in a table, in one transaction with the tracking."""

    def __init__(self, datastore: Datastore, **more: Any) -> None:
        super().__init__(datastore, **more)
        self.table = Identifier(datastore.schema, f"{self.tracking_table_name}_counts")
        make = SQL("CREATE TABLE IF NOT EXISTS {} (name text PRIMARY KEY, count bigint)")
        self.sql_create_statements.append(make.format(self.table))

    def get_created_event_counter(self) -> int:
        return self._count("created")

    def get_subsequent_event_counter(self) -> int:
        return self._count("subsequent")

    def incr_created_event_counter(self, tracking: Tracking) -> None:
        self._increment("created", tracking)

    def incr_subsequent_event_counter(self, tracking: Tracking) -> None:
        self._increment("subsequent", tracking)

    def _count(self, name: str) -> int:
        select = SQL("SELECT count FROM {} WHERE name = %s").format(self.table)
        with self.datastore.transaction() as cursor:
            row = cursor.execute(select, (name,)).fetchone()
        return row["count"] if row else 0

    def _increment(self, name: str, tracking: Tracking) -> None:
        upsert = SQL(
            "INSERT INTO {} AS counts VALUES (%s, 1)"
            " ON CONFLICT (name) DO UPDATE SET count = counts.count + 1"
        ).format(self.table)
        with self.datastore.transaction(commit=True) as cursor:
            self._insert_tracking(cursor, tracking)
            cursor.execute(upsert, (name,))


class TestFactory(OwnSchema, stock.InfrastructureFactoryTestCase[Factory]):
    def setUp(self) -> None:
        self.env = Environment("TestCase", self.variables)
        super().setUp()

    def expected_factory_class(self) -> type[Factory]:
        return Factory

    def expected_aggregate_recorder_class(self) -> type[AggregateRecorder]:
        return AggregateRecorder

    def expected_application_recorder_class(self) -> type[ApplicationRecorder]:
        return ApplicationRecorder

    def expected_tracking_recorder_class(self) -> type[TrackingRecorder]:
        return TrackingRecorder

    def tracking_recorder_subclass(self) -> type[TrackingRecorder]:
        return EventCounters

    def expected_process_recorder_class(self) -> type[ProcessRecorder]:
        return ProcessRecorder


@pytest.mark.filterwarnings("default::DeprecationWarning")  # it uses what is deprecated
class TestApplication(OwnSchema, application.ApplicationTestCase):
    pass


class TestExampleApplication(OwnSchema, application.ExampleApplicationTestCase):
    expected_factory_topic = get_topic(Factory)


class TestEventCountersView(OwnDatastore, projection.EventCountersViewTestCase):
    def construct_event_counters_view(self) -> EventCounters:
        view = EventCounters(self.datastore)
        view.create_table()
        return view


class TestEventCountersProjection(OwnSchema, projection.AggregateEventCountersProjectionTestCase):
    view_class: type[Any] = EventCounters
    env: ClassVar[dict[str, str]] = {}


class TestEventSourcedProjection(OwnSchema, projection.EventSourcedProjectionTestCase):
    env: ClassVar[dict[str, str]] = {}


del OwnSchema, OwnDatastore
