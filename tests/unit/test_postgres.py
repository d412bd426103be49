"""What of the PostgreSQL store needs no server."""

from __future__ import annotations

import time
from uuid import uuid4

import psycopg
import pytest
from eventsourcing.persistence import (
    IntegrityError,
    InternalError,
    PersistenceError,
    ProgrammingError,
)
from eventsourcing.utils import Environment
from psycopg import errors

from resumelog.application.errors import BadSetting, DamagedStore, StoreUnavailable
from resumelog.infrastructure.storage.postgres import Factory
from resumelog.infrastructure.storage.postgres.connections import Datastore
from resumelog.infrastructure.storage.postgres.errors import translated
from resumelog.infrastructure.storage.postgres.url import environment, shown

STREAM = uuid4()


def test_an_outage_is_counted_from_the_first_call_that_met_it() -> None:
    datastore = Datastore("db", "host", "", "", "")
    began = datastore.lost_since()
    assert datastore.lost_since() == began
    datastore.found_again()
    assert datastore.lost_since() > began


def test_an_outage_that_nobody_met_for_long_counts_as_over() -> None:
    datastore = Datastore("db", "host", "", "", "", connect_timeout=0.01)
    began = datastore.lost_since()
    time.sleep(0.02)
    assert datastore.lost_since() > began


@pytest.mark.parametrize(
    ("raised", "expected"),
    [
        (errors.UniqueViolation("twice"), IntegrityError),
        (errors.UndefinedTable("none"), ProgrammingError),
        (errors.InFailedSqlTransaction("odd"), InternalError),
        (errors.DataCorrupted("noise"), DamagedStore),
        (errors.DiskFull("full"), StoreUnavailable),
        (errors.InsufficientPrivilege("no"), StoreUnavailable),
        (psycopg.InterfaceError("closed"), StoreUnavailable),
        (psycopg.Error("any"), PersistenceError),
    ],
)
def test_every_error_is_ours_or_eventsourcings(
    raised: psycopg.Error, expected: type[Exception]
) -> None:
    with pytest.raises(expected) as error, translated("postgresql://host/db"):
        raise raised
    assert error.value.__cause__ is raised


def test_a_full_disk_says_what_to_do() -> None:
    with pytest.raises(StoreUnavailable, match="free space"), translated("postgresql://host/db"):
        raise errors.DiskFull("could not extend file")


def test_a_full_disk_is_not_waited_out() -> None:
    datastore = Datastore("db", "host", "", "", "")
    full = StoreUnavailable(store="x", why="full", advice="free space")
    full.__cause__ = errors.DiskFull("full")
    with pytest.raises(StoreUnavailable):
        datastore.wait_out(full, datastore.lost_since())


@pytest.mark.parametrize(
    ("parameters", "url"),
    [
        ({"host": "h", "dbname": "d"}, "postgresql://h/d"),
        ({"host": "h", "port": 1, "user": "a@b", "password": "p"}, "postgresql://a%40b@h:1/"),
        ({"host": "/run/pg", "dbname": "d"}, "postgresql:///d?host=/run/pg"),
        ({"dbname": "d", "schema": "s"}, "postgresql:///d?schema=s"),
    ],
)
def test_a_store_is_shown_without_its_password(parameters: dict[str, object], url: str) -> None:
    assert shown(parameters) == url


def test_a_url_becomes_the_stock_factorys_variables() -> None:
    url = "postgresql://a:b%40c@h:1/d?schema=s&sslmode=require"
    assert environment(url, "X_") == {
        "X_POSTGRES_DBNAME": "d",
        "X_POSTGRES_HOST": "h",
        "X_POSTGRES_PORT": "1",
        "X_POSTGRES_USER": "a",
        "X_POSTGRES_PASSWORD": "b@c",
        "X_POSTGRES_SCHEMA": "s",
        "X_POSTGRES_PARAMETERS": "sslmode=require",
    }


def test_a_durability_that_there_is_not_is_refused() -> None:
    with pytest.raises(BadSetting):
        Datastore("db", "host", "", "", "", durability="some")


def test_parameters_that_libpq_does_not_know_are_refused() -> None:
    variables = {**environment("postgresql://h/d", ""), "POSTGRES_PARAMETERS": "sslmod=require"}
    with pytest.raises(BadSetting, match="sslmod"):
        Factory(Environment("App", variables))
