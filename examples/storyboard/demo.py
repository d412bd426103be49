"""Write a storyboard over a service that fails in every way, be killed twice, and prove what it cost.

    python examples/storyboard/demo.py [--seed N] [--out FOLDER]

Needs nothing beside resumelog. Takes about 10 s.
"""

from __future__ import annotations

import argparse
import random
import signal
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

from proof import TASKS, Evidence, proven  # type: ignore[import-not-found]  # it stands beside this
from service import Service  # type: ignore[import-not-found]  # and this
from storyboard import DB, PROJECT, STAGES  # type: ignore[import-not-found]  # and this

import resumelog
from resumelog.domain.events import DomainEvent

HERE = Path(__file__).resolve().parent
KILLS_BEFORE = (6, 20, None)
"""Before which good answer of all each worker is killed, with all that it has in flight."""


def arguments() -> argparse.Namespace:
    """Read the command line; without a seed, choose one."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--seed", type=int, default=random.SystemRandom().randrange(10_000))
    parser.add_argument("--out", type=Path, default=HERE / "out", help="default: %(default)s")
    return parser.parse_args()


def work(out: Path, service: Service, kill_before: int | None) -> datetime:
    """Let a worker work, until it is killed or to the end; return when it was started."""
    began = datetime.now(UTC)
    command = [sys.executable, str(HERE / "storyboard.py"), str(out), service.url]
    with subprocess.Popen(command) as worker:
        if kill_before:
            service.before(kill_before, worker.kill)
    if worker.returncode == -signal.SIGKILL:
        print(f"SIGKILL before good answer {kill_before}", flush=True)
    return began


def histories(out: Path) -> Iterator[tuple[str, list[DomainEvent]]]:
    """Read every event of both stages."""
    with resumelog.open(out / DB, must_exist=True) as log:
        for stage in STAGES:
            yield stage, [*log.queries.history(log.queries.find(f"{PROJECT}/{stage}"))]


def main() -> int:
    """Tell the story, then prove it; return 0 if all of it holds."""
    given = arguments()
    given.out.mkdir(parents=True, exist_ok=True)
    for old in given.out.glob(f"{DB}*"):
        old.unlink()
    print(f"12 scenes, 2 stages, 15 faults, 2 kills (repeat with --seed {given.seed})", flush=True)
    with Service(given.seed, TASKS).running() as service:
        starts = [work(given.out, service, kill_before) for kill_before in KILLS_BEFORE]
    seen = Evidence(dict(histories(given.out)), service.diary, starts)
    return 0 if proven(seen) else 1


if __name__ == "__main__":
    try:
        sys.exit(main())
    except KeyboardInterrupt:
        sys.exit(130)
