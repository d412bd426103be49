"""The chain that makes every stream tamper-evident."""

from __future__ import annotations

import hashlib
from typing import NamedTuple

NO_SEAL = b""


class Head(NamedTuple):
    """The newest event of a stream: its version and its seal."""

    version: int
    seal: bytes


NOTHING_SEALED = Head(0, NO_SEAL)


def seal(previous: bytes, stream: str, version: int, topic: str, state: bytes) -> bytes:
    """Return sha256 over the length-prefixed previous seal, stream, version, topic and state.

    All are taken as they stand in the table, so that no decoding is needed to check them.

    Lengths are 8 bytes, big-endian; text is UTF-8; the version is decimal text.
    """
    parts = (
        previous,
        stream.encode(),
        b"%d" % version,
        topic.encode(),
        state,
    )
    return hashlib.sha256(b"".join(len(p).to_bytes(8, "big") + p for p in parts)).digest()
