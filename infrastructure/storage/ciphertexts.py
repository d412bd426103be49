"""What is encrypted is bound to its place: AES-GCM, as the library uses it, binds nothing."""

from __future__ import annotations

from typing import Literal, NamedTuple
from uuid import UUID

from eventsourcing.persistence import Cipher

Part = Literal[b"s", b"p", b"j"]
"""A state, a payload, or a row of the list of jobs."""

STATE: Part = b"s"
PAYLOAD: Part = b"p"
JOB: Part = b"j"


class Place(NamedTuple):
    """Whose content it is: `number` is a version or a position, `name` a topic, or kind and status."""

    part: Part
    stream: UUID
    number: int
    name: str

    def as_bytes(self) -> bytes:
        """Return it so that no other place begins with the same bytes."""
        name, number = self.name.encode(), self.number.to_bytes(8, "big")
        return self.part + self.stream.bytes + number + len(name).to_bytes(2, "big") + name


def encrypted(cipher: Cipher | None, content: bytes, place: Place) -> bytes:
    """Return the content, with its place at its beginning."""
    return cipher.encrypt(place.as_bytes() + content) if cipher else content


def decrypted(cipher: Cipher | None, content: bytes, place: Place) -> bytes:
    """Return the content. Raises ValueError for another key's, or another place's."""
    if cipher is None:
        return content
    try:
        content, own = cipher.decrypt(content), place.as_bytes()
    except ValueError as error:
        raise ValueError(f"the key does not fit, or it was altered ({error})") from error
    if not content.startswith(own):
        raise ValueError("it was encrypted for another place in the log")
    return content[len(own) :]
