"""Any log is found whole, and any one change to it is found where it was made."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from uuid import UUID

from eventsourcing.persistence import StoredEvent
from hypothesis import assume, given
from hypothesis import strategies as st
from support.tampering import ALL, CONTENT, Tampering

import resumelog
from resumelog.application.audit_faults import Fault
from resumelog.application.manifest import Manifest

Change = Callable[[st.DataObject, Tampering, int], int | None]
"""Changes one stream of so many events; returns the first version affected, None for all."""

contents = st.binary(max_size=4)
logs = st.lists(st.tuples(st.integers(0, 3), contents), min_size=1, max_size=16)


def write(database: Path, events: Sequence[tuple[int, bytes]]) -> Manifest:
    """Write events of several streams, and return the manifest of them."""
    versions: dict[int, int] = {}
    with resumelog.open(database) as log:
        for stream, state in events:
            versions[stream] = version = versions.get(stream, 0) + 1
            stored = StoredEvent(UUID(int=stream), version, "resumelog.ExportJob.Paused", state)
            log.log.recorder.insert_events([stored])
        return Manifest({head.stream: head for head in log.audit.heads()}, "")


def faults(database: Path, manifest: Manifest) -> list[Fault]:
    with resumelog.open(database) as log:
        whole = log.audit.verify(manifest=manifest)
        alone = [log.audit.verify(stream, manifest=manifest) for stream in manifest.heads]
    assert [fault for verdict in alone for fault in verdict.faults] == sorted(
        whole.faults, key=lambda fault: fault.stream or ""
    )
    return [*whole.faults]


def alter(data: st.DataObject, stream: Tampering, count: int) -> int:
    version = data.draw(st.integers(1, count))
    column = data.draw(st.sampled_from(ALL))
    value = "another.Topic" if column == "topic" else data.draw(contents)
    assume(stream.get(version, column) != (value,))
    stream.set(version, **{column: value})
    return version


def delete(data: st.DataObject, stream: Tampering, count: int) -> int | None:
    version = data.draw(st.integers(1, count))
    stream.delete(version, renumbering=data.draw(st.booleans()))
    return version if count > 1 else None


def swap(data: st.DataObject, stream: Tampering, count: int) -> int:
    assume(count > 1)
    one, another = sorted(
        data.draw(st.lists(st.integers(1, count), min_size=2, max_size=2, unique=True))
    )
    columns = data.draw(st.sampled_from([(), CONTENT, ALL]))
    if columns:
        assume(stream.get(one, *columns) != stream.get(another, *columns))
        stream.swap(one, another, *columns)
    else:
        stream.swap_numbers(one, another)
    return one


def insert(data: st.DataObject, stream: Tampering, count: int) -> int:
    version = data.draw(st.integers(0, count))
    stream.insert(version, data.draw(contents), sealed=data.draw(st.booleans()))
    return version


def append(data: st.DataObject, stream: Tampering, count: int) -> int:
    gap = data.draw(st.integers(1, 3))
    sealed = gap > 1 and data.draw(st.booleans())
    stream.insert(count + gap, data.draw(contents), sealed=sealed)
    return count + gap if sealed else count + 1


def move(data: st.DataObject, stream: Tampering, count: int) -> int:
    version = data.draw(st.integers(1, count))
    stream.set(version, position=data.draw(st.sampled_from([-5, 0, 1000])))
    at = stream.positions()
    falls = [each + 1 for each in range(1, count) if at[each] <= at[each - 1]]
    assume(falls)
    return falls[0]


CHANGES: list[Change] = [alter, delete, swap, insert, append, move]


@given(logs)
def test_a_log_that_nobody_changed_is_whole(events: list[tuple[int, bytes]]) -> None:
    with TemporaryDirectory() as folder:
        database = Path(folder, "jobs.db")
        assert faults(database, write(database, events)) == []


@given(logs, st.sampled_from(CHANGES), st.data())
def test_a_change_is_found_in_its_stream_at_the_first_version_that_it_affects(
    events: list[tuple[int, bytes]], change: Change, data: st.DataObject
) -> None:
    with TemporaryDirectory() as folder:
        database = Path(folder, "jobs.db")
        manifest = write(database, events)
        head = data.draw(st.sampled_from([*manifest.heads.values()]))
        expected = change(data, Tampering(database, head.stream), head.version)
        found = [(fault.stream, fault.version) for fault in faults(database, manifest)]
        assert found == [(head.stream, expected)]
