"""Make a short film, be killed three times on the way, and prove that nothing was lost.

    python examples/reel/demo.py [--seed N] [--out FOLDER]

Needs the extra "demo" (Pillow, and imageio-ffmpeg with its ffmpeg). Takes about 40 s on two cores.
"""

from __future__ import annotations

import argparse
import fcntl
import os
import random
import shutil
import subprocess
import sys
import sysconfig
from importlib.util import find_spec
from pathlib import Path
from shlex import quote

HERE = Path(__file__).resolve().parent
MARK = ".made-by-the-reel-demo"
FOLDERS = ("images", "clips", "faded")
FILES = (
    "made.jsonl",
    "supervisor.jsonl",
    "pipeline.log",
    "reel.mp4",
    ".reel.partial-*",
    "jobs.db*",
)


def arguments() -> argparse.Namespace:
    """Read the command line; without a seed, choose one."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--seed", type=int, default=random.SystemRandom().randrange(10_000))
    parser.add_argument("--out", type=Path, default=HERE / "out", help="default: %(default)s")
    return parser.parse_args()


def require_extras() -> None:
    """Refuse to begin without what draws and renders."""
    missing = [name for name in ("PIL", "imageio_ffmpeg", "resumelog") if not find_spec(name)]
    if missing:
        sys.exit(f"{', '.join(missing)} missing; install with: pip install -e '.[demo]'")


def take(out: Path) -> int:
    """Make or empty the folder and lock it; refuse one that this demo did not make."""
    mark = out / MARK
    if out.exists() and not mark.exists() and (not out.is_dir() or any(out.iterdir())):
        sys.exit(f"{out} was not made by this demo; name another folder with --out")
    out.mkdir(parents=True, exist_ok=True)
    lock = os.open(mark, os.O_CREAT | os.O_RDWR, 0o644)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        sys.exit(f"another demo works in {out}; name another folder with --out")
    return lock


def empty(out: Path) -> None:
    """Remove what an earlier demo made, and nothing else."""
    for folder in FOLDERS:
        if (out / folder).is_dir():
            shutil.rmtree(out / folder)
    for pattern in FILES:
        for file in out.glob(pattern):
            file.unlink()


def run(script: str, *arguments: str) -> int:
    """Run a script of this folder."""
    return subprocess.run([sys.executable, HERE / script, *arguments], check=False).returncode


def tell_where(out: Path) -> None:
    """Say how to look at what is left."""
    command = quote(os.path.relpath(Path(sysconfig.get_path("scripts"), "resumelog")))
    film, printed, log = (
        quote(os.path.relpath(out / name)) for name in ("reel.mp4", "pipeline.log", "jobs.db")
    )
    print(
        f"\nthe film is {film}; what the pipeline printed is in {printed}; the log is there to see:"
    )
    for question in ("jobs", "show reel/video", "log reel/image", "log reel.mp4"):
        print(f"  {command} {question} --db {log}")


def tell_why(out: Path) -> None:
    """Show the end of what the pipeline printed."""
    log = out / "pipeline.log"
    printed = log.read_text(errors="replace").splitlines() if log.exists() else []
    print("FAILED  the story did not come to its end; the pipeline printed last:")
    print("\n".join(printed[-20:]))


def main() -> int:
    """Tell the story, then prove it."""
    given = arguments()
    require_extras()
    out = given.out.absolute()
    lock = take(out)
    empty(out)
    print("12 scenes -> 12 pictures -> 12 clips -> 1 film, in spite of three kills", end=" ")
    print(f"(repeat with --seed {given.seed})\n", flush=True)
    failed = run("supervise.py", str(out), str(given.seed))
    if failed:
        tell_why(out)
    else:
        print(flush=True)
        failed = run("proof.py", str(out))
        tell_where(out)
    os.close(lock)
    return failed


if __name__ == "__main__":
    try:
        sys.exit(main())
    except KeyboardInterrupt:
        sys.exit(130)
