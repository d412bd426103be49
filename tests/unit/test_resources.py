"""Resources are released in order, once, whatever fails, and all failures are told."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest

from resumelog import ReleaseFailed, Resources
from resumelog.application.errors import ResourcesReleased

FULL = "/dev/full"
"""Takes every write, and has no room when they are flushed."""


class Released(list[object]):
    """What was released, in this order."""

    def of(self, name: object) -> Callable[[], None]:
        return lambda: self.append(name)

    def failing(self, name: str, error: BaseException) -> Callable[[], None]:
        def fail() -> None:
            self.append(name)
            raise error

        return fail

    @contextmanager
    def entered(self, name: str, *, suppresses: bool = False) -> Iterator[str]:
        try:
            yield name
        except BaseException as error:
            self.append((name, type(error)))
            if not suppresses:
                raise
        else:
            self.append(name)


@pytest.fixture
def released() -> Released:
    return Released()


def leave(resources: Resources, error: BaseException | None = None) -> None:
    with resources:
        if error:
            raise error


# Order


def test_higher_priorities_come_first_and_of_one_what_came_last(released: Released) -> None:
    with Resources() as resources:
        for name, priority in [("a", 0), ("b", 5), ("c", -1), ("d", 5), ("e", 0)]:
            resources.callback(released.append, name, priority=priority)
    assert released == ["d", "b", "e", "a", "c"]


def test_what_is_entered_and_called_back_has_one_order(released: Released) -> None:
    with Resources() as resources:
        assert resources.enter(released.entered("a")) == "a"
        resources.callback(released.append, "b")
        resources.enter(released.entered("c"), priority=1)
    assert released == ["c", "b", "a"]


def test_what_comes_while_the_others_are_released_is_released_after_them(
    released: Released,
) -> None:
    with Resources() as resources:
        resources.callback(released.append, "a")
        resources.callback(resources.callback, released.append, "late")
    assert released == ["a", "late"]


def test_each_is_released_once_when_it_is_left_by_nested_exits(released: Released) -> None:
    with Resources() as resources, resources, resources:
        resources.callback(released.append, "a")
        resources.callback(resources.__exit__, None, None, None)
    assert released == ["a"]


def test_what_comes_too_late_is_refused_before_it_is_opened(tmp_path: Path) -> None:
    with Resources("归途") as resources:
        pass
    with pytest.raises(ResourcesReleased, match="归途: its resources are released"):
        resources.open(tmp_path / "late", "w")
    with pytest.raises(ResourcesReleased):
        resources.temporary_directory(within=tmp_path)
    assert [*tmp_path.iterdir()] == []


# Failures


def test_a_failure_stops_no_other_and_all_are_named(
    released: Released, caplog: pytest.LogCaptureFixture
) -> None:
    resources = Resources("归途")
    resources.callback(released.of("a"))
    resources.callback(released.failing("b", OSError("磁盘")))
    resources.callback(released.of("c"))
    resources.callback(released.failing("d", ValueError("端口")))
    with pytest.raises(ReleaseFailed) as failed:
        leave(resources)
    assert released == ["d", "c", "b", "a"]
    assert failed.value.count == 2
    for text in ("归途", "ValueError: 端口", "OSError: 磁盘"):
        assert text in str(failed.value)
    assert isinstance(failed.value.__cause__, ExceptionGroup)
    assert [*map(type, failed.value.__cause__.exceptions)] == [ValueError, OSError]
    assert [one.levelno for one in caplog.records] == [logging.WARNING] * 2


@pytest.mark.parametrize(
    "error", [ZeroDivisionError(), KeyboardInterrupt(), SystemExit(3), GeneratorExit()]
)
def test_the_works_own_exception_goes_on_and_names_each_failure(
    released: Released, error: BaseException
) -> None:
    resources = Resources()
    resources.callback(released.of("a"))
    resources.callback(released.failing("b", OSError("磁盘")))
    resources.callback(released.failing("c", KeyError("c")), priority=1)
    with pytest.raises(type(error)) as raised:
        leave(resources, error)
    assert raised.value is error
    assert released == ["c", "b", "a"]
    assert [note.split(": ", 2)[2] for note in error.__notes__] == [
        "KeyError: 'c'",
        "OSError: 磁盘",
    ]


@pytest.mark.parametrize("work", [None, ZeroDivisionError()])
def test_an_interrupt_of_a_release_stops_no_other_and_goes_on(
    released: Released, work: Exception | None
) -> None:
    resources, interrupt = Resources(), KeyboardInterrupt()
    resources.callback(released.of("a"))
    resources.callback(released.failing("b", interrupt))
    resources.callback(released.failing("c", OSError("磁盘")))
    with pytest.raises(KeyboardInterrupt) as raised:
        leave(resources, work)
    assert raised.value is interrupt
    assert released == ["c", "b", "a"]
    assert "OSError: 磁盘" in "".join(interrupt.__notes__)


def test_a_second_interrupt_is_told_on_the_first(released: Released) -> None:
    resources, first = Resources(), KeyboardInterrupt("first")
    resources.callback(released.of("a"))
    resources.callback(released.failing("b", SystemExit(7)))
    with pytest.raises(KeyboardInterrupt, match="first"):
        leave(resources, first)
    assert released == ["b", "a"]
    assert "SystemExit: 7" in "".join(first.__notes__)


# Rollbacks


def test_a_rollback_waits_for_a_failure(released: Released) -> None:
    with Resources() as resources:
        resources.callback(released.append, "rollback", only_on_failure=True)
    assert released == []


def test_a_failure_rolls_back_in_the_same_order(released: Released) -> None:
    resources = Resources()
    resources.callback(released.append, "a")
    resources.callback(released.append, "rollback", only_on_failure=True)
    resources.callback(released.append, "c")
    with pytest.raises(KeyboardInterrupt):
        leave(resources, KeyboardInterrupt())
    assert released == ["c", "rollback", "a"]


def test_what_was_entered_and_fails_at_its_end_rolls_back_too(released: Released) -> None:
    resources = Resources()
    resources.callback(released.append, "rollback", only_on_failure=True, priority=1)
    resources.callback(released.append, "a")
    resources.open(FULL, "w").write("帧")
    with pytest.raises(ReleaseFailed, match="No space left"):
        leave(resources)
    assert released == ["a", "rollback"]


def test_a_callback_that_fails_rolls_nothing_back(released: Released) -> None:
    resources = Resources()
    resources.callback(released.append, "rollback", only_on_failure=True)
    resources.callback(released.failing("a", OSError()))
    with pytest.raises(ReleaseFailed):
        leave(resources)
    assert released == ["a"]


# Kinds


def test_a_temporary_directory_goes_with_all_that_is_in_it(tmp_path: Path) -> None:
    with Resources() as resources:
        folder = resources.temporary_directory("帧-", within=tmp_path)
        assert folder.parent == tmp_path
        assert folder.name.startswith("帧-")
        assert folder.stat().st_mode & 0o777 == 0o700
        (folder / "子").mkdir()
        (folder / "子" / "1.png").write_bytes(b"frame")
        elsewhere = resources.temporary_directory()
        assert elsewhere.is_dir()
    assert [*tmp_path.iterdir()] == []
    assert not elsewhere.exists()


def test_a_temporary_directory_that_was_moved_into_place_is_no_failure(tmp_path: Path) -> None:
    with Resources() as resources:
        resources.temporary_directory(within=tmp_path).rename(tmp_path / "帧")
    assert [path.name for path in tmp_path.iterdir()] == ["帧"]


def test_a_file_is_closed_and_has_all_that_was_written(tmp_path: Path) -> None:
    with Resources() as resources:
        file = resources.open(tmp_path / "日志.txt", "w", encoding="utf-8")
        file.write("雪停了")
    assert file.closed
    assert (tmp_path / "日志.txt").read_text(encoding="utf-8") == "雪停了"


def test_what_is_entered_sees_the_exception_and_cant_suppress_it(released: Released) -> None:
    resources = Resources()
    resources.callback(released.append, "rollback", only_on_failure=True)
    resources.enter(released.entered("a", suppresses=True))
    with pytest.raises(ZeroDivisionError):
        leave(resources, ZeroDivisionError())
    assert released == [("a", ZeroDivisionError), "rollback"]


def test_what_cant_be_entered_leaves_nothing_to_release(released: Released, tmp_path: Path) -> None:
    with Resources() as resources:
        resources.callback(released.append, "a")
        with suppress(FileNotFoundError):
            resources.open(tmp_path / "none")
        with suppress(FileNotFoundError):
            resources.temporary_directory(within=tmp_path / "none")
    assert released == ["a"]
