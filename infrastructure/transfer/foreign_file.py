"""What a file is that the old exporter never wrote, told from its instructions; none of them is run."""

from __future__ import annotations

import pickletools
import re
from collections.abc import Iterator
from typing import Any

from resumelog.application.errors import BadStateFile, ForeignStateFile, UnsafeStateFile
from resumelog.infrastructure.transfer.old_file import OldFile

IMPORTS = frozenset({"GLOBAL", "INST", "STACK_GLOBAL", "EXT1", "EXT2", "EXT4"})
RUNS = IMPORTS | {"REDUCE", "OBJ", "NEWOBJ", "NEWOBJ_EX", "BUILD", "PERSID", "BINPERSID"}
TEXT_BYTES_MIN = 3
"""A progress file of protocol 1 that was cut off after `}q` is text as well."""

_IMPORTED = re.compile(r"[^\W\d][\w.]* [^\W\d][\w.]*")
"""A module and a name in it. Prose has letters that are instructions too, but no such names."""


def is_text(content: bytes) -> bool:
    """Tell whether people can read it: every progress file has bytes that they can't."""
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError:
        return False
    return len(content) >= TEXT_BYTES_MIN and all(
        char.isprintable() or char.isspace() for char in text
    )


def foreign(file: OldFile, name: str = "", at: int = 0) -> BadStateFile:
    """Return why a file is refused that has the instruction `name` at byte `at`, or is text.

    One that would run code is named as such, wherever that stands in it.
    """
    text, last, protocol = is_text(file.content), "", 0
    if name in RUNS and not text:
        return UnsafeStateFile(path=file.path, instruction=name, at=at)
    for opcode, argument, place in _followed(file.content):
        last, protocol = opcode.name, max(protocol, opcode.proto)
        if last in (IMPORTS if text else RUNS) and _may_run(argument):
            return UnsafeStateFile(path=file.path, instruction=last, at=place)
    if last == "STOP" and not protocol:
        why = "it is a pickle of protocol 0, and the old exporter wrote newer ones"
    elif last == "STOP":
        why = "it is a pickle of something else than the old exporter's progress"
    elif text:
        why = "it is text, and the old exporter wrote pickles"
    else:
        why = f"its byte {at} is nothing that the old exporter wrote"
    return ForeignStateFile(path=file.path, why=why)


def _followed(content: bytes) -> Iterator[tuple[pickletools.OpcodeInfo, Any, int]]:
    """Iterate over instructions as far as they can be read. Nothing is made of their arguments."""
    try:
        for instruction, argument, at in pickletools.genops(content):
            yield instruction, argument, at or 0
    except (ValueError, DeprecationWarning):  # its reader of text warns, where warnings are errors
        return


def _may_run(argument: Any) -> bool:
    return not isinstance(argument, str) or bool(_IMPORTED.fullmatch(argument))
