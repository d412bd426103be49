"""Files that jobs make: written beside, made durable, moved into place, checked before a skip."""

from __future__ import annotations

import errno
import hashlib
import os
import re
import secrets
import shutil
import stat
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from resumelog.application.ports import PARTIAL_MARK, Verify
from resumelog.domain.values import Artifact

PARTIAL = re.compile(
    rf"\.(?P<stem>.+){re.escape(PARTIAL_MARK)}[0-9a-f]{{8}}(?:-\d+)?(?P<suffix>\.[^.]*)?"
)

NOTE = ".begun"
DOUBTFUL = "doubtful"
STEM_AND_END_BYTES_MAX = 255 - len(".") - len("-copy") - len(NOTE)
NEW_NS = 100_000_000
NANOSECONDS = 1_000_000_000
NO_FILES = (
    (stat.S_ISDIR, "a folder"),
    (stat.S_ISFIFO, "a pipe"),
    (stat.S_ISSOCK, "a socket"),
    (stat.S_ISCHR, "a device"),
    (stat.S_ISBLK, "a device"),
)


class FileArtifacts:
    """Artifacts below one root folder; their recorded paths are relative to it."""

    def __init__(self, root: Path | None = None) -> None:
        """Take the current folder as root by default."""
        self.root = (root or Path.cwd()).absolute()

    def absolute(self, path: str | Path) -> Path:
        """Return where a path below the root is, the same for each spelling of it.

        Links stay as they are named, but for one that is left again by "..".
        """
        given = self.root / path
        plain = Path(os.path.normpath(given))
        if ".." not in given.parts or not given.parent.exists():
            return plain
        return (
            plain
            if plain.parent.exists() and given.parent.samefile(plain.parent)
            else given.parent.resolve() / given.name
        )

    def no_place(self, final: Path) -> str:
        """Return what stands where a file is to be made; "" where there is none, or a file.

        A pipe or a device is none: it would be replaced by a file, or read until nobody writes.
        """
        try:
            mode = (self.root / final).stat().st_mode
        except OSError as error:
            return "a link in a circle" if error.errno == errno.ELOOP else ""
        found = (name for is_one, name in NO_FILES if is_one(mode))
        return "" if stat.S_ISREG(mode) else next(found, "no file")

    def partial(self, final: Path, mark: str = "") -> Path:
        """Return a temporary path beside `final`, with its suffix; make the folder.

        It is unused, or with a `mark` always the same. Where `final` is a link it lies beside what that
        leads to.

        Raises OSError where there can be no such file.
        """
        final = self.root / final
        self._require_place(final)
        beside = place_of(final)
        _make_folder(beside.parent)
        end = f"{PARTIAL_MARK}{mark or secrets.token_hex(4)}{final.suffix}"
        return beside.with_name(
            f".{_cut(final.stem, STEM_AND_END_BYTES_MAX - len(os.fsencode(end)))}{end}"
        )

    def commit(
        self, partial: Path, final: Path, last_look: Callable[[], object] | None = None
    ) -> Artifact:
        """Sync and describe the file, which takes its time, then move it into place, and sync that.

        It goes where a link leads to, and takes the permissions of the file that it replaces.
        """
        final = self.root / final
        if partial.is_dir():
            raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR), str(final))
        self._require_place(final)
        with suppress(FileNotFoundError):
            partial.chmod(stat.S_IMODE(final.stat().st_mode))
        _sync(partial)
        artifact = self._described(partial, final)
        if last_look:
            last_look()
        target = _target(final)
        partial.replace(target)
        discard(partial)  # a rename to another name of the same file does nothing
        _sync(target.parent)
        return artifact

    def settle(self, path: Path) -> Artifact:
        """Sync a file that is in its place, and its folder, and describe it."""
        path = self.root / path
        _sync(path)
        _sync(path.parent)
        return self._described(path, path)

    def sync(self, path: Path) -> None:
        """Make what was written to a file durable."""
        _sync(path)

    def begin_with(self, path: Path, partial: Path) -> None:
        """Copy a file to a temporary path, whole or not at all, unless something stands there."""
        if not partial.exists() and path.is_file():
            _copy(path, partial)

    def note(self, partial: Path, *, written: bool = False, doubtful: bool = False) -> None:
        """Note beside a kept temporary path that an attempt began with it, or has written to it.

        In doubt, it may hold parts twice.
        """
        note = _note(partial)
        if written or doubtful or not note.exists():
            note.write_text(DOUBTFUL if doubtful else "written" if written else "")
            _sync(note.parent)

    def is_doubtful(self, partial: Path) -> bool:
        """Tell whether what stands at a kept temporary path was noted as in doubt."""
        note = _note(partial)
        return note.exists() and note.read_text() == DOUBTFUL

    def is_lost(self, partial: Path, *, was_noted: bool = True) -> bool:
        """Tell whether nothing stands at a kept temporary path though something had been there.

        Without a note that is taken for so if an earlier attempt must have made one.
        """
        note = _note(partial)
        return not partial.exists() and (bool(note.stat().st_size) if note.exists() else was_noted)

    def double(self, partial: Path, beside: Path) -> None:
        """Give a file a second name, or make a copy where the file system has no links."""
        try:
            beside.hardlink_to(partial)
        except OSError:
            _copy(partial, beside)

    def kept(self, final: Path, mark: str) -> list[Path]:
        """Return the temporary paths of `mark-EPOCH` where a file or a note stands, the newest first."""
        final = self.root / final
        named = re.compile(
            rf"\.(?P<stem>.*){re.escape(PARTIAL_MARK + mark)}-(?P<epoch>\d+)"
            rf"{re.escape(final.suffix)}({re.escape(NOTE)})?"
        )
        folder = place_of(final).parent
        there = [*folder.iterdir()] if folder.is_dir() else []
        found = [name for path in there if (name := named.fullmatch(path.name))]
        own = [name for name in found if final.stem.startswith(name["stem"])]
        epochs = sorted({int(name["epoch"]) for name in own}, reverse=True)
        return [self.partial(final, f"{mark}-{epoch}") for epoch in epochs]

    def take_over(self, partial: Path, beside: Path, to: Path) -> None:
        """Copy a file to `to` by way of `beside`, note that it was written, and remove the old name."""
        if partial.is_file():
            shutil.copyfile(partial, beside)
            _sync(beside)
            beside.replace(to)
            self.note(to, written=True)
        else:
            self.note(to)
        discard(partial)

    def part(self, partial: Path) -> None:
        """Let a file that has a second name have its content for itself."""
        if partial.is_file() and partial.stat().st_nlink > 1:
            _copy(partial, partial)

    def discard(self, partial: Path) -> None:
        """Remove what stands at a temporary path."""
        discard(partial)

    def _require_place(self, final: Path) -> None:
        """Raise OSError where something stands that is no file."""
        if found := self.no_place(final):
            number = errno.EISDIR if final.is_dir() else errno.EEXIST
            raise OSError(number, f"{found} stands there", str(final))

    def _described(self, file: Path, final: Path) -> Artifact:
        facts = file.stat()
        return Artifact(
            root=str(self.root),
            path=os.path.relpath(final, self.root),
            size=facts.st_size,
            mtime_ns=facts.st_mtime_ns,
            sha256=sha256_of(file),
        )

    def stamp(self, path: Path, *, patiently: bool = False) -> tuple[int, ...]:
        """Return inode, mtime and size; nothing where that can't tell two writings apart.

        Of two writings in one tick of the file system's clock the second leaves the mtime as it is.
        """
        try:
            facts = path.stat()
        except OSError:
            return ()
        age_ns = time.time_ns() - facts.st_mtime_ns
        if abs(age_ns) >= NEW_NS:
            return facts.st_ino, facts.st_mtime_ns, facts.st_size
        if not patiently:
            return ()
        time.sleep((NEW_NS - age_ns) / NANOSECONDS)
        return self.stamp(path)

    def path_of(self, artifact: Artifact) -> Path:
        """Return where a recorded file is, whatever became of its root: that may be a link, or gone."""
        return Path(os.path.normpath(Path(artifact.root, artifact.path)))

    def fault(self, artifact: Artifact, verify: Verify = "stat") -> str:
        """Return "" while the file is as recorded: size and mtime, or sha256 if that moved."""
        if verify == "off":
            return ""
        path = self.path_of(artifact)
        try:
            facts = path.stat()
        except OSError as error:
            return f"{artifact.path} is gone ({error.strerror})"
        if facts.st_size != artifact.size:
            return f"{artifact.path} has {facts.st_size} bytes, not {artifact.size}"
        is_doubtful = verify == "sha256" or facts.st_mtime_ns != artifact.mtime_ns
        if is_doubtful and sha256_of(path) != artifact.sha256:
            return f"{artifact.path} was altered"
        return ""


def sha256_of(path: Path) -> str:
    """Return the digest of what a file holds, in hexadecimal digits."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _cut(stem: str, size: int) -> str:
    """Return as much of the stem of a long name as leaves room for what a temporary one adds."""
    encoded = os.fsencode(stem)
    return stem if len(encoded) <= size else encoded[: max(size, 0)].decode(errors="ignore")


def _target(final: Path) -> Path:
    """Return where a file is written that is asked for at `final`."""
    return final.resolve() if final.is_symlink() else final


def _note(partial: Path) -> Path:
    return partial.with_name(f"{partial.name}{NOTE}")


def _copy(file: Path, to: Path) -> None:
    """Copy it whole or not at all."""
    copy = to.with_name(f"{to.stem}-copy{to.suffix}")
    shutil.copyfile(file, copy)
    _sync(copy)
    copy.replace(to)


def _make_folder(folder: Path) -> None:
    """Make a folder and its parents durable, as far as they are new."""
    if folder.is_dir():
        return
    _make_folder(folder.parent)
    folder.mkdir(exist_ok=True)
    _sync(folder.parent)


def _sync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def place_of(final: Path) -> Path:
    """Return a path in the folder where an output is written: a link's is that of its target."""
    return _target(final).with_name(final.name)


def final_of(path: Path) -> Path:
    """Return the path that a temporary path stands beside; any other path as it is."""
    named = PARTIAL.fullmatch(path.name)
    return path.with_name(named["stem"] + (named["suffix"] or "")) if named else path


def discard(partial: str | Path) -> None:
    """Remove what stands at a temporary path: a file, or a folder that a command made there."""
    path = Path(partial)
    if PARTIAL_MARK not in path.name:
        return
    with suppress(OSError):
        _note(path).unlink(missing_ok=True)
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path, ignore_errors=True)
    else:
        with suppress(OSError):
            path.unlink(missing_ok=True)
