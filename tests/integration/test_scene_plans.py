"""Scene batches whose plan, earlier stage or files changed: only what changed is made anew."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from pydantic import JsonValue
from support.logs import make_scenes, scenes

from resumelog import Batch, ResumeLog
from resumelog.domain.errors import (
    BadKey,
    DuplicateScene,
)
from resumelog.domain.values import Artifact
from resumelog.infrastructure.artifacts import FileArtifacts

NAME = "电影/分镜"
TWELVE = scenes(*range(1, 13))
EDITED = scenes(1) + scenes(2, mood="雨") + scenes(3)


def opened(log: ResumeLog, plan: list[JsonValue] = TWELVE, **options: Any) -> Batch:
    return log.scenes.open("电影", "分镜", scenes=plan, **options)


# Another plan


@pytest.mark.parametrize(
    ("plan", "expected"),
    [
        (scenes(1, 2) + scenes(3, mood="雨") + scenes(4), ["3"]),
        (scenes(1, 2, 3, 4, 5), ["5"]),
        (scenes(0, 1, 2, 3, 4), ["0"]),
        (scenes(1, 2, 4), []),
        (scenes(4, 2, 1, 3), []),
        (scenes(4, 5) + scenes(1, mood="雨"), ["5", "1"]),
    ],
    ids=["edited", "appended", "put before", "removed", "reordered", "all at once"],
)
def test_only_what_the_new_plan_changed_is_made(
    log: ResumeLog, plan: list[JsonValue], expected: list[str]
) -> None:
    make_scenes(opened(log, scenes(1, 2, 3, 4)))
    assert make_scenes(opened(log, plan)) == expected
    assert log.queries.find(NAME).status == "completed"


def test_other_params_make_every_scene_anew(log: ResumeLog) -> None:
    make_scenes(opened(log, params={"style": "水墨"}))
    assert len(make_scenes(opened(log, params={"style": "油画"}))) == 12


def test_a_plan_that_comes_back_with_its_old_scene_has_it_done_anew(log: ResumeLog) -> None:
    edited = scenes(1) + scenes(2, mood="雨")
    for plan, expected in ((scenes(1, 2), ["1", "2"]), (edited, ["2"]), (scenes(1, 2), ["2"])):
        assert make_scenes(opened(log, plan)) == expected


def test_results_are_in_the_order_of_the_plan(log: ResumeLog) -> None:
    make_scenes(opened(log), fails=["2"])
    make_scenes(opened(log))
    with opened(log, TWELVE[::-1]) as batch:
        results = [(scene.key, result) for scene, result in batch.results()]
    assert results == [(str(n), f"《{n}》") for n in range(12, 0, -1)]


@pytest.mark.parametrize(
    ("plan", "error"),
    [
        (scenes(1, 1), DuplicateScene),
        ([{"id": "a\x00b"}], BadKey),
        ([{"id": 1.5}], BadKey),
        ([{"id": ""}], BadKey),
    ],
)
def test_a_bad_plan_is_refused_and_nothing_written(
    log: ResumeLog, plan: list[JsonValue], error: type[Exception]
) -> None:
    with pytest.raises(error):
        opened(log, plan)
    assert log.queries.jobs() == []


# What a scene takes from the stage before


def after(log: ResumeLog) -> Batch:
    return log.scenes.open("电影", "增强", scenes=scenes(1, 2, 3), after="分镜")


def test_a_result_redone_in_the_stage_before_makes_its_scene_stale(log: ResumeLog) -> None:
    make_scenes(opened(log, scenes(1, 2, 3)))
    make_scenes(after(log))
    make_scenes(opened(log, EDITED), result="新《{}》".format)
    assert make_scenes(after(log)) == ["2"]


def test_the_same_result_redone_in_the_stage_before_keeps_its_scene(log: ResumeLog) -> None:
    make_scenes(opened(log, scenes(1, 2, 3)))
    make_scenes(after(log))
    make_scenes(opened(log, EDITED))
    assert make_scenes(after(log)) == []


def test_a_result_made_while_the_later_stage_is_open_counts_when_its_scene_begins(
    log: ResumeLog,
) -> None:
    with after(log) as batch:
        empty = batch.scene("1").fingerprint
        make_scenes(opened(log, scenes(1, 2, 3)))
        assert batch.scene("1").fingerprint != empty


# Files


def with_file(batch: Batch, files: FileArtifacts, key: str) -> Artifact:
    partial = files.partial(Path(f"{key}.png"))
    partial.write_bytes(b"pixels" + key.encode())
    artifact = files.commit(partial, Path(f"{key}.png"))
    batch.complete(key, artifact=artifact)
    return artifact


@pytest.mark.parametrize("content", [None, b"other", b"PIXELS2"])
def test_a_scene_whose_file_is_gone_or_altered_is_made_again(
    log: ResumeLog, tmp_path: Path, content: bytes | None
) -> None:
    with opened(log, scenes(1, 2, 3)) as batch:
        for key in "123":
            with_file(batch, FileArtifacts(tmp_path), key)
    (tmp_path / "2.png").unlink()
    if content is not None:
        (tmp_path / "2.png").write_bytes(content)
    assert make_scenes(opened(log, scenes(1, 2, 3))) == ["2"]


def test_the_file_of_a_finished_scene_is_known(log: ResumeLog, tmp_path: Path) -> None:
    with opened(log) as batch:
        with_file(batch, FileArtifacts(tmp_path), "2")
        assert batch.file_of("2") == tmp_path / "2.png"
