"""What was made of each scene, in a folder beside the output, until all of it is joined.

A piece is named by the fingerprint of what it is made from and the sha256 of what it holds. So a piece
that is there under the right name is whole and up to date, whoever made it, and whatever ended that:
one that is missing, torn, altered or made from something else is made again.
"""

from __future__ import annotations

import hashlib
import os
import shutil
from collections.abc import Callable, Sequence
from pathlib import Path

from resumelog.infrastructure.artifacts import FileArtifacts, final_of, sha256_of

FINGERPRINT_CHARS = 32
NAME_BYTES_MAX = 255


class Pieces:
    """The pieces of one output, a file a scene, in the order of the scenes.

    `durable` pieces survive a power cut; others are made again faster than a disk can sync them.
    One worker at a time: what is no piece of this film is removed on opening.
    """

    def __init__(
        self, output: Path, fingerprints: Sequence[str], suffix: str, *, durable: bool
    ) -> None:
        """Find those that are whole."""
        self.folder = _folder_of(output)
        self._files = FileArtifacts(self.folder)
        self._names = [fingerprint[:FINGERPRINT_CHARS] for fingerprint in fingerprints]
        self._suffix, self._durable = suffix, durable
        self._whole = self._found()

    def __len__(self) -> int:
        """Count the scenes that have one."""
        return sum(name in self._whole for name in self._names)

    @property
    def missing(self) -> list[int]:
        """The scenes that have none, by their place from 0."""
        return [at for at, name in enumerate(self._names) if name not in self._whole]

    @property
    def paths(self) -> list[Path]:
        """All pieces, in order."""
        return [self._whole[name] for name in self._names]

    def make(self, at: int, write: Callable[[Path], None]) -> bool:
        """Let `write` make the piece of a scene, unless it is there; return whether it was made."""
        name = self._names[at]
        if name in self._whole:
            return False
        partial = self._files.partial(Path(name + self._suffix))
        try:
            write(partial)
            sha256 = self._files.settle(partial).sha256 if self._durable else sha256_of(partial)
            self._whole[name] = partial.replace(self._place(name, sha256))
        finally:
            self._files.discard(partial)
        return True

    def _place(self, name: str, sha256: str) -> Path:
        return self.folder / f"{name}-{sha256[:FINGERPRINT_CHARS]}{self._suffix}"

    def _found(self) -> dict[str, Path]:
        wanted, whole = set(self._names), dict[str, Path]()
        for path in [*self.folder.iterdir()] if self.folder.is_dir() else ():
            name = path.stem.partition("-")[0]
            if name in wanted and path == self._place(name, sha256_of(path)):
                whole[name] = path
            elif path.is_file():
                path.unlink()
        return whole


def remove_pieces(output: Path) -> None:
    """Remove the folder of an output that is in its place, if there is one."""
    shutil.rmtree(_folder_of(output), ignore_errors=True)


def _folder_of(output: Path) -> Path:
    """Return a name that is no other output's, be this one so long that it has to be cut."""
    final = final_of(output)
    name = f".{final.name}.pieces"
    if len(os.fsencode(name)) > NAME_BYTES_MAX:
        whole = hashlib.sha256(os.fsencode(final.name)).hexdigest()
        name = f".{whole[:FINGERPRINT_CHARS]}{final.suffix}.pieces"
    return final.with_name(name)
