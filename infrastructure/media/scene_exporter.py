"""What all exporters for media share: a piece for each scene, and all pieces joined at the end.

There are three ways to use one, and each goes on after the scenes that are done:

    exporter.export(version, "reel.mp4")                             by itself
    resumelog.make_resumable(exporter).export(version, "reel.mp4")   as any other exporter
    exporter.resume(log, version, "reel.mp4")                        on a log, a unit a scene
"""

from __future__ import annotations

import logging
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from pydantic import JsonValue

from resumelog.application.export import Export
from resumelog.application.export_options import OnChangedInputs
from resumelog.domain.values import fingerprint
from resumelog.infrastructure.artifacts import FileArtifacts, final_of
from resumelog.infrastructure.media.errors import NotInFormat, SourceIsOutput
from resumelog.infrastructure.media.film import Film, Scene, film_of
from resumelog.infrastructure.media.pieces import Pieces, remove_pieces
from resumelog.infrastructure.media.version import misspelt

if TYPE_CHECKING:
    from resumelog.infrastructure.bootstrap import ResumeLog

logger = logging.getLogger("resumelog")


class SceneExporter(ABC):
    """Exports a version (see `resumelog.infrastructure.media.film`) to one file.

    Pieces that are done wait in a folder beside the output, `.NAME.pieces`, and are removed once it
    is in its place and, with a log, the job is completed. What can't be exported is refused before
    anything is written: BadVersion, DuplicateScene, NotInFormat, MissingSource, SourceIsOutput,
    NoExtra, NoFfmpeg.
    """

    name: ClassVar[str]
    suffixes: ClassVar[tuple[str, ...]]
    piece_suffix: ClassVar[str]
    durable_pieces: ClassVar[bool] = False

    def export(self, version: Mapping[str, Any], output_path: str | Path) -> str:
        """Make the pieces that are missing, join all, and return `output_path`.

        `version["_final_path"]` is where `output_path` will be moved to, if that is a temporary one.
        `version["_progress_callback"]`, if there is one, is called with the fraction of scenes that
        are done, counted over all attempts; 1.0 is told once the output is in its place. The pieces
        tell where to go on, so `version["_resume_info"]` is not read. One caller at a time on one
        output: `resume` sees to that.
        """
        output = Path(output_path).absolute()
        final = Path(version.get("_final_path") or final_of(output))
        film = self._checked(version, final)
        report: Callable[[float], object] = version.get("_progress_callback") or _nobody
        pieces = self._pieces(final, self._fingerprints(film))
        total, missing = len(film.scenes), pieces.missing
        for done, unit in enumerate(missing, total - len(missing) + 1):
            self._make(film, unit, pieces)
            if done < total:
                report(done / total)
        self._join_to(output, film, pieces)
        report(1.0)
        if final == output:  # else it is not in its place: `finished` tells
            self.finished(output)
        return str(output_path)

    def check_export(self, version: Mapping[str, Any], output_path: str | Path) -> None:
        """Raise what `export` would refuse before it writes anything."""
        self._checked(version, Path(output_path).absolute())

    def inputs(self, version: Mapping[str, Any]) -> JsonValue:
        """Return all that the output is made from: the exporter's options and the media too.

        Raises BadVersion, DuplicateScene, MissingSource, NoFfmpeg.
        """
        film = film_of(version)
        return self._inputs(film, self._fingerprints(film))

    def finished(self, output_path: str | Path) -> None:
        """Remove the pieces of an output, if there are any: a log says that it is completed."""
        remove_pieces(Path(output_path).absolute())

    def resume(
        self,
        log: ResumeLog,
        version: Mapping[str, Any],
        output_path: str | Path,
        *,
        key: str | None = None,
        on_changed_inputs: OnChangedInputs = "restart",
    ) -> Path:
        """Export as a job of the log, a unit a scene, and return where the output is.

        As with `log.exports.resume`, a finished export whose output is intact is skipped, and
        another input begins again or raises InputsChanged. Pieces that still fit are kept even then.
        """
        film = self._checked(version, log.exports.absolute(output_path))
        fingerprints = self._fingerprints(film)
        with log.exports.resume(
            output_path,
            inputs=self._inputs(film, fingerprints),
            key=key,
            exporter=self.name,
            on_changed_inputs=on_changed_inputs,
        ) as job:
            assert job.output_path
            if not job.is_completed:
                pieces = self._pieces(job.output_path, fingerprints)
                self._do_what_remains(job, film, pieces)
                job.complete()
            self.finished(job.output_path)
        return job.output_path

    # What an exporter brings

    def require(self, film: Film, job: str) -> None:  # noqa: B027 - some can take any film
        """Refuse what can't be exported; `job` names the output."""

    def film_facts(self, film: Film) -> JsonValue:
        """Return what joining depends on beside the pieces."""
        return [film.title, str(film.fps)]

    @abstractmethod
    def facts(self, film: Film, scene: Scene) -> JsonValue:
        """Return all that a scene's piece is made from: when it is the same, so is the piece."""

    @abstractmethod
    def make(self, film: Film, scene: Scene, piece: Path) -> None:
        """Write the piece of a scene."""

    @abstractmethod
    def join(self, film: Film, pieces: Sequence[Path], output: Path) -> None:
        """Write the output from all pieces, in order."""

    # How that is driven

    def _checked(self, version: Mapping[str, Any], output: Path) -> Film:
        job = str(output)
        if output.suffix.lower() not in self.suffixes:
            what = repr(output.suffix) if output.suffix else "a file without a suffix"
            advice = f"name the output *{', *'.join(self.suffixes)}"
            raise NotInFormat(job, format=f"the exporter {self.name}", what=what, advice=advice)
        film = film_of(version, job)
        for slip in misspelt(version):
            logger.warning("%s: %s", job, slip)
        _require_kept(film, final_of(output), job)
        self.require(film, job)
        return film

    def _inputs(self, film: Film, fingerprints: Sequence[str]) -> JsonValue:
        return {"film": self.film_facts(film), "pieces": [*fingerprints]}

    def _fingerprints(self, film: Film) -> list[str]:
        return [fingerprint(self.name, self.facts(film, scene)) for scene in film.scenes]

    def _pieces(self, output: Path, fingerprints: Sequence[str]) -> Pieces:
        return Pieces(output, fingerprints, self.piece_suffix, durable=self.durable_pieces)

    def _do_what_remains(self, job: Export, film: Film, pieces: Pieces) -> None:
        for unit in job.remaining(len(film.scenes)):
            self._make(film, unit, pieces)
            job.save_progress(units_done=unit + 1)
        for unit in pieces.missing:  # done, says the log, but lost since
            self._make(film, unit, pieces)
        with job.output() as partial:
            self.join(film, pieces.paths, partial)

    def _make(self, film: Film, unit: int, pieces: Pieces) -> None:
        scene = film.scenes[unit]
        if pieces.make(unit, lambda piece: self.make(film, scene, piece)):
            logger.info("%s: scene %s made", film.title, scene.key)

    def _join_to(self, output: Path, film: Film, pieces: Pieces) -> None:
        files = FileArtifacts(output.parent)
        partial = files.partial(output)
        try:
            self.join(film, pieces.paths, partial)
            files.commit(partial, output)
        finally:
            files.discard(partial)


def _require_kept(film: Film, final: Path, job: str) -> None:
    """Refuse to put the output where a scene's media is, by whatever name."""
    for scene in film.scenes:
        if scene.source and _is_same(scene.path, final):
            raise SourceIsOutput(job, scene=scene.key)


def _is_same(media: Path, output: Path) -> bool:
    try:
        return media.resolve() == output.resolve() or media.samefile(output)
    except (OSError, RuntimeError):  # one is not there, or a link to itself
        return False


def _nobody(fraction: float) -> None:
    """Hear of progress where nobody asked."""
