"""The chain that makes every stream tamper-evident, and the root that pins its heads down."""

from __future__ import annotations

from hashlib import sha256
from typing import NamedTuple

NO_SEAL = b""

SealedRow = tuple[int, str, int, str, bytes, bytes]
"""Position, stream, version, topic, stored state, seal: as they stand in the table."""


class _Lengths(dict[int, bytes]):
    """A number of bytes as 8 bytes, made once."""

    def __missing__(self, length: int) -> bytes:
        packed = length.to_bytes(8, "big")
        if length < KEPT_MAX:
            self[length] = packed
        return packed


class _Texts(dict[str, bytes]):
    """Text in UTF-8 behind its length, made once: most streams and topics come again."""

    def __missing__(self, text: str) -> bytes:
        encoded = text.encode()
        prefixed = _LENGTHS[len(encoded)] + encoded
        if len(self) < KEPT_MAX:
            self[text] = prefixed
        return prefixed


KEPT_MAX = 4096
_LENGTHS = _Lengths()
_TEXTS = _Texts()
_EMPTY = sha256()


class Head(NamedTuple):
    """The newest event of a stream: its version and its seal. The stream is as in the table."""

    stream: str
    version: int
    seal: bytes


def seal(previous: bytes, stream: str, version: int, topic: str, state: bytes) -> bytes:
    """Return sha256 over the length-prefixed previous seal, stream, version, topic and state.

    All are taken as they stand in the table, so that no decoding is needed to check them.

    Lengths are 8 bytes, big-endian; text is UTF-8; the version is decimal text.
    """
    number = b"%d" % version
    digest = _EMPTY.copy()  # OpenSSL looks the algorithm up for each that is made anew
    digest.update(
        b"".join(  # written out: an audit does this for every event of a log
            (
                _LENGTHS[len(previous)],
                previous,
                _TEXTS[stream],
                _LENGTHS[len(number)],
                number,
                _TEXTS[topic],
                _LENGTHS[len(state)],
                state,
            )
        )
    )
    return digest.digest()


class Root:
    """sha256 over heads in their order: each one's length-prefixed stream, version and seal.

    Lengths, text and version are as in a seal.
    """

    def __init__(self) -> None:
        """Begin with no heads."""
        self.count = 0
        self._sha256 = sha256()

    def add(self, head: Head) -> None:
        """Take the next head in."""
        self.count += 1
        for part in (head.stream.encode(), b"%d" % head.version, head.seal):
            self._sha256.update(_LENGTHS[len(part)] + part)

    @property
    def hex(self) -> str:
        """The root over all heads so far."""
        return self._sha256.hexdigest()
