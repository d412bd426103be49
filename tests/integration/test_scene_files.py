"""Files that scenes make: moved into place when they are done, looked at before they count."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest
from support.logs import events_of, scenes

from resumelog import BadArgument, Batch, ResumeLog, Retry, Scene, SceneUpdate
from resumelog.domain.scene_events import SceneInvalidated


def opened(log: ResumeLog, **options: Any) -> Batch:
    options = {"artifact": "images/{key}.png", **options}
    return log.scenes.open("电影", "画面", scenes=scenes(1, 2, 3), **options)


def names_in(folder: Path) -> list[str]:
    return sorted(file.name for file in folder.iterdir())


def draw(scene: Scene) -> str:
    assert scene.partial
    scene.partial.write_bytes(f"画面 {scene.key}".encode())
    return scene.key


def reasons(log: ResumeLog) -> dict[str, str]:
    found = [e for e in events_of(log, "电影/画面") if isinstance(e, SceneInvalidated)]
    return {event.scene: event.reason for event in found}


@pytest.mark.parametrize("where", ["images/{key}.png", lambda scene: f"images/{scene.key}.png"])
def test_each_file_is_in_its_place_once_its_scene_is_done(
    log: ResumeLog, tmp_path: Path, where: Any
) -> None:
    batch = opened(log, artifact=where)
    assert batch.run(draw, workers=3).is_complete
    assert names_in(tmp_path / "images") == ["1.png", "2.png", "3.png"]
    assert batch.file_of("2") == tmp_path / "images" / "2.png"


def test_what_a_failed_attempt_wrote_is_gone(log: ResumeLog, tmp_path: Path) -> None:
    def function(scene: Scene) -> None:
        draw(scene)
        if scene.key == "2":
            raise RuntimeError("画坏了")

    with opened(log) as batch:
        batch.run(function)
    assert names_in(tmp_path / "images") == ["1.png", "3.png"]


def test_a_scene_that_wrote_no_file_has_failed(log: ResumeLog) -> None:
    with opened(log) as batch:
        report = batch.run(lambda scene: draw(scene) if scene.key != "2" else None)
    assert [each.key for each in report.failed] == ["2"]
    assert report.failed[0].error.startswith("SceneFileMissing")


def test_a_place_that_there_cannot_be_is_that_scenes_failure(
    log: ResumeLog, tmp_path: Path
) -> None:
    (tmp_path / "images" / "2.png").mkdir(parents=True)
    with opened(log) as batch:
        report = batch.run(draw)
    assert (report.done, [each.key for each in report.failed]) == (2, ["2"])
    assert "IsADirectoryError" in report.failed[0].error


def test_a_scene_without_a_place_is_told_and_tried_again_as_any_that_fails(
    log: ResumeLog, tmp_path: Path
) -> None:
    (tmp_path / "images" / "2.png").mkdir(parents=True)
    told = list[tuple[str, int]]()
    batch = opened(log)

    def listen(update: SceneUpdate) -> None:
        if update.scene.key == "2":
            told.append((str(update.state), update.scene.attempt))
        if update.state == "retrying" and update.scene.attempt == 2:
            assert "IsADirectoryError" in update.error
            (tmp_path / "images" / "2.png").rmdir()

    batch.on_scene(listen)
    assert batch.run(draw, retry=Retry(attempts=3, backoff_s=0, jitter_s=0)).is_complete
    attempts = [(state, attempt) for attempt in (1, 2) for state in ("begun", "retrying")]
    assert told == [*attempts, ("begun", 3), ("done", 3)]


@pytest.mark.parametrize(("workers", "counted"), [(1, "1 failure"), (2, "2 failures")])
def test_scenes_without_a_place_count_among_the_failures_that_end_the_run(
    log: ResumeLog, tmp_path: Path, workers: int, counted: str
) -> None:
    (tmp_path / "images").write_text("no folder")
    with opened(log) as batch:
        report = batch.run(draw, workers=workers, stop_after_failures=workers)
    assert (len(report.failed), report.remaining) == (workers, 3)
    assert report.cause == f"stopped after {counted}"


def file_made(batch: Batch, key: str, path: str) -> None:
    batch.artifact(key, path).write_text(key)
    batch.complete(key)


def test_a_path_is_given_to_one_scene(log: ResumeLog, tmp_path: Path) -> None:
    with opened(log, artifact=None) as batch:
        file_made(batch, "1", "one.png")
        batch.artifact("2", "two.png")
        for path in ("one.png", tmp_path / "images" / ".." / "one.png", "two.png"):
            with pytest.raises(BadArgument, match=r"scene [12] has its file there"):
                batch.artifact("3", path)
        file_made(batch, "1", "one.png")  # its own, once more
    with opened(log, artifact=None) as batch:
        with pytest.raises(BadArgument, match="scene 1 has its file there"):
            batch.artifact("2", "one.png")
        with pytest.raises(BadArgument, match="scene 1 has its file there"):
            batch.artifact("2", "./one.png")
    assert (tmp_path / "one.png").read_text() == "1"


def test_a_folder_under_two_names_gives_one_path(log: ResumeLog, tmp_path: Path) -> None:
    (tmp_path / "images").mkdir(exist_ok=True)
    (tmp_path / "link").symlink_to(tmp_path / "images")
    with opened(log, artifact=None) as batch:
        file_made(batch, "1", "images/one.png")
        with pytest.raises(BadArgument, match="scene 1 has its file there"):
            batch.artifact("2", "link/one.png")
        file_made(batch, "2", "link/two.png")
    assert (tmp_path / "images" / "two.png").read_text() == "2"


def test_a_done_scene_that_is_refused_a_path_stays_done(log: ResumeLog) -> None:
    with opened(log, artifact=None) as batch:
        file_made(batch, "1", "one.png")
        file_made(batch, "2", "two.png")
        with pytest.raises(BadArgument):
            batch.artifact("2", "one.png")
        assert batch.counts().done == 2


def test_a_path_is_free_again_once_its_scene_is_to_be_made_again_failed_or_is_gone(
    log: ResumeLog,
) -> None:
    with opened(log, artifact=None) as batch:
        file_made(batch, "1", "one.png")
        batch.regenerate(["1"])
        file_made(batch, "2", "one.png")
        with pytest.raises(BadArgument, match="scene 2 has its file there"):
            batch.artifact("1", "one.png")
        batch.artifact("1", "another.png")
        batch.fail("1", "太暗")
        file_made(batch, "3", "another.png")
    with log.scenes.open("电影", "画面", scenes=scenes(1, 2)) as batch:
        file_made(batch, "1", "another.png")


@pytest.mark.parametrize(
    ("verify", "change", "again"),
    [
        ("stat", "gone", {"2"}),
        ("stat", "longer", {"2"}),
        ("stat", "altered", {"2"}),
        ("stat", "touched", set()),
        ("stat", "altered behind its back", set()),
        ("sha256", "altered behind its back", {"2"}),
        ("off", "gone", set()),
    ],
)
def test_a_file_that_is_not_as_recorded_invalidates_exactly_its_scene(
    log: ResumeLog, tmp_path: Path, verify: Any, change: str, again: set[str]
) -> None:
    opened(log).run(draw)
    file = tmp_path / "images" / "2.png"
    alter(file, change)
    batch, made = opened(log, verify=verify), set[str]()

    def function(scene: Scene) -> str:
        made.add(scene.key)
        return draw(scene)

    assert batch.run(function).is_complete
    assert made == again == {*reasons(log)} == {*batch.stale}
    assert all("2.png" in reason for reason in reasons(log).values())


def alter(file: Path, change: str) -> None:
    stat, content = file.stat(), file.read_bytes()
    if change == "gone":
        file.unlink()
    elif change == "touched":
        os.utime(file, ns=(1, 1))
    else:
        file.write_bytes(content + b"!" if change == "longer" else content[::-1])
        kept = change == "altered behind its back"
        os.utime(file, ns=(stat.st_atime_ns, stat.st_mtime_ns if kept else 1))


def test_a_file_that_is_made_again_invalidates_its_scene_first(log: ResumeLog) -> None:
    with opened(log) as batch:
        batch.run(draw, scenes=["1", "2"])
        partial = batch.artifact("2")
        assert reasons(log) == {"2": "its file is made again"}
        partial.write_bytes(b"new")
        batch.complete("2")
        made = batch.file_of("2")
        assert made is not None
        assert made.read_bytes() == b"new"
