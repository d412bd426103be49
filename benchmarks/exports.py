"""What make_resumable adds to an exporter that reports after each of its scenes."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import resumelog
from benchmarks.measuring import medians, show

SCENES = 2000


class Scenes:
    """Writes a line for each scene, which is all its work, and reports."""

    name = "scenes"

    def export(self, version: dict[str, Any], output_path: str) -> str:
        """Write the file."""
        report: Callable[[float], object] = version.get("_progress_callback", float)
        with Path(output_path).open("w") as file:
            for scene in range(SCENES):
                file.write(f"{scene}\n")
                report((scene + 1) / SCENES)
        return output_path


def measure() -> None:
    """Print the time for one scene, with and without a log, in the current folder."""
    with TemporaryDirectory(dir=Path.cwd(), prefix=".bench-") as folder:
        _measure(Path(folder))


def _measure(folder: Path) -> None:
    numbers = iter(range(10**9))
    version = {"title": "reel", "scenes": [{"id": str(n)} for n in range(SCENES)]}
    with resumelog.open(folder / "exports.db") as log:
        resumable = resumelog.make_resumable(Scenes(), log=log)
        variants: dict[str, Callable[[], int]] = {
            "the exporter alone": lambda: _exported(Scenes(), version, folder, next(numbers)),
            "made resumable": lambda: _exported(resumable, version, folder, next(numbers)),
        }
        measured = medians(variants)
    show(f"One of {SCENES:,} scenes of an export", measured, "the exporter alone")
    alone, resumable_s = measured.values()
    print(
        f"{(resumable_s - alone) * 1e6:.1f} µs a callback (budget: 20 µs, or 5 % of an exporter that works)"
    )


def _exported(exporter: Any, version: dict[str, Any], folder: Path, number: int) -> int:
    exporter.export(version, str(folder / f"{number}.txt"))
    return SCENES
