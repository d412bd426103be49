"""A file that would run code is refused, and nothing of it is run."""

from __future__ import annotations

import pickle
from pathlib import Path
from pickletools import opcodes

import pytest
from support.hostile import RUN, STRANGE, Hostile
from support.legacy import written

from resumelog.application.errors import (
    BadStateFile,
    DamagedStateFile,
    ForeignStateFile,
    UnsafeStateFile,
)
from resumelog.infrastructure.transfer.export_state import read_export_state

CLOSED_SET = {
    *("PROTO", "FRAME", "EMPTY_DICT", "MARK", "SETITEMS", "STOP", "MEMOIZE", "BINPUT"),
    *("NONE", "NEWTRUE", "NEWFALSE", "BINFLOAT", "BININT", "BININT1", "BININT2", "LONG1"),
    *("SHORT_BINUNICODE", "BINUNICODE"),
}

CALLS = {
    *("GLOBAL", "STACK_GLOBAL", "INST", "EXT1", "EXT2", "EXT4", "PERSID", "BINPERSID"),
    *("REDUCE", "OBJ", "NEWOBJ", "NEWOBJ_EX", "BUILD"),
}
"""Those that find something by its name, or call it."""
HARMLESS = {
    "a dict with a list": pickle.dumps({"ids": [1, 2.5], "名": "片"}),
    "a dict with a list, protocol 0": pickle.dumps({"ids": [1, 2]}, 0),
    "a list": pickle.dumps([0.25]),
    "a sentence": b"Rome is no pickle.\nbut it begins as one\n",
    "a shell script": b"#!/bin/sh\ncd out\nrender\n",
    "a sentence that begins as an import": b"can you read\nthis here?\n",
    "Chinese": "雪停了，归途\n".encode(),
    "JSON": b'{"progress": 0.5}',
}
"""What people hand in by mistake."""

hostile = pytest.mark.parametrize("make", RUN.values(), ids=RUN)


@pytest.fixture
def mark(tmp_path: Path) -> Path:
    """What is there once something was run."""
    return tmp_path / "mark"


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """A progress file, so to say."""
    return tmp_path / ".export_state"


@hostile
def test_the_old_exporter_would_have_run_it(mark: Path, make: Hostile) -> None:
    pickle.loads(make(str(mark)))
    assert mark.exists()


@hostile
def test_it_is_refused_and_not_run(mark: Path, file: Path, make: Hostile) -> None:
    file.write_bytes(make(str(mark)))
    with pytest.raises(UnsafeStateFile, match=r"nothing in it was run\. Don't open it"):
        read_export_state(file)
    assert not mark.exists()


def test_a_call_in_a_second_pickle_is_refused_and_not_run(mark: Path, file: Path) -> None:
    for make in RUN.values():
        for protocol in (2, 4):
            file.write_bytes(written(protocol=protocol) + make(str(mark)))
            with pytest.raises(DamagedStateFile, match=r"bytes (too many|stand behind its end)"):
                read_export_state(file)
    assert not mark.exists()


@pytest.mark.parametrize("content", STRANGE.values(), ids=STRANGE)
def test_whatever_else_the_old_exporter_never_wrote_is_refused(file: Path, content: bytes) -> None:
    file.write_bytes(content)
    with pytest.raises((UnsafeStateFile, ForeignStateFile)):
        read_export_state(file)


@pytest.mark.parametrize("name", [each.name for each in opcodes if each.name not in CLOSED_SET])
def test_every_instruction_outside_the_closed_set_is_refused(file: Path, name: str) -> None:
    (code,) = (each.code for each in opcodes if each.name == name)
    file.write_bytes(b"\x80\x04" + code.encode("latin-1"))
    with pytest.raises(BadStateFile) as refused:
        read_export_state(file)
    if name not in CALLS:
        assert isinstance(refused.value, ForeignStateFile)
        return
    assert isinstance(refused.value, UnsafeStateFile)
    assert (refused.value.instruction, refused.value.at) == (name, 2)


@pytest.mark.parametrize("content", HARMLESS.values(), ids=HARMLESS)
def test_what_runs_nothing_is_called_what_it_is(file: Path, content: bytes) -> None:
    file.write_bytes(content)
    with pytest.raises(ForeignStateFile, match="nothing of it was run or imported") as refused:
        read_export_state(file)
    assert "run code" not in str(refused.value)


@hostile
def test_a_call_far_behind_what_is_harmless_is_named(mark: Path, file: Path, make: Hostile) -> None:
    file.write_bytes(b"\x80\x04]0" + make(str(mark)).removeprefix(b"\x80\x04"))
    with pytest.raises(UnsafeStateFile, match=r"nothing in it was run\. Don't open it"):
        read_export_state(file)
    assert not mark.exists()
