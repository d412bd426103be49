"""Two hundred runs in one service, asked for their status a hundred times a second; and 72 h of polls."""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from http.client import HTTPConnection
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any
from urllib.parse import urlsplit

from pydantic import JsonValue

import resumelog
from benchmarks import three_days
from resumelog.domain.autopilot_events import Completed, ProgressSaved, StepCompleted
from resumelog.domain.autopilot_run import AutoPilotRun
from resumelog.domain.events import DomainEvent

RUNS, POLL_S = 200, 1.0
"""Thirty times as often as a service polls by default."""
ASKED_PER_S, CLIENTS = 100, 10
LOAD_S = 30.0
P99_BUDGET_MS = 50
STATUS = "/api/simulation/auto-pilot/status"
SYNCS = 500


def measure() -> None:
    """Print both, in a folder of the current one."""
    with TemporaryDirectory(dir=Path.cwd(), prefix=".bench-") as folder:
        _load(Path(folder))
        three_days.measure(Path(folder, "days.db"))


def _load(folder: Path) -> None:
    print(f"\n{RUNS} runs polled every {POLL_S:g} s, {ASKED_PER_S} status requests/s, {LOAD_S:g} s")
    syncs = _synced(folder / "raw")
    with _service(folder) as (process, url):
        latencies = _asked(url)
        told = _ended(process)
    _show("raw append + fsync, nothing else at work", syncs)
    p99_ms = _show("one status, from when it was due", latencies)
    print(f"p99 {p99_ms:.1f} ms (budget: {P99_BUDGET_MS} ms)")
    _require_all_kept(folder / "runs.db", told)


def _show(name: str, seconds: list[float]) -> float:
    """Print a line of milliseconds; return the 99th percentile."""
    cuts = statistics.quantiles(seconds, n=100)
    middle, p99, most = cuts[49] * 1e3, cuts[98] * 1e3, max(seconds) * 1e3
    print(f"{name:<44}median {middle:>6.2f}  p99 {p99:>6.2f}  max {most:>7.2f} ms")
    return p99


@contextmanager
def _service(folder: Path) -> Iterator[tuple[subprocess.Popen[str], str]]:
    command = [sys.executable, "-m", "benchmarks.served_runs", str(folder), str(RUNS), str(POLL_S)]
    pipe = subprocess.PIPE
    with subprocess.Popen(command, stdin=pipe, stdout=pipe, text=True) as process:
        assert process.stdout
        yield process, json.loads(process.stdout.readline())
        process.terminate()


def _ended(process: subprocess.Popen[str]) -> Any:
    assert process.stdin
    assert process.stdout
    process.stdin.write("enough\n")
    process.stdin.flush()
    return json.loads(process.stdout.readline())


def _asked(url: str) -> list[float]:
    """Ask at fixed times over CLIENTS connections; a late answer makes the next ones late as well."""
    latencies: list[float] = []
    begin = time.perf_counter() + 0.1
    clients = [
        threading.Thread(target=_client, args=(url, begin, number, latencies))
        for number in range(CLIENTS)
    ]
    for client in clients:
        client.start()
    for client in clients:
        client.join()
    assert len(latencies) == ASKED_PER_S * LOAD_S
    return latencies


def _client(url: str, begin: float, first: int, latencies: list[float]) -> None:
    connection = HTTPConnection(urlsplit(url).netloc)
    for number in range(first, int(ASKED_PER_S * LOAD_S), CLIENTS):
        due = begin + number / ASKED_PER_S
        time.sleep(max(0.0, due - time.perf_counter()))
        body = json.dumps({"simulation_id": f"sim-{number % RUNS}"})
        connection.request("POST", STATUS, body, {"content-type": "application/json"})
        data = json.loads(connection.getresponse().read())["data"]
        latencies.append(time.perf_counter() - due)
        assert (data["status"], data["current_step"]) == ("active", "monitoring"), data


def _require_all_kept(path: Path, told: Any) -> None:
    """Expect every round that was told as saved, once and in order, and every end."""
    assert told["ended"] == {"completed": RUNS}, told["ended"]
    with resumelog.open(path, must_exist=True) as log:
        for name, rounds in told["saved"].items():
            events = [*log.log.history(AutoPilotRun.named(name).id)]
            assert _rounds(events) == [*range(1, rounds + 1)], name
            assert sum(isinstance(event, StepCompleted) for event in events) == 4, name
            assert isinstance(events[-1], Completed), name
        verdict = log.audit.verify()
    assert verdict.is_well, verdict
    saved = sum(told["saved"].values())
    print(f"{saved:,} rounds saved, each once in the log; {verdict.events:,} events verified")
    print(f"the service was at work {told['at_work']:.0%} of the time")


def _rounds(events: Sequence[DomainEvent]) -> list[JsonValue]:
    saves = (event for event in events if isinstance(event, ProgressSaved))
    return [event.resume_data for event in saves if event.step == "monitoring"]


def _synced(path: Path) -> list[float]:
    seconds = []
    with path.open("ab", buffering=0) as file:
        for _ in range(SYNCS):
            start = time.perf_counter()
            file.write(b"x" * 400)
            os.fsync(file.fileno())
            seconds.append(time.perf_counter() - start)
    return seconds
