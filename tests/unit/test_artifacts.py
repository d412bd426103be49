"""Files that jobs make: moved into place, described, and checked before a skip."""

from __future__ import annotations

import hashlib
import os
import stat
from collections.abc import Callable
from pathlib import Path

import pytest

from resumelog.domain.values import Artifact
from resumelog.infrastructure.artifacts import FileArtifacts, discard

FRAMES = "雨夜".encode() * 1000


@pytest.fixture
def files(tmp_path: Path) -> FileArtifacts:
    """Artifacts below the test's folder."""
    return FileArtifacts(tmp_path)


@pytest.fixture
def clip(files: FileArtifacts) -> Artifact:
    """A file that was committed, an hour ago."""
    final = Path("第1集/成片🎬.mp4")
    partial = files.partial(final)
    partial.write_bytes(FRAMES)
    os.utime(partial, ns=(10**18, 10**18 + 7))
    return files.commit(partial, final)


def path_of(artifact: Artifact) -> Path:
    return Path(artifact.root, artifact.path)


def rewritten(artifact: Artifact, content: bytes, mtime_ns: int) -> None:
    path_of(artifact).write_bytes(content)
    os.utime(path_of(artifact), ns=(mtime_ns, mtime_ns))


def test_a_partial_file_lies_beside_its_final_with_the_suffix(
    files: FileArtifacts, tmp_path: Path
) -> None:
    partial = files.partial(Path("第1集/成片🎬.mp4"))
    assert (partial.parent, partial.suffix) == (tmp_path / "第1集", ".mp4")
    assert partial.parent.is_dir()


def test_no_two_partial_files_are_the_same(files: FileArtifacts) -> None:
    assert len({files.partial(Path("成片.mp4")) for _ in range(100)}) == 100


def test_a_commit_moves_the_file_into_place(clip: Artifact) -> None:
    assert path_of(clip).read_bytes() == FRAMES
    assert [path.name for path in path_of(clip).parent.iterdir()] == ["成片🎬.mp4"]


def test_a_commit_replaces_what_was_there(files: FileArtifacts, clip: Artifact) -> None:
    partial = files.partial(path_of(clip))
    partial.write_bytes(b"new")
    assert files.commit(partial, path_of(clip)).size == 3
    assert path_of(clip).read_bytes() == b"new"


@pytest.mark.parametrize("mode", [0o600, 0o640, 0o755])
def test_a_commit_keeps_the_permissions_of_what_it_replaces(
    files: FileArtifacts, clip: Artifact, mode: int
) -> None:
    path_of(clip).chmod(mode)
    partial = files.partial(path_of(clip))
    partial.write_bytes(b"new")
    files.commit(partial, path_of(clip))
    assert stat.S_IMODE(path_of(clip).stat().st_mode) == mode


@pytest.mark.parametrize("there", [True, False], ids=["a file", "nothing yet"])
def test_a_commit_writes_where_a_link_leads_to(
    files: FileArtifacts, tmp_path: Path, there: bool
) -> None:
    target, link = tmp_path / "大盘" / "片.mp4", tmp_path / "成片.mp4"
    target.parent.mkdir()
    if there:
        target.write_bytes(b"old")
    link.symlink_to(target)
    partial = files.partial(link)
    assert partial.parent == target.parent
    partial.write_bytes(b"new")
    artifact = files.commit(partial, link)
    assert (link.is_symlink(), target.read_bytes(), artifact.path) == (True, b"new", "成片.mp4")
    assert files.fault(artifact) == ""
    assert [path.name for path in target.parent.iterdir()] == [target.name]


@pytest.mark.parametrize("made", [Path.mkdir, os.mkfifo, lambda path: path.symlink_to(path)])
def test_what_is_no_file_is_neither_replaced_nor_written_to(
    files: FileArtifacts, tmp_path: Path, made: Callable[[Path], None]
) -> None:
    final = tmp_path / "成片.mp4"
    partial = files.partial(final)
    partial.write_bytes(b"new")
    made(final)
    assert files.no_place(final)
    with pytest.raises(OSError, match="成片"):
        files.partial(final)
    with pytest.raises(OSError, match="成片"):
        files.commit(partial, final)
    assert final.is_symlink() or not final.is_file()


def test_a_description_tells_size_time_and_digest(clip: Artifact, tmp_path: Path) -> None:
    assert clip == Artifact(
        root=str(tmp_path),
        path="第1集/成片🎬.mp4",
        size=len(FRAMES),
        mtime_ns=10**18 + 7,
        sha256=hashlib.sha256(FRAMES).hexdigest(),
    )


def test_an_intact_file_has_no_fault(files: FileArtifacts, clip: Artifact) -> None:
    assert files.fault(clip) == ""


def test_a_file_that_was_only_touched_has_no_fault(files: FileArtifacts, clip: Artifact) -> None:
    os.utime(path_of(clip), ns=(2 * 10**18, 2 * 10**18))
    assert files.fault(clip) == ""


def test_a_file_that_is_gone_is_a_fault(files: FileArtifacts, clip: Artifact) -> None:
    path_of(clip).unlink()
    assert files.fault(clip) == "第1集/成片🎬.mp4 is gone (No such file or directory)"


def test_a_file_of_another_size_is_a_fault(files: FileArtifacts, clip: Artifact) -> None:
    rewritten(clip, FRAMES[1:], clip.mtime_ns)
    assert files.fault(clip) == f"第1集/成片🎬.mp4 has {len(FRAMES) - 1} bytes, not {len(FRAMES)}"


def test_altered_content_of_the_same_size_is_a_fault(files: FileArtifacts, clip: Artifact) -> None:
    rewritten(clip, b"x" + FRAMES[1:], clip.mtime_ns + 1)
    assert files.fault(clip) == "第1集/成片🎬.mp4 was altered"


def test_a_folder_in_its_place_is_a_fault(files: FileArtifacts, clip: Artifact) -> None:
    path_of(clip).unlink()
    path_of(clip).mkdir()
    assert files.fault(clip)


def test_a_fault_is_found_from_another_root(clip: Artifact, tmp_path: Path) -> None:
    path_of(clip).unlink()
    assert FileArtifacts(tmp_path / "elsewhere").fault(clip)


@pytest.mark.parametrize("root", ["gone", "link"])
def test_a_file_beside_the_root_is_found_whatever_the_root_is(tmp_path: Path, root: str) -> None:
    (tmp_path / "deep" / "deeper").mkdir(parents=True)
    (tmp_path / "link").symlink_to("deep/deeper")
    (tmp_path / "成片.mp4").write_bytes(FRAMES)
    files = FileArtifacts(tmp_path / root)
    artifact = files.settle(tmp_path / "成片.mp4")
    assert artifact.path == "../成片.mp4"
    assert files.fault(artifact) == ""
    assert files.path_of(artifact) == tmp_path / "成片.mp4"


def test_each_spelling_of_a_path_is_the_same_file(files: FileArtifacts, tmp_path: Path) -> None:
    (tmp_path / "deep" / "deeper").mkdir(parents=True)
    (tmp_path / "link").symlink_to("deep/deeper")
    spellings = ("a.mp4", "./a.mp4", "new/../a.mp4", "deep/../a.mp4", tmp_path / "a.mp4")
    assert {files.absolute(each) for each in spellings} == {tmp_path / "a.mp4"}
    assert files.absolute("link/a.mp4") == tmp_path / "link" / "a.mp4"
    assert files.absolute("link/../a.mp4") == tmp_path / "deep" / "a.mp4"


def test_only_a_partial_file_is_discarded(files: FileArtifacts, clip: Artifact) -> None:
    partial = files.partial(path_of(clip))
    partial.touch()
    discard(partial)
    discard(path_of(clip))
    assert not partial.exists()
    assert path_of(clip).exists()


def test_discarding_what_is_gone_does_nothing(files: FileArtifacts) -> None:
    discard(files.partial(Path("成片.mp4")))


def test_a_partial_file_begins_as_a_copy_once(files: FileArtifacts, clip: Artifact) -> None:
    partial = files.partial(path_of(clip), "kept")
    files.begin_with(path_of(clip), partial)
    assert partial.read_bytes() == path_of(clip).read_bytes() == FRAMES
    partial.write_bytes(b"more")
    files.begin_with(path_of(clip), partial)
    assert partial.read_bytes() == b"more"
    assert len([*partial.parent.iterdir()]) == 2


def test_a_second_name_is_moved_into_place_and_the_first_stays(
    files: FileArtifacts, clip: Artifact
) -> None:
    partial, beside = (files.partial(path_of(clip), mark) for mark in ("kept", "beside"))
    partial.write_bytes(b"new")
    for _ in range(2):
        files.double(partial, beside)
        assert files.commit(beside, path_of(clip)).size == 3
    assert {*partial.parent.iterdir()} == {partial, path_of(clip)}
    files.part(partial)
    partial.write_bytes(b"more")
    assert path_of(clip).read_bytes() == b"new"


@pytest.mark.parametrize("make", [None, Path.mkdir])
def test_what_is_no_file_is_not_copied(
    files: FileArtifacts, tmp_path: Path, make: Callable[[Path], None] | None
) -> None:
    if make:
        make(tmp_path / "成片.mp4")
    files.begin_with(tmp_path / "成片.mp4", tmp_path / ".partial-kept.mp4")
    assert not (tmp_path / ".partial-kept.mp4").exists()
