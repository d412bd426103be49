"""Values that events are made of, and their bounds."""

from __future__ import annotations

import hashlib
import json
import unicodedata
import zlib
from typing import Annotated, Any, Literal, NamedTuple

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    JsonValue,
    PrivateAttr,
    TypeAdapter,
    ValidationError,
)

from resumelog.domain.errors import BadKey, NotJson, TooLarge

KEY_CHARS_MAX = 512
CURSOR_BYTES_MAX = 64 * 1024
ERROR_BYTES_MAX = 8 * 1024
PAYLOAD_INLINE_BYTES_MAX = 1024
PAYLOAD_BYTES_MAX = 64 * 1024 * 1024
SCENES_MAX = 1_000_000
JSON_DEPTH_MAX = 100
TEXT_CHARS_MAX = PAYLOAD_BYTES_MAX
"""On each text field; with any bound pydantic also refuses text that UTF-8 can't hold."""

Progress = Annotated[float, Field(ge=0, le=1, allow_inf_nan=False)]
Sha256 = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
Seconds = Annotated[float, Field(ge=0, allow_inf_nan=False)]
JsonObject = dict[str, JsonValue]

_JSON: TypeAdapter[JsonValue] = TypeAdapter(JsonValue)
_ENCODER = json.JSONEncoder(
    ensure_ascii=False, sort_keys=True, separators=(",", ":"), allow_nan=False
)


class Value(BaseModel):
    """A frozen part of an event."""

    model_config = ConfigDict(frozen=True, extra="forbid", str_max_length=TEXT_CHARS_MAX)


class Worker(Value):
    """One process, told apart from every other that ever had its number.

    `started` is the process's start time as its system counts it (Linux: clock ticks after boot).
    """

    host: str
    boot_id: str
    pid_namespace: str
    pid: int
    started: int

    def __str__(self) -> str:
        """Return it as people name a process."""
        return f"pid {self.pid} on {self.host}"


class Attempt(NamedTuple):
    """The nth try at one unit."""

    unit: str
    number: int


class Claim(NamedTuple):
    """The right to work on one stream: who, under which epoch, and what the lease tells.

    `in_flight` is None unless the lease was taken over from a holder that never gave it back;
    then it names what that holder was doing. `holder_may_live`: it isn't known to be gone, so it may
    come back and go on with what it had open.
    """

    worker: Worker
    epoch: int
    in_flight: tuple[Attempt, ...] | None = None
    holder_may_live: bool = False


class Artifact(Value):
    """A file that a job made: `path` relative to `root`, size in bytes, mtime in nanoseconds."""

    root: str
    path: str
    size: int
    mtime_ns: int
    sha256: Sha256


class Payload(Value):
    """A JSON value kept with an event: a small one inside it, a large one beside it.

    `size` (bytes) and `sha256` are those of the canonical JSON. Where `codec` is not "inline",
    the bytes stand in the payload table under the event's stream and version.
    """

    sha256: Sha256
    size: int
    codec: Literal["inline", "json", "zlib"]
    inline: JsonValue = None

    @classmethod
    def of(cls, value: JsonValue, what: str = "a result", job: str = "") -> Payload:
        """Raise NotJson or TooLarge for what can't be kept."""
        content = canonical_json(value, what, job)
        require_size(what, len(content), PAYLOAD_BYTES_MAX, job)
        facts = {"sha256": hashlib.sha256(content).hexdigest(), "size": len(content)}
        if len(content) <= PAYLOAD_INLINE_BYTES_MAX:
            return cls(codec="inline", inline=value, **facts)
        packed = zlib.compress(content, 1)
        gains = len(packed) < len(content)
        payload = NewPayload(codec="zlib" if gains else "json", **facts)
        payload._content = packed if gains else content
        return payload

    @property
    def content(self) -> bytes | None:
        """The stored bytes of a large value that was just made; None once they are on disk."""
        return None

    def forget(self) -> None:
        """Let go of the bytes: they are on disk, and states keep events for long."""

    def __eq__(self, other: object) -> bool:
        """Equal values have equal hashes, whether their bytes are at hand or not."""
        return isinstance(other, Payload) and self.sha256 == other.sha256

    def __hash__(self) -> int:
        """Hash by the hash."""
        return hash(self.sha256)

    def value(self, content: bytes | None = None) -> JsonValue:
        """Return the value itself; a large one is decoded from its stored bytes.

        Raises LookupError without them, and ValueError for bytes that are not this value's.
        """
        if self.codec == "inline":
            return self.inline
        stored = content if content is not None else self.content
        if stored is None:
            raise LookupError("the bytes of this payload are in the payload table")
        if why := self.differs(stored):
            raise ValueError(f"it {why}")
        value: JsonValue = json.loads(self._unpacked(stored))
        return value

    def differs(self, content: bytes) -> str:
        """Return why stored bytes are not this value; empty if they are."""
        try:
            plain = self._unpacked(content)
        except zlib.error as error:
            return f"can't be decompressed: {error}"
        if len(plain) != self.size:
            return f"does not have the {self.size} bytes that its event names"
        if hashlib.sha256(plain).hexdigest() != self.sha256:
            return "does not have the sha256 that its event names"
        return ""

    def _unpacked(self, content: bytes) -> bytes:
        """Decompress no more than it takes to see that it is too much, or cut, or goes on."""
        if self.codec != "zlib":
            return content
        stream = zlib.decompressobj()
        plain = stream.decompress(content, self.size + 1)
        return plain if stream.eof and not stream.unused_data else b""

    def inlined(self) -> Payload:
        """The same value kept inside the event, for a store without a payload table."""
        if self.codec == "inline":
            return self
        return Payload(sha256=self.sha256, size=self.size, codec="inline", inline=self.value())


class NewPayload(Payload):
    """A large value that was just made, with its bytes: what is read from a log has none."""

    _content: bytes | None = PrivateAttr(None)

    @property
    def content(self) -> bytes | None:
        """The stored bytes, until they are on disk."""
        return self._content

    def forget(self) -> None:
        """Let go of the bytes."""
        self._content = None


def canonical_json(value: Any, what: str = "value", job: str = "") -> bytes:
    """UTF-8 JSON with sorted keys and no spaces, the form that fingerprints are made of."""
    try:
        _JSON.validator.validate_python(value)
        text = _ENCODER.encode(value)
        if text.count("[") + text.count("{") > JSON_DEPTH_MAX:
            _require_depth(value)
        return text.encode()
    except ValidationError as error:
        raise NotJson(job, what=what, why=_why_not_json(error)) from None
    except (TypeError, ValueError, RecursionError) as error:
        raise NotJson(job, what=what, why=str(error)) from None


def _why_not_json(error: ValidationError) -> str:
    """Return the type that JSON does not have, and where it is: every other part of a place is pydantic's."""
    first = error.errors(include_url=False)[0]
    place, kind = ".".join(map(str, first["loc"][1::2])), type(first["input"]).__name__
    if first["loc"][-1:] == ("[key]",):
        return f"the key {place} is of type {kind}, and no text"
    return f"it has a value of type {kind} at {place}" if place else f"it is of type {kind}"


def _require_depth(value: JsonValue, depth: int = 0) -> None:
    """Readers of JSON give up at some depth; what they could not read must not be stored."""
    if depth > JSON_DEPTH_MAX:
        raise ValueError(f"it is nested more than {JSON_DEPTH_MAX} deep")
    parts = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    for part in parts:
        _require_depth(part, depth + 1)


def fingerprint(*parts: Any) -> str:
    """Return the sha256 of the canonical JSON of `parts`, in hex."""
    return hashlib.sha256(canonical_json([*parts], "the input")).hexdigest()


def require_size(what: str, size: int, limit: int, job: str = "") -> None:
    """Raise TooLarge over `limit` bytes."""
    if size > limit:
        raise TooLarge(job, what=what, size=size, limit=limit)


def require_cursor(cursor: JsonValue, what: str = "the cursor", job: str = "") -> None:
    """Raise unless `cursor` is JSON of at most CURSOR_BYTES_MAX."""
    if cursor is not None:
        require_size(what, len(canonical_json(cursor, what, job)), CURSOR_BYTES_MAX, job)


def checked_key(key: object, what: str = "the key") -> str:
    """Return the key in NFC; raise BadKey unless it has 1-512 characters, none of them control."""
    if not isinstance(key, str):
        raise BadKey(what=what, key=key, why="it is not text")
    key = unicodedata.normalize("NFC", key)
    if not 1 <= len(key) <= KEY_CHARS_MAX:
        raise BadKey(what=what, key=key[:80], why=f"it must have 1 to {KEY_CHARS_MAX} characters")
    if any(unicodedata.category(char) in ("Cc", "Cs") for char in key):
        raise BadKey(what=what, key=key, why="it has control characters")
    return key


def validation_text(error: ValidationError) -> str:
    """Return what pydantic found, in one line, without the values."""
    found = error.errors(include_url=False, include_input=False, include_context=False)
    places = ((".".join(map(str, each["loc"])), each["msg"]) for each in found[:3])
    return "; ".join(f"{place}: {what}" if place else what for place, what in places)


def error_text(error: object) -> str:
    """Return an error as text of at most ERROR_BYTES_MAX bytes; what is cut leaves a mark."""
    text = str(error)
    if isinstance(error, BaseException):
        name = type(error).__name__
        text = f"{name}: {text}" if text else name
    encoded = text.encode(errors="backslashreplace")
    if len(encoded) <= ERROR_BYTES_MAX:
        return encoded.decode()
    mark = f" … [cut, {len(encoded)} bytes in all]"
    return encoded[: ERROR_BYTES_MAX - len(mark.encode())].decode(errors="ignore") + mark
