"""Every event that was ever stored is decoded for ever."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from support.golden import FOLDER, MANIFEST, file_name, manifest, sha256_of, write_new
from support.stored import decoded, stored_state
from support.stories import one_of_each

from resumelog.domain.events import event_class, topics

FILES = sorted(path for path in FOLDER.glob("*.json") if path.name != MANIFEST)


def upcast(topic: str, version: int, state: dict[str, Any]) -> dict[str, Any]:
    """Return the state as the class of today expects it."""
    event = event_class(topic)
    for earlier in range(version, event.class_version):
        getattr(event, f"upcast_v{earlier}_v{earlier + 1}")(state)
    return state


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_a_golden_event_is_decoded(path: Path) -> None:
    stored, version = json.loads(path.read_text("utf-8")), int(path.stem.rpartition(".v")[2])
    topic, state = stored["topic"], upcast(stored["topic"], version, stored["state"])
    event = decoded(topic, stored["originator_id"], stored["originator_version"], state)
    assert stored_state(event) == state
    assert str(event.originator_id) == stored["originator_id"]
    assert event.originator_version == stored["originator_version"]


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_a_golden_file_is_never_changed(path: Path) -> None:
    assert manifest()[path.name] == sha256_of(path)


def test_a_golden_file_is_never_removed() -> None:
    assert {path.name for path in FILES} == {*manifest()}


@pytest.mark.parametrize(("topic", "event"), topics().items(), ids=topics())
def test_every_version_of_an_event_has_a_golden_file(topic: str, event: Any) -> None:
    versions = range(1, event.class_version + 1)
    assert {file_name(topic, version) for version in versions} <= {*manifest()}


def test_files_are_written_for_new_events_only(tmp_path: Path) -> None:
    first, second, *_ = one_of_each()
    assert write_new([first], tmp_path) == [file_name(first.TOPIC, 1)]
    assert write_new([first, second], tmp_path) == [file_name(second.TOPIC, 1)]
    assert manifest(tmp_path) == {
        file_name(event.TOPIC, 1): sha256_of(tmp_path / file_name(event.TOPIC, 1))
        for event in (first, second)
    }


def test_a_file_that_the_manifest_has_forgotten_is_not_overwritten(tmp_path: Path) -> None:
    first, *_ = one_of_each()
    write_new([first], tmp_path)
    (tmp_path / MANIFEST).unlink()
    with pytest.raises(FileExistsError):
        write_new([first], tmp_path)
