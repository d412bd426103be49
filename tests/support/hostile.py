"""Pickles that leave a mark when they are unpickled, by every instruction that runs something."""

from __future__ import annotations

import copyreg
import pickle
import struct
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

from support.legacy import fields

Hostile = Callable[[str], bytes]
"""Returns a pickle that leaves its mark at this path."""


def touch(mark: str) -> str:
    """Leave the mark."""
    Path(mark).touch()
    return mark


ext1 = ext2 = ext4 = touch
for code, name in {0xF0: "ext1", 0x1234: "ext2", 0x12345678: "ext4"}.items():
    copyreg.add_extension(__name__, name, code)


class Reduced:
    """Leaves its mark by REDUCE, as pickle itself writes it."""

    def __init__(self, mark: str) -> None:
        self.mark = mark

    def __reduce__(self) -> tuple[Any, ...]:
        return touch, (self.mark,)


class Made:
    """Leaves its mark when it is made."""

    def __new__(cls, mark: str) -> Made:
        touch(mark)
        return super().__new__(cls)


class Built:
    """Leaves its mark when it gets its state."""

    def __setstate__(self, mark: str) -> None:
        touch(mark)


def glob(name: str) -> bytes:
    """Return GLOBAL of something here."""
    return f"c{__name__}\n{name}\n".encode()


def text(value: str) -> bytes:
    """Return BINUNICODE."""
    data = value.encode()
    return b"X" + struct.pack("<I", len(data)) + data


def call(mark: str) -> bytes:
    """Return the call that leaves the mark, in protocol 2."""
    return glob("touch") + text(mark) + b"\x85R"


def framed(body: bytes) -> bytes:
    """Return protocol 4 with a frame that fits."""
    return b"\x80\x04\x95" + struct.pack("<Q", len(body)) + body


def in_a_state_file(mark: str, place: int) -> bytes:
    """Return a whole progress file of protocol 2 with the call in the place of one value."""
    body = b""
    for number, (key, value) in enumerate(fields().items()):
        plain = text(value) if isinstance(value, str) else b"G" + struct.pack(">d", value)
        body += text(key) + (call(mark) if number == place else plain)
    return b"\x80\x02}(" + body + b"u."


def reduced(mark: str, protocol: int) -> bytes:
    """Return the call as pickle itself writes it."""
    return pickle.dumps(Reduced(mark), protocol)


def as_the_progress(mark: str, protocol: int) -> bytes:
    """Return a progress file whose progress is the call."""
    return pickle.dumps({**fields(), "progress": Reduced(mark)}, protocol)


RUN: dict[str, Hostile] = {
    **{f"a call, protocol {each}": partial(reduced, protocol=each) for each in range(6)},
    **{
        f"a call as the progress, protocol {each}": partial(as_the_progress, protocol=each)
        for each in range(6)
    },
    **{f"a call as field {each}": partial(in_a_state_file, place=each) for each in range(4)},
    "a key that is a call": lambda mark: b"\x80\x02}(" + call(mark) + b"K\x01u.",
    "a call that is thrown away": lambda mark: (
        b"\x80\x02" + call(mark) + b"0" + pickle.dumps(fields(), 2)[2:]
    ),
    "a call behind a real dict": lambda mark: pickle.dumps(fields(), 2)[:-1] + call(mark) + b"0.",
    "a call in a frame that fits": lambda mark: framed(
        b"}\x94(" + text("progress") + call(mark) + b"u."
    ),
    "GLOBAL and REDUCE": lambda mark: glob("touch") + b"(" + text(mark) + b"tR.",
    "STACK_GLOBAL": lambda mark: (
        b"\x80\x04" + text(__name__) + text("touch") + b"\x93" + text(mark) + b"\x85R."
    ),
    "STACK_GLOBAL of names from the memo": lambda mark: (
        b"\x80\x04" + text(__name__) + b"\x940" + text("touch") + b"q\x070"
        b"h\x00h\x07\x93" + text(mark) + b"\x85R."
    ),
    "a memo that was exchanged": lambda mark: (
        b"\x80\x02}q\x00(" + text("progress") + b"q\x01" + glob("touch") + b"q\x010"
        b"h\x01" + text(mark) + b"\x85Ru."
    ),
    "INST": lambda mark: b"(" + text(mark) + f"i{__name__}\ntouch\n.".encode(),
    "OBJ": lambda mark: b"(" + glob("touch") + text(mark) + b"o.",
    "NEWOBJ": lambda mark: b"\x80\x02" + glob("Made") + text(mark) + b"\x85\x81.",
    "NEWOBJ_EX": lambda mark: b"\x80\x04" + glob("Made") + text(mark) + b"\x85}\x92.",
    "BUILD": lambda mark: b"\x80\x02" + glob("Built") + b")\x81" + text(mark) + b"b.",
    "EXT1": lambda mark: b"\x80\x02\x82\xf0" + text(mark) + b"\x85R.",
    "EXT2": lambda mark: b"\x80\x02\x83\x34\x12" + text(mark) + b"\x85R.",
    "EXT4": lambda mark: b"\x80\x02\x84\x78\x56\x34\x12" + text(mark) + b"\x85R.",
}
"""All of these leave the mark."""

STRANGE: dict[str, bytes] = {
    "PERSID": b"Pevil\n.",
    "BINPERSID": b"\x80\x02" + text("evil") + b"Q.",
    "an extension of nobody": b"\x80\x02\x82\x01.",
    "a laugh a billion times": b"\x80\x02]q\x00" + b"(h\x00h\x00lq\x00" * 200 + b".",
    "a huge place in the memo": b"\x80\x02}r\xff\xff\xff\xff.",
    "more text than there is memory": b"\x80\x04\x8d" + b"\xff" * 7 + b"\x7f.",
    "more bytes than there is memory": b"\x80\x05\x96" + b"\xff" * 7 + b"\x7f.",
    "lists in lists": b"\x80\x02" + b"]" * 2000 + b"a" * 1999 + b".",
    "tuples in tuples": b"\x80\x02)" + b"\x85" * 4000 + b".",
    "text of protocol 0 with an escape": b"S'\\q'\n.",
    "a buffer from elsewhere": b"\x80\x05\x97.",
    "a set": b"\x80\x04\x8f.",
}
"""What only misbehaves, or only where somebody prepared for it."""
