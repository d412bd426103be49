"""State files of the old autopilot that can't be imported are refused, with the reason."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest
from support.old_runs import SAMPLES, TORN, WHOLE, fields, wrote

from resumelog import BadStateFile
from resumelog.application.errors import DamagedStateFile, ForeignStateFile, NoStateFile
from resumelog.infrastructure.transfer.run_state import BYTES_MAX, is_run_state, read_run_state


def refused(path: Path, kind: type[BadStateFile] = DamagedStateFile) -> str:
    with pytest.raises(kind) as error:
        read_run_state(path)
    assert str(path) in str(error.value)
    return str(error.value)


@pytest.mark.parametrize(
    ("name", "why"), [("truncated", "it is cut off after "), ("empty", "it is empty")]
)
def test_a_torn_sample_is_refused(name: str, why: str) -> None:
    assert why in refused(SAMPLES[name])


def test_a_file_cut_anywhere_is_refused(tmp_path: Path) -> None:
    whole, cut = wrote(tmp_path).read_bytes(), tmp_path / "cut_autopilot.json"
    for size in range(len(whole)):
        cut.write_bytes(whole[:size])
        refused(cut)


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("status", "running"),
        ("status", None),
        ("mode", "semi"),
        ("current_step", "uploading"),
        ("last_completed_step", "completed"),
        ("step_progress", 101),
        ("step_progress", -1),
        ("step_progress", True),
        ("step_progress", "65"),
        ("started_at", "yesterday"),
        ("created_at", 1_763_769_950),
        ("simulation_id", ""),
        ("simulation_id", "a\nb"),
        ("simulation_id", 7),
        ("progress_detail", []),
        ("retry_count", "none"),
    ],
)
def test_what_the_old_autopilot_never_wrote_is_refused(
    tmp_path: Path, field: str, value: Any
) -> None:
    assert field in refused(wrote(tmp_path, **{field: value}))


@pytest.mark.parametrize("field", fields())
def test_a_missing_field_is_named(tmp_path: Path, field: str) -> None:
    path = tmp_path / "x_autopilot.json"
    path.write_text(json.dumps({name: each for name, each in fields().items() if name != field}))
    assert f"it has no {field}" in refused(path, ForeignStateFile)


@pytest.mark.parametrize(
    "content",
    ["[]", "7", '"x"', "null", '{"a": 1, "a": 2}', '{"a": NaN}', "[" * 10_000, "\udcff", "{}x"],
)
def test_what_is_no_state_is_refused(tmp_path: Path, content: str) -> None:
    path = tmp_path / "x_autopilot.json"
    path.write_bytes(content.encode(errors="surrogateescape"))
    refused(path, BadStateFile)


def test_a_file_too_large_to_be_kept_is_refused(tmp_path: Path) -> None:
    refused(wrote(tmp_path, step_message="x" * BYTES_MAX), ForeignStateFile)


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    refused(tmp_path / "sim_2_autopilot.json", NoStateFile)


def test_an_id_is_no_path_and_needs_none(tmp_path: Path) -> None:
    state = read_run_state(wrote(tmp_path, simulation_id="../../victim"))
    assert state.simulation_id == "../../victim"


def test_fields_of_a_later_version_are_kept(tmp_path: Path) -> None:
    assert read_run_state(wrote(tmp_path, max_rounds=40)).recorded["max_rounds"] == 40


@pytest.mark.parametrize("name", WHOLE)
def test_it_is_recognised_by_what_stands_in_it(tmp_path: Path, name: str) -> None:
    copy = tmp_path / "state.json"
    copy.write_bytes(SAMPLES[name].read_bytes())
    assert is_run_state(copy)


@pytest.mark.parametrize("name", TORN)
def test_one_that_says_nothing_is_recognised_by_its_name(tmp_path: Path, name: str) -> None:
    assert is_run_state(SAMPLES[name])
    copy = tmp_path / "state.json"
    copy.write_bytes(SAMPLES[name].read_bytes())
    assert not is_run_state(copy)


def test_other_files_are_not_taken_for_one(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "x.json").write_text('{"scenes": []}')
    for name in ("pipe", "x.json", "missing", "."):
        assert not is_run_state(tmp_path / name)
