"""What `resumelog export` is asked to run, checked whole before anything is written."""

from __future__ import annotations

import hashlib
import json
import os
import re
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from pydantic import JsonValue

from resumelog.application.export import Export
from resumelog.application.progress_scale import Scale
from resumelog.infrastructure.cli.options import InputError
from resumelog.infrastructure.cli.runnable import require_runnable

SHOWN_CHARS = 80
_OUTPUT = re.compile(r"\{\{output\}\}|(?<!\$)\{output\}")


class ExportCommand(NamedTuple):
    """A command, and what it makes. `output` is the path as it was given, if it was."""

    key: str
    argv: tuple[str, ...]
    output: str | None = None
    keep_partial: bool = False
    total: int | None = None
    duration_s: float | None = None
    scale: Scale = "absolute"

    @property
    def path(self) -> Path:
        """Where the output belongs."""
        return Path(self.output or self.key).absolute()

    @property
    def fills_output(self) -> bool:
        """Tell whether it writes beside its output, to be moved into place: {output}, or what is kept."""
        return self.keep_partial or self.names_output

    @property
    def names_output(self) -> bool:
        """Tell whether {output} stands in it."""
        return any(match[0] == "{output}" for each in self.argv for match in _OUTPUT.finditer(each))

    @property
    def needs_output(self) -> bool:
        """Tell whether it is done only with a file in its place."""
        return self.fills_output or self.output is not None

    def require_runnable(self) -> None:
        """Raise InputError for what could never run."""
        require_runnable(self.argv[0])
        self._require_path()
        if self.path.is_dir():
            raise InputError(f"{self.path} is a folder; name a file with --output")

    def _require_path(self) -> None:
        """Raise InputError for what no file can be called, as a name that is too long."""
        try:
            self.path.lstat()
        except (FileNotFoundError, NotADirectoryError, PermissionError):
            pass
        except OSError as error:
            what = f"{str(self.path)[:SHOWN_CHARS]}… can't be the path of a file ({error.strerror})"
            raise InputError(f"{what}; name a shorter one with --output") from None

    def filled(self, path: Path) -> list[str]:
        """Return the command with a path as {output}; {{output}} stays {output}."""
        values = {"{output}": str(path), "{{output}}": "{output}"}
        return [_OUTPUT.sub(lambda match: values[match[0]], each) for each in self.argv]

    def work(self, inputs: Sequence[str]) -> JsonValue:
        """Return what the job is bound to: another command, number of units, or input is another."""
        return {
            "command": [*self.argv],
            "total": self.total,
            "inputs": [_contents(each) for each in inputs],
        }

    def environment(self, export: Export, path: Path) -> dict[str, str]:
        """Return our own environment, with where to go on."""
        cursor, total = export.cursor, export.report.units_total or self.total
        export.units_total = total
        done = export.progress_facts().done or 0  # of an imported fraction, the units it covers
        return {
            **os.environ,
            "RESUMELOG_KEY": self.key,
            "RESUMELOG_OUTPUT": str(path),
            "RESUMELOG_PROGRESS": repr(export.progress),
            "RESUMELOG_UNITS_DONE": str(done),
            "RESUMELOG_UNITS_TOTAL": "" if total is None else str(total),
            "RESUMELOG_CURSOR": "" if cursor is None else json.dumps(cursor, ensure_ascii=False),
        }


def _contents(given: str) -> JsonValue:
    """Return a file's sha256, or JSON as it is. Raises InputError for what is neither."""
    try:
        with Path(given).open("rb") as file:
            return {"sha256": hashlib.file_digest(file, "sha256").hexdigest()}
    except OSError as error:
        why = error.strerror
    except ValueError:  # a NUL, or what no path can hold
        why = "it is no path"
    try:
        value: JsonValue = json.loads(given)
    except (ValueError, RecursionError):
        raise InputError(f"--input {given} is no file ({why}), and not JSON") from None
    return {"json": value}
