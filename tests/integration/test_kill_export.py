"""`resumelog export` ended at random moments: no unit is lost, none that was recorded made again.

RESUMELOG_TEST_SEED brings back the moments of a failure; they are printed with it.
"""

from __future__ import annotations

import os
import random
import re
import signal
import subprocess
import time
from itertools import groupby
from pathlib import Path

import pytest
from support.cli import Cli, finished, wait_for
from support.exporting import arguments, recorded

from resumelog.infrastructure import processes

SEED = os.environ.get("RESUMELOG_TEST_SEED") or str(time.time_ns() % 10**9)
KILLS, INTERRUPTS = 50, 25
STARTING_SHARE, STARTING_S = 0.15, 0.5
IN_BETWEEN_S = 0.03
MAKES = """
i=$RESUMELOG_UNITS_DONE
while [ $i -lt {units} ]; do
    echo "$$ $i" >> made
    echo units $((i += 1))
    {pause}
done
awk '{{print $2}}' made | sort -nu > "$1"
"""


class Exports:
    """Export after export, each run by processes that are ended until one of them finishes it."""

    def __init__(self, folder: Path, units: int, chance: random.Random) -> None:
        self.cli, self.units, self.chance = Cli(folder), units, chance
        self.kills = self.interrupts = self.job = 0
        self.starts: dict[str, int] = {}

    @property
    def key(self) -> str:
        return f"reel-{self.job}"

    def made(self) -> list[tuple[str, list[int]]]:
        """Return what each process made, in the order in which they did."""
        lines = [line.split() for line in self.cli.lines("made")]
        return [
            (pid, [int(line[1]) for line in its]) for pid, its in groupby(lines, lambda x: x[0])
        ]

    def live(self) -> None:
        """Run the export once, perhaps to an end by a signal, and check what the log then says."""
        before, number = recorded(self.cli, self.key), self.signal()
        seen = len(self.cli.lines("made"))
        script = MAKES.format(units=self.units, pause=f"sleep {0.2 / self.units}")
        told = ["--total", self.units, "{output}"]
        with self.cli.started(*arguments(script, *told, key=self.key)) as process:
            self.wait_a_while(process, seen)
            process.send_signal(number)
            ran = finished(process)
        was_ended = ran.code != 0
        self.kills += was_ended and number == signal.SIGKILL
        self.interrupts += was_ended and number != signal.SIGKILL
        assert ran.code in (0, 1, 3, -number), ran.err
        assert ran.code != 1 or re.search("Aborted!|KeyboardInterrupt", ran.err), ran.err
        self.check(int(before), handled=ran.code == 3)
        if ran.code == 0:
            self.require_complete()

    def signal(self) -> signal.Signals:
        """Return one that is still wanted."""
        if self.kills >= KILLS or self.chance.random() < INTERRUPTS / (KILLS + INTERRUPTS):
            return self.chance.choice([signal.SIGINT, signal.SIGTERM])
        return signal.SIGKILL

    def wait_a_while(self, process: subprocess.Popen[str], before: int) -> None:
        """Wait for a moment of the start, or in or between units."""
        if self.chance.random() < STARTING_SHARE:
            time.sleep(self.chance.uniform(0, STARTING_S))
            return
        wanted = before + self.chance.randint(1, self.units // 2)
        wait_for(
            lambda: len(self.cli.lines("made")) >= wanted or process.poll() is not None, "units"
        )
        time.sleep(self.chance.uniform(0, IN_BETWEEN_S))

    def check(self, before: int, *, handled: bool) -> None:
        made = self.made()
        assert len({pid for pid, _ in made}) == len(made), "an orphan worked beside its successor"
        for pid, units in made:
            start = self.starts.setdefault(pid, before)
            assert units == [*range(start, start + len(units))], "a unit was lost or made again"
        now = recorded(self.cli, self.key)
        assert now >= before, "what was recorded is lost"
        pid, units = made[-1] if made else ("0", [])
        assert before <= now <= max([before, *[unit + 1 for unit in units]])
        if handled and self.starts.get(pid) == before and units:
            assert now >= units[-1], "what was reported before the signal is not on record"
            assert processes.started(int(pid)) is None, "the command still runs"

    def require_complete(self) -> None:
        assert self.cli.lines(self.key) == [str(unit) for unit in range(self.units)]
        assert recorded(self.cli, self.key) == self.units
        (self.cli.folder / "made").unlink()
        self.job, self.starts = self.job + 1, {}


@pytest.mark.kills
@pytest.mark.parametrize("units", [20, 200])
def test_no_unit_is_lost_or_made_again_whatever_ends_an_export(tmp_path: Path, units: int) -> None:
    print(f"RESUMELOG_TEST_SEED={SEED}")  # noqa: T201 - shown with a failure
    exports = Exports(tmp_path, units, random.Random(f"{SEED} {units}"))
    while exports.kills < KILLS or exports.interrupts < INTERRUPTS:
        exports.live()
    assert exports.job, "no export came to its end"
