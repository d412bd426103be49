"""What was done to a stream, told from its rows."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from resumelog.domain.seal_faults import RENUMBERED_MAX, Finding, Row, diagnose
from resumelog.domain.seals import NO_SEAL, Head, Root, seal

Rows = list[Row]
COUNT = 9


def chain(contents: Sequence[str], first: int = 1) -> Rows:
    rows: Rows = []
    for version, content in enumerate(contents, first):
        previous = rows[-1].seal if rows else NO_SEAL
        state = content.encode()
        mark = seal(previous, "s", version, "t", state)
        rows.append(Row(10 * version, "s", version, "t", state, mark))
    return rows


def rows() -> Rows:
    return chain([f"event {number}" for number in range(1, COUNT + 1)])


def found(rows: Rows) -> tuple[str, int | None] | None:
    finding = diagnose(rows)
    return (finding.kind, finding.version) if finding else None


def set_at(rows: Rows, version: int, /, **columns: object) -> Rows:
    return [
        row._replace(**columns) if row.version == version else row  # type: ignore[arg-type]  # columns of any type are what is tested
        for row in rows
    ]


def numbered(rows: Rows) -> Rows:
    return [row._replace(version=version) for version, row in enumerate(rows, 1)]


def forged(version: int, previous: bytes | None = None) -> Row:
    mark = bytes(32) if previous is None else seal(previous, "s", version, "t", b"forged")
    return Row(10 * COUNT + 10, "s", version, "t", b"forged", mark)


def swapped(rows: Rows, one: int, another: int, *columns: str) -> Rows:
    first, second = rows[one - 1], rows[another - 1]
    for version, other in ((one, second), (another, first)):
        rows = set_at(rows, version, **{name: getattr(other, name) for name in columns})
    return rows


def moved(rows: Rows, one: int, to: int) -> Rows:
    rows.insert(to - 1, rows.pop(one - 1))
    return numbered(rows)


@pytest.mark.parametrize("first", [0, 1, 7])
def test_a_chain_has_no_fault_whatever_its_first_version(first: int) -> None:
    assert found(chain(["a", "b", "c"], first)) is None


def test_no_events_have_no_fault() -> None:
    assert found([]) is None


@pytest.mark.parametrize("version", [1, 2, 5, COUNT])
@pytest.mark.parametrize(
    "columns",
    [
        *({"state": state} for state in (b"x", "event 1", None, 7)),
        *({"topic": topic} for topic in ("u", b"t", None)),
        *({"seal": mark} for mark in (bytes(32), b"", "x", None)),
    ],
)
def test_an_altered_event_is_told(version: int, columns: dict[str, object]) -> None:
    assert found(set_at(rows(), version, **columns)) == ("altered", version)


def test_one_that_was_sealed_anew_shows_at_the_event_behind_it() -> None:
    changed = rows()
    changed[3:4] = [forged(4, changed[2].seal)._replace(position=40)]
    assert found(changed) == ("altered", 5)


@pytest.mark.parametrize("version", range(1, COUNT))
def test_a_missing_event_is_told(version: int) -> None:
    assert found([row for row in rows() if row.version != version]) == ("missing", version)


@pytest.mark.parametrize("version", range(1, COUNT - 1))
@pytest.mark.parametrize("count", [1, 2])
def test_one_taken_out_with_the_later_ones_renumbered_is_told(version: int, count: int) -> None:
    left = [row for row in rows() if not version <= row.version < version + count]
    if len(left) - version >= 1:
        assert found(numbered(left)) == ("missing", version)


def test_more_taken_out_than_are_tried_shows_as_an_alteration() -> None:
    many = chain([str(number) for number in range(30)])
    assert found(numbered([many[0], *many[RENUMBERED_MAX + 2 :]])) == ("altered", 2)


@pytest.mark.parametrize(("one", "another"), [(1, 2), (4, 5), (1, COUNT), (3, 7), (8, COUNT)])
@pytest.mark.parametrize("columns", [("topic", "state", "seal"), ("topic", "state"), ("position",)])
def test_two_events_that_changed_places_are_told(
    one: int, another: int, columns: tuple[str, ...]
) -> None:
    kind, version = found(swapped(rows(), one, another, *columns)) or ("", 0)
    assert kind == "reordered"
    assert version == (one + 1 if columns == ("position",) else one)


@pytest.mark.parametrize(("one", "to"), [(2, 6), (6, 2), (1, COUNT), (COUNT, 1)])
def test_an_event_that_was_moved_is_told(one: int, to: int) -> None:
    assert found(moved(rows(), one, to)) == ("reordered", min(one, to))


def test_a_number_that_was_changed_is_told() -> None:
    changed = sorted(set_at(rows(), 5, version=99), key=lambda row: row.version)
    assert found(changed) == ("reordered", 5)


@pytest.mark.parametrize("sealed", [False, True])
@pytest.mark.parametrize("version", range(1, COUNT + 1))
def test_an_event_that_was_put_in_is_told(version: int, sealed: bool) -> None:
    changed = rows()
    previous = changed[version - 2].seal if version > 1 else NO_SEAL
    changed.insert(version - 1, forged(version, previous if sealed else None)._replace(position=0))
    changed = [row._replace(position=at) for at, row in enumerate(changed)]
    assert found(numbered(changed)) == ("inserted", version)


@pytest.mark.parametrize("sealed", [False, True])
def test_one_that_was_put_before_the_first_is_told(sealed: bool) -> None:
    before = forged(0, NO_SEAL if sealed else None)._replace(position=0)
    assert found([before, *rows()]) == ("inserted", 0)


def test_one_that_was_appended_with_a_number_to_spare_is_told() -> None:
    changed = rows()
    assert found([*changed, forged(COUNT + 2, changed[-1].seal)]) == ("inserted", COUNT + 2)
    assert found([*changed, forged(COUNT + 2)]) == ("missing", COUNT + 1)


def test_one_that_was_appended_without_a_seal_is_told() -> None:
    assert found([*rows(), forged(COUNT + 1)]) == ("altered", COUNT + 1)


def test_one_that_was_appended_and_sealed_well_is_not_seen() -> None:
    changed = rows()
    assert found([*changed, forged(COUNT + 1, changed[-1].seal)]) is None


@pytest.mark.parametrize("version", ["x", None, 1.0, b"1"])
def test_a_version_that_is_no_number_is_told(version: object) -> None:
    assert found(set_at(rows(), 1, version=version)) is not None


def test_a_finding_says_where_and_why() -> None:
    assert diagnose(set_at(rows(), 4, position=20)) == Finding(
        "reordered", 4, 20, "it stands at position 20, version 3 at 30"
    )


HEADS = [Head("a", 1, bytes(32)), Head("ab", 12, b"\x01" * 32)]


def root(heads: list[Head]) -> str:
    made = Root()
    for head in heads:
        made.add(head)
    return made.hex


def test_the_root_never_changes() -> None:
    assert root(HEADS) == "0f4a4fac556717970570cd9d9a8e04a3a9baa550a6789e191b5017e56422eae1"


@pytest.mark.parametrize(
    "other",
    [
        HEADS[:1],
        HEADS[::-1],
        [HEADS[0], Head("ab", 13, b"\x01" * 32)],
        [HEADS[0], Head("ab", 12, b"\x02" * 32)],
        [HEADS[0], Head("a", 12, b"\x01" * 32)],
        [],
    ],
    ids=["fewer", "order", "version", "seal", "stream", "none"],
)
def test_no_other_heads_have_the_same_root(other: list[Head]) -> None:
    assert root(other) != root(HEADS)
