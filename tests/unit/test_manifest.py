"""A manifest is read as it was written, or not at all."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from resumelog.application.errors import BadManifest
from resumelog.application.manifest import LINE_CHARS_MAX, read, written
from resumelog.domain.seals import Head, Root
from resumelog.infrastructure.manifest_files import read_manifest, write_whole

NOW = datetime(2026, 1, 1, tzinfo=UTC)
HEADS = [Head(f"{number:032x}", number, bytes([number]) * 32) for number in range(1, 6)]

Lines = list[str]


def lines() -> Lines:
    return [*written(HEADS, NOW)]


def edited(number: int, **fields: object) -> Callable[[Lines], object]:
    def edit(made: Lines) -> None:
        made[number] = json.dumps({**json.loads(made[number]), **fields}) + "\n"

    return edit


def rooted(heads: list[Head]) -> Callable[[Lines], object]:
    """Write other heads, in their order, under a root that fits."""

    def edit(made: Lines) -> None:
        made[:] = written(heads, NOW)

    return edit


def test_it_is_read_as_it_was_written() -> None:
    manifest = read(lines(), "heads")
    assert [*manifest.heads.values()] == HEADS
    assert manifest.made_at == NOW.isoformat()


def test_a_manifest_of_an_empty_log_has_no_heads() -> None:
    assert read(written([], NOW), "heads").heads == {}


def test_its_last_line_has_the_root_over_all_heads() -> None:
    root = Root()
    for head in HEADS:
        root.add(head)
    last = {"format": 1, "streams": 5, "root": root.hex, "made_at": NOW.isoformat()}
    assert json.loads(lines()[-1]) == last


@pytest.mark.parametrize(
    ("edit", "why"),
    [
        (lambda made: made.pop(), "its last line, with the root, is not there"),
        (lambda made: made.clear(), "its last line, with the root, is not there"),
        (lambda made: made.pop(2), "its root is not that of its lines"),
        (lambda made: made.append(made[0]), "it goes on behind its last line, 6"),
        (lambda made: made.insert(1, made[0]), "line 2 is not in the order of streams"),
        (lambda made: made.reverse(), "its root is not that of its lines"),
        (rooted(HEADS[::-1]), "line 2 is not in the order of streams"),
        (lambda made: made.insert(0, "\n"), "line 1 is no line of a manifest"),
        (lambda made: made.insert(0, "[1]\n"), "line 1 is no line of a manifest"),
        (lambda made: made.insert(0, '{"id": 1}\n'), "line 1 is no head of a stream"),
        (lambda made: made.insert(0, "[" * 4000), "line 1 is no line of a manifest"),
        (lambda made: made.insert(0, '"' + "x" * LINE_CHARS_MAX), "line 1 is no line"),
        (edited(2, version=4), "its root is not that of its lines"),
        (edited(2, seal="00" * 32), "its root is not that of its lines"),
        (edited(2, version="3"), "line 3 is no head of a stream"),
        (edited(2, version=True), "line 3 is no head of a stream"),
        (edited(2, seal="xx"), "line 3 is no head of a stream"),
        (edited(2, seal=None), "line 3 is no head of a stream"),
        (edited(2, stream=7), "line 3 is no head of a stream"),
        (edited(2, stream="\ud800"), "line 3 is no head of a stream"),
        (edited(2, more=1), "line 3 is no head of a stream"),
        (edited(5, streams=4), "its root is not that of its lines"),
        (edited(5, root="00"), "its root is not that of its lines"),
        (edited(5, format=2), "it has format 2, this resumelog knows 1"),
    ],
)
def test_a_torn_edited_or_foreign_one_is_refused(edit: Callable[[Lines], object], why: str) -> None:
    made = lines()
    edit(made)
    with pytest.raises(BadManifest, match=rf"the manifest heads can't be used: .*{why}"):
        read(made, "heads")


def test_a_torn_file_is_refused_wherever_it_ends(tmp_path: Path) -> None:
    whole = "".join(lines()).encode()
    for end in range(len(whole) - 1):
        (tmp_path / "heads").write_bytes(whole[:end])
        with pytest.raises(BadManifest):
            read_manifest(tmp_path / "heads")


@pytest.mark.parametrize("content", [b"\xff\xfe", b"\0" * 10_000, b"SQLite format 3\0" * 900])
def test_a_foreign_file_is_refused(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "heads").write_bytes(content)
    with pytest.raises(BadManifest):
        read_manifest(tmp_path / "heads")


def test_no_file_and_a_folder_are_refused(tmp_path: Path) -> None:
    for path in (tmp_path / "nothing", tmp_path):
        with pytest.raises(BadManifest, match="it can't be read: "):
            read_manifest(path)


def breaking_off() -> Iterator[str]:
    yield "half"
    raise RuntimeError


def test_a_file_is_written_whole_or_stays_as_it_was(tmp_path: Path) -> None:
    write_whole(tmp_path / "heads", lines())
    with pytest.raises(RuntimeError):
        write_whole(tmp_path / "heads", breaking_off())
    assert [path.name for path in tmp_path.iterdir()] == ["heads"]
    assert [*read_manifest(tmp_path / "heads").heads.values()] == HEADS
