"""Manifests as files."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from resumelog.application.errors import BadManifest
from resumelog.application.manifest import LINE_CHARS_MAX, Manifest, read
from resumelog.infrastructure.artifacts import FileArtifacts, discard


def read_manifest(path: Path) -> Manifest:
    """Return the manifest in a file. Raises BadManifest."""
    try:
        with path.open(encoding="utf-8", newline="\n") as file:
            return read(iter(lambda: file.readline(LINE_CHARS_MAX + 1), ""), str(path))
    except OSError as error:
        raise BadManifest(name=str(path), why=f"it can't be read: {error.strerror}") from None
    except UnicodeDecodeError:
        raise BadManifest(name=str(path), why="it is not UTF-8") from None


def write_whole(path: Path, lines: Iterable[str]) -> None:
    """Write a file that is there whole or not at all, a power loss included. Raises OSError."""
    files = FileArtifacts()
    partial = files.partial(path)
    try:
        with partial.open("x", encoding="utf-8", newline="\n") as file:
            file.writelines(lines)
        files.commit(partial, path)
    finally:
        discard(partial)
