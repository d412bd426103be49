"""The seals that new events follow, without a look at the table for each."""

from __future__ import annotations

from collections.abc import Callable
from uuid import uuid4

from resumelog.domain.seals import NO_SEAL, seal
from resumelog.infrastructure.storage.heads import HEADS_MAX, Heads, Unsealed

STREAM, OTHER = uuid4().hex, uuid4().hex


def row(version: int, stream: str = STREAM) -> Unsealed:
    return (stream, version, "topic", b"{}")


def looked_up(found: dict[str, bytes], asked: list[str]) -> Callable[[str, int], bytes]:
    """Return what reads a table that holds these seals, and notes who asks."""

    def read(stream: str, _: int) -> bytes:
        asked.append(stream)
        return found.get(stream, NO_SEAL)

    return read


def test_a_head_is_known_to_the_event_that_follows_it_and_to_no_other() -> None:
    heads, asked = Heads(), list[str]()
    heads.remember([row(1), row(2)], [b"one", b"two"])
    read = looked_up({STREAM: b"another"}, asked)
    assert heads.seals([row(3)], read) == [seal(b"two", *row(3))]
    assert asked == []
    assert heads.seals([row(2)], read) == [seal(b"another", *row(2))]
    assert heads.seals([row(4)], read) == [seal(b"another", *row(4))]
    assert asked == [STREAM, STREAM]


def test_events_of_one_append_follow_each_other_each_in_its_own_stream() -> None:
    rows = [row(1), row(1, OTHER), row(2)]
    first, second, third = Heads().seals(rows, looked_up({}, []))
    assert first == seal(NO_SEAL, *rows[0])
    assert second == seal(NO_SEAL, *rows[1])
    assert third == seal(first, *rows[2])


def test_only_the_first_event_of_a_stream_is_looked_up() -> None:
    asked: list[str] = []
    Heads().seals([row(7), row(8), row(9)], looked_up({}, asked))
    assert asked == [STREAM]


def test_the_streams_that_came_first_are_forgotten_first() -> None:
    heads, asked = Heads(), list[str]()
    for number in range(HEADS_MAX + 1):
        heads.remember([row(1, f"{number:032x}")], [b"own"])
    heads.seals([row(2, f"{1:032x}")], looked_up({}, asked))
    heads.seals([row(2, f"{0:032x}")], looked_up({}, asked))
    assert asked == [f"{0:032x}"]
