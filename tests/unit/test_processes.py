"""Processes told apart, and groups that end."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator

import pytest

from resumelog.infrastructure import processes
from resumelog.infrastructure.processes import end_group, is_alive, is_neighbour, this_worker

IGNORING = "import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN)\n"
ANNOUNCED = "import os, time; print(os.getpid(), flush=True)\n"
SLEEPER = ANNOUNCED + "time.sleep(600)\n"
STUBBORN = IGNORING + SLEEPER
WITH_CHILD = (
    "import subprocess, sys\n"
    + ANNOUNCED
    + "subprocess.Popen([sys.executable, '-c', sys.argv[1]])\n"
    + "time.sleep(float(sys.argv[2]))\n"
)


class Tree:
    """A process group of a leader and, where asked for, its child."""

    def __init__(self, *code: str) -> None:
        self.leader = subprocess.Popen(
            [sys.executable, "-c", *code],
            stdout=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )
        self.pids: list[int] = []

    def announced(self, count: int) -> list[int]:
        """Return the processes' numbers once so many are at work."""
        assert self.leader.stdout is not None
        while len(self.pids) < count:
            self.pids.append(int(self.leader.stdout.readline()))
        return self.pids

    @property
    def started(self) -> int:
        return processes.started(self.leader.pid) or 0

    def close(self) -> None:
        for pid in self.pids:
            if processes.started(pid) is not None:
                os.kill(pid, 9)
        self.leader.kill()
        self.leader.communicate()


@pytest.fixture
def trees() -> Iterator[list[Tree]]:
    """Trees that end with the test."""
    made: list[Tree] = []
    yield made
    for tree in made:
        tree.close()


@pytest.fixture(autouse=True)
def _no_patience(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(processes, "TERMINATE_S", 0.3)


def grown(trees: list[Tree], *code: str, count: int = 1) -> Tree:
    tree = Tree(*code)
    trees.append(tree)
    tree.announced(count)
    return tree


def running(tree: Tree) -> list[int]:
    return [pid for pid in tree.pids if processes.started(pid) is not None]


def test_this_process_has_one_identity() -> None:
    assert this_worker() == this_worker()
    assert this_worker().pid == os.getpid()


def test_this_process_is_its_own_neighbour_and_alive() -> None:
    assert is_neighbour(this_worker())
    assert is_alive(this_worker())


@pytest.mark.parametrize("field", ["boot_id", "pid_namespace"])
def test_another_boot_or_namespace_is_no_neighbour(field: str) -> None:
    assert not is_neighbour(this_worker().model_copy(update={field: "another"}))


def test_a_child_is_alive_until_it_ends(trees: list[Tree]) -> None:
    tree = grown(trees, SLEEPER)
    worker = this_worker().model_copy(update={"pid": tree.leader.pid, "started": tree.started})
    assert is_alive(worker)
    tree.leader.kill()
    tree.leader.wait()
    assert not is_alive(worker)


def test_a_zombie_is_not_alive(trees: list[Tree]) -> None:
    tree = grown(trees, SLEEPER)
    worker = this_worker().model_copy(update={"pid": tree.leader.pid, "started": tree.started})
    tree.leader.kill()
    os.waitid(os.P_PID, tree.leader.pid, os.WEXITED | os.WNOWAIT)
    assert not is_alive(worker)


def test_another_process_under_the_same_number_is_not_taken_for_it() -> None:
    worker = this_worker()
    assert not is_alive(worker.model_copy(update={"started": worker.started + 1}))


def test_a_process_with_a_strange_name_has_a_start_time(trees: list[Tree]) -> None:
    named = "from pathlib import Path; Path('/proc/self/comm').write_text(') Z 1 (')\n"
    if sys.platform != "linux":
        pytest.skip("names are read from /proc")
    tree = grown(trees, named + SLEEPER)
    assert tree.started >= (processes.started(os.getpid()) or 0)


def test_a_group_that_listens_ends(trees: list[Tree]) -> None:
    tree = grown(trees, SLEEPER)
    end_group(tree.leader.pid, tree.started)
    assert tree.leader.wait() == -15


def test_a_group_that_ignores_the_request_is_killed(trees: list[Tree]) -> None:
    tree = grown(trees, STUBBORN)
    end_group(tree.leader.pid, tree.started)
    assert tree.leader.wait() == -9


@pytest.mark.parametrize("grandchild", [SLEEPER, STUBBORN], ids=["listening", "stubborn"])
@pytest.mark.parametrize("leader", ["", IGNORING], ids=["listening", "stubborn"])
def test_the_whole_tree_ends(trees: list[Tree], leader: str, grandchild: str) -> None:
    tree = grown(trees, leader + WITH_CHILD, grandchild, "600", count=2)
    assert len(running(tree)) == 2
    end_group(tree.leader.pid, tree.started)
    assert running(tree) == []


@pytest.mark.parametrize("reaped", [False, True])
def test_what_a_dead_leader_left_behind_ends(trees: list[Tree], reaped: bool) -> None:
    tree = grown(trees, WITH_CHILD, STUBBORN, "0", count=2)
    began = tree.started
    os.waitid(os.P_PID, tree.leader.pid, os.WEXITED | (0 if reaped else os.WNOWAIT))
    assert running(tree) == [tree.pids[1]]
    end_group(tree.leader.pid, began)
    assert running(tree) == []


def test_a_group_under_a_number_used_again_is_left_alone(trees: list[Tree]) -> None:
    tree = grown(trees, SLEEPER)
    end_group(tree.leader.pid, tree.started - 1)
    assert running(tree) == [tree.leader.pid]


def test_ending_a_group_that_is_gone_does_nothing(trees: list[Tree]) -> None:
    tree = grown(trees, SLEEPER)
    began = tree.started
    tree.leader.kill()
    tree.leader.wait()
    end_group(tree.leader.pid, began)
