"""eventsourcing's own suites for recorders and factories, over our SQLite ones."""

from __future__ import annotations

from pathlib import Path
from tempfile import TemporaryDirectory
from unittest import TestCase

import eventsourcing.tests.persistence as stock
from eventsourcing.utils import Environment

from resumelog.infrastructure.storage.datastore import Datastore
from resumelog.infrastructure.storage.sqlite import (
    AggregateRecorder,
    ApplicationRecorder,
    Factory,
    ProcessRecorder,
    TrackingRecorder,
)


class OwnDatastore(TestCase):
    """A new database for each test."""

    def setUp(self) -> None:
        folder = Path(self.enterContext(TemporaryDirectory()))
        self.datastore = Datastore(str(folder / "stock.db"))
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


class CountingTrackingRecorder(TrackingRecorder):
    """A host's own tracking recorder."""


class TestFactory(stock.InfrastructureFactoryTestCase[Factory]):
    def setUp(self) -> None:
        folder = Path(self.enterContext(TemporaryDirectory()))
        self.env = Environment("TestCase")
        self.env[Factory.PERSISTENCE_MODULE] = Factory.__module__
        self.env[Factory.SQLITE_DBNAME] = str(folder / "stock.db")
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
        return CountingTrackingRecorder

    def expected_process_recorder_class(self) -> type[ProcessRecorder]:
        return ProcessRecorder


del OwnDatastore
