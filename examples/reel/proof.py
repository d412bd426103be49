"""Prove from the log, the diary and the film that nothing was lost or done twice: proof.py FOLDER."""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import sys
import sysconfig
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, NamedTuple

from imageio_ffmpeg import get_ffmpeg_exe  # type: ignore[import-untyped]  # it has no types

RESUMELOG = Path(sysconfig.get_path("scripts"), "resumelog")
STORY = Path(__file__).resolve().with_name("story.jsonl")
STAGES = {"image": "reel/image", "video": "reel/video", "film": "reel.mp4"}
KILLS, SECONDS, TOLERANCE_S = 3, 24.0, 0.1

NEVER = datetime.max.replace(tzinfo=UTC)

Facts = dict[str, Any]


class Check(NamedTuple):
    """One line of the table."""

    holds: bool
    text: str


class Evidence(NamedTuple):
    """The scenes, each stage's events as the log has them, and both witnesses beside it."""

    scenes: list[str]
    events: dict[str, list[Facts]]
    diary: list[Facts]
    supervisor: list[Facts]

    def named(self, *names: str) -> list[Facts]:
        """Return the events of some names, over all stages."""
        return [
            event for stage in self.events.values() for event in stage if event["event"] in names
        ]

    def recorded(self, stage: str) -> list[tuple[str, datetime]]:
        """Return what the log says is done in a stage, and since when."""
        found = []
        for event in self.events[stage]:
            if event["event"] == "SceneCompleted":
                found.append((event["scene"], when(event)))
            elif event["event"] == "ProgressSaved":
                found.append((self.scenes[event["units_done"] - 1], when(event)))
        return found

    def begun(self) -> list[Facts]:
        """Return the attempts that were begun, from the diary."""
        return [note for note in self.diary if note["what"] == "begun"]


def lines(path: str | Path) -> list[Facts]:
    """Read JSON lines."""
    return [json.loads(line) for line in Path(path).read_text(encoding="utf-8").splitlines()]


def when(fact: Facts) -> datetime:
    """Return the time of an event or a note."""
    return datetime.fromisoformat(fact.get("timestamp") or fact["at"])


def history(job: str) -> list[Facts]:
    """Return all events of a job, as `resumelog log` shows them."""
    command = [str(RESUMELOG), "log", job, "--db", "jobs.db", "--json"]
    shown = subprocess.run(command, check=True, capture_output=True, encoding="utf-8").stdout
    events: list[Facts] = json.loads(shown)
    return events


def kills(seen: Evidence) -> Check:
    """Every kill that hit a job in work stands in the log, and each time a successor resumed."""
    hits = [note["running"] for note in seen.supervisor if note["what"] == "kill"]
    wordless = [e for e in seen.named("Interrupted") if e["cause"].endswith("without a word")]
    workers = len(seen.named("Started", "Resumed"))
    holds = len(hits) == KILLS and len(wordless) == sum(map(bool, hits)) == workers - len(STAGES)
    between = f" ({hits.count('')} of them between two jobs)" if "" in hits else ""
    silent = f"{len(wordless)} workers that ended without a word"
    return Check(holds, f"killed {len(hits)} times{between}; the log shows {silent}")


def once(seen: Evidence, stage: str) -> Check:
    """Each scene was recorded exactly once."""
    counts = Counter(scene for scene, _ in seen.recorded(stage))
    holds = counts == Counter(seen.scenes) and history_ends_well(seen.events[stage])
    return Check(holds, f"{STAGES[stage]}: {len(counts)} scenes, each completed exactly once")


def history_ends_well(events: list[Facts]) -> bool:
    """Tell whether a job was completed once, at its end."""
    names = [event["event"] for event in events]
    return names.count("Completed") == 1 and names[-1] == "Completed"


def never_again(seen: Evidence) -> Check:
    """No attempt was begun at what was on record, and a kill costs one attempt at most."""
    done = {(stage, scene): at for stage in STAGES for scene, at in seen.recorded(stage)}
    begun = seen.begun()
    late = [note for note in begun if when(note) > done.get((note["stage"], note["scene"]), NEVER)]
    cut_off = len(begun) - len(done)
    holds = not late and 0 <= cut_off <= len(seen.named("Interrupted"))
    text = f"{len(begun)} attempts for {len(done)} records: {cut_off} cut off, {len(late)} repeated"
    return Check(holds, f"nothing that was recorded was done again: {text}")


def nothing_left(seen: Evidence) -> Check:
    """The last start found everything done: it did nothing and recorded nothing."""
    again = next(when(note) for note in seen.supervisor if note["what"] == "again")
    facts = [*seen.diary, *(event for stage in seen.events.values() for event in stage)]
    after = sum(when(fact) > again for fact in facts)
    return Check(after == 0, f"started once more, it made and recorded {after} things")


def files(seen: Evidence) -> Check:
    """Every file is as the log says, and no half-written one lies beside them."""
    artifacts = [event.get("artifact") for event in seen.named("SceneCompleted", "Completed")]
    kept = [artifact for artifact in artifacts if artifact]
    whole = [each for each in kept if sha256(Path(each["root"], each["path"])) == each["sha256"]]
    partial = [*Path("images").glob(".*"), *Path("clips").glob(".*")]
    text = (
        f"{len(whole)} of {len(kept)} files are as recorded (sha256), {len(partial)} half-written"
    )
    return Check(len(whole) == len(kept) == 2 * len(seen.scenes) + 1 and not partial, text)


def sha256(path: Path) -> str:
    """Return a file's hash; "" where there is none."""
    return hashlib.sha256(path.read_bytes()).hexdigest() if path.is_file() else ""


def film() -> Check:
    """The film decodes to its end without an error, and is as long as it has to be."""
    strict = ["-nostdin", "-v", "error", "-xerror", "-err_detect", "explode", "-i", "reel.mp4"]
    command = [get_ffmpeg_exe(), *strict, *("-progress", "-", "-f", "null", "-")]
    ran = subprocess.run(command, capture_output=True, text=True, check=False)
    facts = dict(line.split("=", 1) for line in ran.stdout.split() if "=" in line)
    seconds, frames = int(facts.get("out_time_us", "0")) / 1e6, facts.get("frame")
    holds = ran.returncode == 0 and not ran.stderr and abs(seconds - SECONDS) <= TOLERANCE_S
    how = ran.stderr.partition("\n")[0] or "without an error"
    return Check(holds, f"reel.mp4 decodes {how}: {seconds:.2f} s, {frames} frames")


def checks() -> Iterator[Check]:
    """Make every check."""
    events = {stage: history(job) for stage, job in STAGES.items()}
    scenes = [scene["id"] for scene in lines(STORY)]
    seen = Evidence(scenes, events, lines("made.jsonl"), lines("supervisor.jsonl"))
    yield kills(seen)
    for stage in STAGES:
        yield once(seen, stage)
    yield never_again(seen)
    yield nothing_left(seen)
    yield files(seen)
    yield film()


def main(folder: str) -> int:
    """Print the table; return 1 if a check fails."""
    os.chdir(folder)
    made = [*checks()]
    for check in made:
        print("OK     " if check.holds else "FAILED ", check.text)
    return 0 if all(check.holds for check in made) else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
