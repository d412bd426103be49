"""Pieces wait beside the output: those that are whole and fit are kept, all others are made again."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from resumelog.infrastructure.artifacts import FileArtifacts
from resumelog.infrastructure.media.pieces import Pieces

PRINTS = [character * 64 for character in "abc"]


@pytest.fixture
def film(tmp_path: Path) -> Path:
    """Where the output will be."""
    return tmp_path / "成片.mp4"


def opened(film: Path, prints: list[str] = PRINTS) -> Pieces:
    return Pieces(film, prints, ".mov", durable=True)


def made(film: Path) -> Pieces:
    pieces = opened(film)
    for at in range(len(PRINTS)):
        assert pieces.make(at, lambda path, at=at: write(path, b"%d" % at))  # type: ignore[misc]  # bound by default
    return pieces


def write(path: Path, content: bytes) -> None:
    path.write_bytes(content)


def test_what_was_made_is_there_when_it_is_opened_again(film: Path) -> None:
    assert made(film).paths == opened(film).paths
    assert [path.read_bytes() for path in opened(film).paths] == [b"0", b"1", b"2"]


def test_what_is_there_is_not_made_again(film: Path) -> None:
    assert not made(film).make(1, lambda path: write(path, b"x"))


@pytest.mark.parametrize(
    "damage",
    [
        lambda path: path.unlink(),
        lambda path: path.write_bytes(b""),
        lambda path: path.write_bytes(b"x"),
        lambda path: path.rename(path.with_suffix(".mp4")),
    ],
    ids=["gone", "torn", "altered", "renamed"],
)
def test_a_damaged_piece_is_made_again(film: Path, damage: Callable[[Path], object]) -> None:
    damage(made(film).paths[1])
    assert opened(film).missing == [1]


def test_a_piece_of_something_else_is_made_again_and_removed(film: Path) -> None:
    stale = made(film).paths[1]
    assert opened(film, [PRINTS[0], "d" * 64, PRINTS[2]]).missing == [1]
    assert not stale.exists()


def test_scenes_may_change_their_order(film: Path) -> None:
    before = made(film).paths
    assert opened(film, PRINTS[::-1]).paths == before[::-1]


def test_what_a_kill_left_half_written_is_removed(film: Path) -> None:
    left = FileArtifacts(made(film).folder).partial(Path("x.mov"))
    left.write_bytes(b"half")
    assert len(opened(film)) == 3
    assert not left.exists()


def test_an_error_leaves_no_piece(film: Path) -> None:
    def fails(path: Path) -> None:
        path.write_bytes(b"half")
        raise ZeroDivisionError

    pieces = opened(film)
    with pytest.raises(ZeroDivisionError):
        pieces.make(0, fails)
    assert pieces.missing == [0, 1, 2]
    assert [*pieces.folder.iterdir()] == []


def test_a_temporary_output_has_the_pieces_of_the_final_one(film: Path) -> None:
    temporary = FileArtifacts(film.parent).partial(film)
    assert opened(temporary).folder == opened(film).folder
