"""A pickle of one dict of plain values, read without running anything.

Nothing is unpickled: a closed set of instructions is taken as text in a language of its own, and
a file with any other is refused.
"""

from __future__ import annotations

import pickletools
import re
from collections.abc import Iterator
from io import BytesIO
from typing import Any, NamedTuple

from resumelog.application.errors import DamagedStateFile, ForeignStateFile
from resumelog.infrastructure.transfer.foreign_file import foreign, is_text
from resumelog.infrastructure.transfer.old_file import OldFile

PROTOCOL_MAX = 5

_CONSTANTS = {"NONE": None, "NEWTRUE": True, "NEWFALSE": False}
_NUMBERS = ("BINFLOAT", "BININT", "BININT1", "BININT2", "LONG1")
_TEXTS = ("SHORT_BINUNICODE", "BINUNICODE")
_LETTERS = {
    "PROTO": "P",
    "FRAME": "F",
    "EMPTY_DICT": "D",
    "MARK": "(",
    "SETITEMS": ")",
    "STOP": ".",
    **dict.fromkeys(("MEMOIZE", "BINPUT"), "m"),
    **dict.fromkeys((*_CONSTANTS, *_NUMBERS, *_TEXTS), "v"),
}
"""The instructions that protocols 1 to 5 write such a dict with. `m` keeps what came before it for a
later use that there is none of here."""

_ONE_DICT = re.compile(r"P?F?Dm?\((vm?vm?)+\)\.")
_INSTRUCTIONS = {ord(each.code): each for each in pickletools.opcodes}


class _Instruction(NamedTuple):
    letter: str
    value: Any


def flat_dict(file: OldFile) -> dict[Any, Any]:
    """Return the one dict that a file holds: numbers, text, True, False and None under keys of these.

    Raises DamagedStateFile, ForeignStateFile, UnsafeStateFile.
    """
    if not file.content:
        raise DamagedStateFile(path=file.path, why="it is empty")
    if is_text(file.content):
        raise foreign(file)
    instructions = [*_instructions(file)]
    if not _ONE_DICT.fullmatch("".join(each.letter for each in instructions)):
        raise ForeignStateFile(
            path=file.path, why="it is a pickle, but not of one dict of plain values"
        )
    values = [each.value for each in instructions if each.letter == "v"]
    fields = dict(zip(values[::2], values[1::2], strict=True))
    if len(fields) * 2 < len(values):
        raise ForeignStateFile(path=file.path, why="it holds a field twice")
    return fields


def _instructions(file: OldFile) -> Iterator[_Instruction]:
    """Iterate up to the one that ends the pickle, which must end the file."""
    stream, size = BytesIO(file.content), len(file.content)
    letter = ""
    while letter != ".":
        name, value = _next(file, stream)
        letter, left = _LETTERS[name], size - stream.tell()
        if name == "PROTO" and not 1 < value <= PROTOCOL_MAX:
            raise ForeignStateFile(path=file.path, why=f"it is a pickle of protocol {value}")
        if name == "FRAME" and value != left:
            cut = f"it is cut off: {value - left} bytes are missing"
            why = cut if value > left else f"it has {left - value} bytes too many"
            raise DamagedStateFile(path=file.path, why=why)
        if name == "STOP" and left:
            raise DamagedStateFile(path=file.path, why=f"{left} bytes stand behind its end")
        yield _Instruction(letter, value)


def _next(file: OldFile, stream: BytesIO) -> tuple[str, Any]:
    at = stream.tell()
    code = stream.read(1)
    if not code:
        raise DamagedStateFile(path=file.path, why=f"it is cut off after {at} bytes")
    found = _INSTRUCTIONS.get(code[0])
    if found is None:
        raise ForeignStateFile(path=file.path, why=f"its byte {at} is no instruction of a pickle")
    if found.name not in _LETTERS:
        raise foreign(file, found.name, at)
    try:
        value = found.arg.reader(stream) if found.arg else _CONSTANTS.get(found.name)
    except ValueError:  # what is not there, and what is no UTF-8
        why = f"it is cut off or altered at byte {at}"
        raise DamagedStateFile(path=file.path, why=why) from None
    return found.name, value
