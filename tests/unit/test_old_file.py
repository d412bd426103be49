"""Whatever stands under the name of a progress file: it is read within bounds, or refused at once."""

from __future__ import annotations

import os
import threading
import time
import tracemalloc
from pathlib import Path
from typing import Any

import pytest
from support.legacy import samples, written

from resumelog.application.errors import (
    DamagedStateFile,
    ForeignStateFile,
    NoStateFile,
    UnsafeStateFile,
)
from resumelog.infrastructure.transfer.export_state import BYTES_MAX, read_export_state


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """Where the old exporter kept its progress."""
    return tmp_path / ".export_state"


@pytest.mark.parametrize("content", [b"\0", b"}", written(), b"]"])
def test_a_long_file_is_not_read_to_its_end(file: Path, content: bytes) -> None:
    file.write_bytes(content)
    os.truncate(file, 2**30)
    tracemalloc.start()
    try:
        with pytest.raises(ForeignStateFile, match=f"it has more than {BYTES_MAX} bytes"):
            read_export_state(file)
        assert tracemalloc.get_traced_memory()[1] < 2**20
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize(
    ("size", "error"), [(BYTES_MAX, UnsafeStateFile), (BYTES_MAX + 1, ForeignStateFile)]
)
def test_the_limit_is_a_part_of_what_is_allowed(
    file: Path, size: int, error: type[Exception]
) -> None:
    file.write_bytes(b"\x80\x02" + b"R" * (size - 2))
    with pytest.raises(error):
        read_export_state(file)


def a_loop(path: Path) -> None:
    path.symlink_to(path)


@pytest.mark.parametrize(
    ("make", "why"),
    [
        (lambda _: None, "No such file or directory"),
        (lambda path: path.mkdir(), "Is a directory"),
        (os.mkfifo, "it is no regular file"),
        (lambda path: path.symlink_to("nowhere"), "No such file or directory"),
        (lambda path: path.symlink_to("/dev/zero"), "it is no regular file"),
        (a_loop, "levels of symbolic links"),
    ],
    ids=["nothing", "a folder", "a pipe", "a link to nothing", "a link to a device", "a loop"],
)
def test_what_is_no_file_is_refused_at_once(file: Path, make: Any, why: str) -> None:
    make(file)
    with pytest.raises(NoStateFile, match=why):
        read_export_state(file)


@pytest.mark.parametrize("name", ["a\0b", "x" * 300, ""])
def test_a_name_that_no_file_has_is_refused(name: str) -> None:
    with pytest.raises(NoStateFile):
        read_export_state(name)


def test_a_link_is_followed_and_named(file: Path) -> None:
    file.symlink_to(samples()["p064"].path)
    state = read_export_state(file)
    assert (state.progress, state.source) == (0.64, str(file))


def test_a_relative_path_is_recorded_as_an_absolute_one(
    file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(file.parent)
    file.write_bytes(written())
    assert read_export_state(".export_state").source == str(file)


def test_a_name_in_no_encoding_can_be_recorded(tmp_path: Path) -> None:
    file = Path(os.fsdecode(os.fsencode(tmp_path) + b"/\xff.export_state"))
    file.write_bytes(written())
    assert read_export_state(file).source == f"{tmp_path}/\\udcff.export_state"


def test_a_file_that_is_being_rewritten_is_read_whole_or_refused(file: Path) -> None:
    contents, over = [written(step / 7) for step in range(8)], threading.Event()

    def rewrite() -> None:
        while not over.is_set():
            for content in contents:
                file.write_bytes(content)
                time.sleep(0.0005)

    file.write_bytes(contents[0])
    writer = threading.Thread(target=rewrite)
    writer.start()
    found = set()
    try:
        for _ in range(2000):
            try:
                found.add(read_export_state(file).progress)
            except DamagedStateFile:
                found.add(-1.0)
    finally:
        over.set()
        writer.join()
    assert found <= {-1.0, *(step / 7 for step in range(8))}
    assert len(found) > 1
