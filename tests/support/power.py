"""Disks as a power cut may leave them, from the system calls of a real process.

Of each file, the writes before its last completed sync are there. Of those after it a random part
is, in any order, each perhaps torn at sectors, and so of those before a sync that failed. Making and removing files is journalled: of what
came after the last sync of the folder, the first few are there.
"""

from __future__ import annotations

import re
from bisect import bisect
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from random import Random
from typing import NamedTuple

from support.tracing import Call

SECTOR = 512

_FILE = re.compile(r"^\d+<([^>]*)>")
_WRITE = re.compile(r'^\d+<([^>]*)>, "([^"]*)", \d+(?:, (\d+))?$')
_OPEN = re.compile(r'^[^,]*, "([^"]*)", ([A-Z_|]+)')
_UNLINK = re.compile(r'^"([^"]*)"')


class Write(NamedTuple):
    """Bytes at an offset; None sets the file's length to it."""

    call: Call
    offset: int
    content: bytes | None


@dataclass
class File:
    """One file that was made, whatever its name became."""

    writes: list[Write] = field(default_factory=list)
    syncs: list[Call] = field(default_factory=list)

    @cached_property
    def covering(self) -> list[Call | None]:
        """Tell for each write which sync was the first after it."""
        syncs = sorted(self.syncs, key=lambda sync: sync.began)
        began = [sync.began for sync in syncs]
        firsts = (bisect(began, write.call.returned) for write in self.writes)
        return [syncs[first] if first < len(syncs) else None for first in firsts]

    def after(self, cut: int, chance: Random) -> bytes:
        """Return what may be left of it after a cut at this line of the log."""
        content, doubtful, survive = bytearray(), [], chance.random()
        for write, sync in zip(self.writes, self.covering, strict=True):
            if write.call.began >= cut:
                continue
            if sync is None or sync.returned >= cut:
                doubtful.append(write)
            elif sync.result == 0:
                _apply(content, write, None)
            elif chance.random() < survive:  # the system forgets what it could not write
                _apply(content, write, chance)
        survivors = [write for write in doubtful if chance.random() < survive]
        chance.shuffle(survivors)
        for write in survivors:
            _apply(content, write, chance)
        return bytes(content)


class Change(NamedTuple):
    """A file that got a name, or None where the name was removed."""

    call: Call
    name: str
    file: File | None


class Disk:
    """What a process did to the files of one folder."""

    def __init__(self, folder: Path, names: Iterable[str], calls: Iterable[Call]) -> None:
        """Follow the files of these names."""
        self.folder, self.names = folder, {*names}
        self.changes: list[Change] = []
        self.syncs: list[Call] = []
        self._now: dict[str, File] = {}
        for call in calls:
            getattr(self, f"_{call.name}", _nothing)(call)

    def after(self, cut: int, chance: Random) -> Iterator[tuple[str, bytes]]:
        """Iterate over the files that may be found after a cut at this line of the log."""
        done = (sync.began for sync in self.syncs if sync.returned < cut and sync.result == 0)
        synced = max(done, default=-1)
        made = [change for change in self.changes if change.call.began < cut]
        sure = sum(change.call.returned < synced for change in made)
        there = dict[str, File]()
        for _, name, file in made[: chance.randint(sure, len(made))]:
            if file is None:
                there.pop(name, None)
            else:
                there[name] = file
        for name, file in there.items():
            yield name, file.after(cut, chance)

    def _openat(self, call: Call) -> None:
        found = _OPEN.match(call.arguments)
        name = found and self._name(found[1])
        if found and name and "O_CREAT" in found[2] and name not in self._now:
            self._now[name] = File()
            self.changes.append(Change(call, name, self._now[name]))

    def _unlink(self, call: Call) -> None:
        found = _UNLINK.match(call.arguments)
        name = found and self._name(found[1])
        if name and self._now.pop(name, None):
            self.changes.append(Change(call, name, None))

    def _pwrite64(self, call: Call) -> None:
        if file := self._file(call):
            _, content, offset = written(call)
            file.writes.append(Write(call, offset, content))

    def _ftruncate(self, call: Call) -> None:
        if file := self._file(call):
            file.writes.append(Write(call, int(call.arguments.rpartition(", ")[2]), None))

    def _fdatasync(self, call: Call) -> None:
        found = _FILE.match(call.arguments)
        if found and unhexed(found[1]) == bytes(self.folder):
            self.syncs.append(call)
        elif file := self._file(call):
            file.syncs.append(call)

    _fsync = _fdatasync

    def _file(self, call: Call) -> File | None:
        found = _FILE.match(call.arguments)
        name = found and self._name(found[1])
        return self._now[name] if name else None

    def _name(self, path: str) -> str | None:
        there = self.folder / unhexed(path).decode()
        return there.name if there.parent == self.folder and there.name in self.names else None


def written(call: Call) -> tuple[bytes, bytes, int]:
    """Return the file, the bytes and the offset (0 where none was named) of a write."""
    found = _WRITE.match(call.arguments)
    assert found, f"a write that can't be read: {call.arguments[:200]}"
    content = unhexed(found[2])
    assert len(content) == call.result, "the log cut a write short"
    return unhexed(found[1]), content, int(found[3] or 0)


def unhexed(text: str) -> bytes:
    """Return what `strace -xx` shows as hexadecimal numbers."""
    return bytes.fromhex(text.replace("\\x", ""))


def _nothing(_: Call) -> None:
    """Pass over a call that changes no file."""


def _apply(content: bytearray, write: Write, chance: Random | None) -> None:
    """Write, or with a chance only some of its sectors."""
    if write.content is None:
        del content[write.offset :]
        content.extend(bytes(write.offset - len(content)))
        return
    end = write.offset + len(write.content)
    for start, stop in _torn(write.offset, end, chance):
        content.extend(bytes(max(0, stop - len(content))))
        content[start:stop] = write.content[start - write.offset : stop - write.offset]


def _torn(start: int, end: int, chance: Random | None) -> Iterator[tuple[int, int]]:
    """Iterate over the parts that are written: everything, or every other one of random runs."""
    if chance is None or chance.random() < 0.5:
        yield start, end
        return
    borders = range(start - start % SECTOR + SECTOR, end, SECTOR)
    chosen = sorted(chance.sample(borders, chance.randint(0, len(borders))))
    runs = [*zip([start, *chosen], [*chosen, end], strict=True)]
    yield from runs[chance.randint(0, 1) :: 2]
