"""Golden files: one stored event per class and class version, decoded for ever, never rewritten.

`python -m support.golden`, run in tests/, writes the files of new events and no other.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable
from pathlib import Path

from support.stored import stored_state
from support.stories import one_of_each

from resumelog.domain.events import DomainEvent

FOLDER = Path(__file__).parents[1] / "golden"
MANIFEST = "MANIFEST.json"


def file_name(topic: str, class_version: int) -> str:
    """Return the name of a golden file."""
    return f"{topic}.v{class_version}.json"


def manifest(folder: Path = FOLDER) -> dict[str, str]:
    """Return the checked-in sha256 of each golden file."""
    path = folder / MANIFEST
    sums: dict[str, str] = json.loads(path.read_text("utf-8")) if path.exists() else {}
    return sums


def write_new(events: Iterable[DomainEvent], folder: Path = FOLDER) -> list[str]:
    """Write a file and a line of the manifest for each event that has none yet; return the names."""
    sums = manifest(folder)
    written = []
    for event in events:
        name = file_name(event.TOPIC, event.class_version)
        if name in sums:
            continue
        with (folder / name).open("x", encoding="utf-8") as file:
            file.write(_text(_golden(event)))
        sums[name] = sha256_of(folder / name)
        written.append(name)
    (folder / MANIFEST).write_text(_text(dict(sorted(sums.items()))), "utf-8")
    return written


def sha256_of(path: Path) -> str:
    """Return the sha256 of a file, in hex."""
    return hashlib.sha256(path.read_bytes()).hexdigest()


def _golden(event: DomainEvent) -> dict[str, object]:
    return {
        "topic": event.TOPIC,
        "originator_id": str(event.originator_id),
        "originator_version": event.originator_version,
        "state": stored_state(event),
    }


def _text(value: object) -> str:
    return json.dumps(value, ensure_ascii=False, indent=2) + "\n"


if __name__ == "__main__":
    write_new(one_of_each())
