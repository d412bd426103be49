"""An export of eight units that goes on where it stopped: basic.py [FOLDER].

Interrupt it with Ctrl+C or kill it, start it again, and it makes only what is left.
"""

from __future__ import annotations

import sys
import time
from pathlib import Path

import resumelog

UNITS = 8


def export(folder: Path) -> None:
    """Make a page a unit, and a book of all pages."""
    pages = [folder / f"page-{unit}.txt" for unit in range(UNITS)]
    with (
        resumelog.open(folder / "jobs.db") as log,
        log.exports.resume(folder / "book.txt", inputs={"pages": UNITS}) as job,
    ):
        for unit in job.remaining(UNITS):
            time.sleep(0.1)  # the work
            pages[unit].write_text(f"page {unit}\n")
            job.save_progress(units_done=unit + 1)  # after the work; on disk when this returns
            print(f"page {unit} made, {job.progress:.0%}", flush=True)
        if not job.is_completed:
            with job.output() as partial:  # moved into place at the end of the block
                partial.write_text("".join(page.read_text() for page in pages))
    print(f"{job.output_path} is complete")


if __name__ == "__main__":
    out = Path(sys.argv[1] if len(sys.argv) > 1 else Path(__file__).with_name("out"))
    out.mkdir(parents=True, exist_ok=True)
    export(out)
