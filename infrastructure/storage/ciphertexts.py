"""What is encrypted is bound to its place: AES-GCM, as the library uses it, binds nothing."""

from __future__ import annotations

from typing import Literal
from uuid import UUID

from eventsourcing.persistence import Cipher

Part = Literal[b"s", b"p", b"j"]
"""A state, a payload, or a row of the list of jobs."""

STATE: Part = b"s"
PAYLOAD: Part = b"p"
JOB: Part = b"j"


def encrypted(
    cipher: Cipher | None, content: bytes, part: Part, stream: UUID, number: int
) -> bytes:
    """Return the content for this part of this stream's version or position."""
    return cipher.encrypt(_place(part, stream, number) + content) if cipher else content


def decrypted(
    cipher: Cipher | None, content: bytes, part: Part, stream: UUID, number: int
) -> bytes:
    """Return the content. Raises what the cipher does, and ValueError for another place's."""
    if cipher is None:
        return content
    content, place = cipher.decrypt(content), _place(part, stream, number)
    if not content.startswith(place):
        raise ValueError("it was encrypted for another place in the log")
    return content[len(place) :]


def _place(part: Part, stream: UUID, number: int) -> bytes:
    return part + stream.bytes + number.to_bytes(8, "big")
