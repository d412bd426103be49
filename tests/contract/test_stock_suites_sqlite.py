"""eventsourcing's own suites for recorders, factories, applications and projections, on SQLite."""

from __future__ import annotations

from pathlib import Path
from typing import Any, ClassVar
from unittest import TestCase

import eventsourcing.tests.persistence as stock
import pytest
from eventsourcing.persistence import Tracking
from eventsourcing.tests import application, projection
from eventsourcing.utils import Environment, get_topic

from resumelog.infrastructure.storage.sqlite import Factory
from resumelog.infrastructure.storage.sqlite.datastore import Datastore
from resumelog.infrastructure.storage.sqlite.files import IN_MEMORY
from resumelog.infrastructure.storage.sqlite.recorders import (
    AggregateRecorder,
    ApplicationRecorder,
    ProcessRecorder,
    TrackingRecorder,
)


class OwnDatabase(TestCase):
    """A new database for each test, named in the environment as any application would."""

    name = "stock.db"

    @pytest.fixture(autouse=True)
    def _configured(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        name = self.name if self.name == IN_MEMORY else str(tmp_path / self.name)
        self.variables = {"PERSISTENCE_MODULE": Factory.__module__, Factory.SQLITE_DBNAME: name}
        for variable, value in self.variables.items():
            monkeypatch.setenv(variable, value)


class OwnDatastore(OwnDatabase):
    """And a datastore on it."""

    def setUp(self) -> None:
        self.datastore = Datastore(self.variables[Factory.SQLITE_DBNAME])
        self.addCleanup(self.datastore.close)


class TestAggregateRecorder(OwnDatastore, stock.AggregateRecorderTestCase):
    def create_recorder(self) -> AggregateRecorder:
        recorder = AggregateRecorder(self.datastore)
        recorder.create_table()
        return recorder


class TestSnapshotRecorder(OwnDatastore, stock.AggregateRecorderTestCase):
    def create_recorder(self) -> AggregateRecorder:
        recorder = AggregateRecorder(self.datastore, "stored_snapshots")
        recorder.create_table()
        return recorder


class TestApplicationRecorder(OwnDatastore, stock.ApplicationRecorderTestCase[ApplicationRecorder]):
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

    def construct_create_table_statements(self) -> list[str]:
        table = "CREATE TABLE IF NOT EXISTS counts (name TEXT PRIMARY KEY, count INTEGER)"
        return [*super().construct_create_table_statements(), table]

    def get_created_event_counter(self) -> int:
        return self._count("created")

    def get_subsequent_event_counter(self) -> int:
        return self._count("subsequent")

    def incr_created_event_counter(self, tracking: Tracking) -> None:
        self._increment("created", tracking)

    def incr_subsequent_event_counter(self, tracking: Tracking) -> None:
        self._increment("subsequent", tracking)

    def _count(self, name: str) -> int:
        with self.datastore.transaction(commit=False) as cursor:
            cursor.execute("SELECT count FROM counts WHERE name = ?", (name,))
            row = cursor.fetchone()
        return row[0] if row else 0

    def _increment(self, name: str, tracking: Tracking) -> None:
        with self.datastore.transaction(commit=True) as cursor:
            self._insert_tracking(cursor, tracking)
            cursor.execute(
                "INSERT INTO counts VALUES (?, 1)"
                " ON CONFLICT (name) DO UPDATE SET count = count + 1",
                (name,),
            )


class TestFactory(OwnDatabase, stock.InfrastructureFactoryTestCase[Factory]):
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
class TestApplication(OwnDatabase, application.ApplicationTestCase):
    pass


class TestExampleApplication(OwnDatabase, application.ExampleApplicationTestCase):
    expected_factory_topic = get_topic(Factory)


class TestEventCountersView(OwnDatastore, projection.EventCountersViewTestCase):
    def construct_event_counters_view(self) -> EventCounters:
        view = EventCounters(self.datastore)
        view.create_table()
        return view


class TestEventCountersProjection(OwnDatabase, projection.AggregateEventCountersProjectionTestCase):
    view_class: type[Any] = EventCounters
    env: ClassVar[dict[str, str]] = {}


class TestEventSourcedProjection(OwnDatabase, projection.EventSourcedProjectionTestCase):
    """In a database of its own: in one with its upstream it would follow its own events."""

    env: ClassVar[dict[str, str]] = {}

    @pytest.fixture(autouse=True)
    def _apart(self, _configured: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        name = self.name if self.name == IN_MEMORY else str(tmp_path / "counters.db")
        monkeypatch.setenv("COUNTERS_SQLITE_DBNAME", name)


class TestApplicationRecorderInMemory(TestApplicationRecorder):
    name = IN_MEMORY


class TestProcessRecorderInMemory(TestProcessRecorder):
    name = IN_MEMORY


class TestApplicationInMemory(TestApplication):
    name = IN_MEMORY


class TestEventCountersProjectionInMemory(TestEventCountersProjection):
    name = IN_MEMORY


class TestEventSourcedProjectionInMemory(TestEventSourcedProjection):
    name = IN_MEMORY


del OwnDatabase, OwnDatastore
