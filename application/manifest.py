"""A manifest: the heads of all streams under one root, to be kept where the log is not.

JSON lines: {"stream", "version", "seal"} for each stream in their order, then
{"format": 1, "streams", "root", "made_at"}. The seal is hex, the root as `domain.seals.Root` says.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime
from typing import Any, NamedTuple

from resumelog.application.errors import BadManifest
from resumelog.domain.seals import Head, Root

FORMAT = 1
LINE_CHARS_MAX = 4096


class Manifest(NamedTuple):
    """Heads by stream, and when they were taken (ISO 8601)."""

    heads: Mapping[str, Head]
    made_at: str


NO_MANIFEST = Manifest({}, "")


def written(heads: Iterable[Head], made_at: datetime) -> Iterator[str]:
    """Iterate over the lines of a manifest, each with its line end."""
    root = Root()
    for head in heads:
        root.add(head)
        yield _line(stream=head.stream, version=head.version, seal=head.seal.hex())
    yield _line(format=FORMAT, streams=root.count, root=root.hex, made_at=made_at.isoformat())


def read(lines: Iterable[str], name: str) -> Manifest:
    """Return a manifest whose order, count and root are right. Raises BadManifest."""
    root, heads, last = Root(), dict[str, Head](), ""
    rest = iter(lines)
    for number, line in enumerate(rest, 1):
        document = _document(line, number, name)
        if "format" in document:
            made_at = _made_at(document, root, name)
            if next(rest, None) is not None:
                raise BadManifest(name=name, why=f"it goes on behind its last line, {number}")
            return Manifest(heads, made_at)
        head = _head(document, number, name)
        if head.stream <= last:
            raise BadManifest(name=name, why=f"line {number} is not in the order of streams")
        root.add(head)
        heads[head.stream], last = head, head.stream
    raise BadManifest(name=name, why="its last line, with the root, is not there")


def _line(**fields: str | int) -> str:
    return json.dumps(fields, ensure_ascii=False, separators=(",", ":")) + "\n"


def _document(line: str, number: int, name: str) -> dict[str, Any]:
    try:
        document = json.loads(line) if len(line) <= LINE_CHARS_MAX else None
    except (ValueError, RecursionError):
        document = None
    if not isinstance(document, dict):
        raise BadManifest(name=name, why=f"line {number} is no line of a manifest")
    return document


def _head(document: Mapping[str, Any], number: int, name: str) -> Head:
    try:
        head = Head(document["stream"], document["version"], bytes.fromhex(document["seal"]))
        if _line(**head._asdict() | {"seal": head.seal.hex()}) == _line(**document):
            head.stream.encode()
            if type(head.version) is int and head.stream:
                return head
    except (KeyError, TypeError, AttributeError, ValueError):
        pass
    raise BadManifest(name=name, why=f"line {number} is no head of a stream")


def _made_at(document: Mapping[str, Any], root: Root, name: str) -> str:
    if document["format"] != FORMAT:
        why = f"it has format {document['format']!r}, this resumelog knows {FORMAT}"
        raise BadManifest(name=name, why=why)
    if document.get("streams") != root.count or document.get("root") != root.hex:
        raise BadManifest(name=name, why="its root is not that of its lines: it was changed")
    return str(document.get("made_at", ""))
