"""What is done with scenes in tests of runs; a pool of processes can be sent it by name."""

from __future__ import annotations

import asyncio
import hashlib
import os
import signal
import sys
import time
from pathlib import Path
from typing import Any

from pydantic import JsonValue

from resumelog import Scene


def script(scene: Scene) -> JsonValue:
    return {"script": f"《{scene.key}》🎬", "shots": [scene.index, None]}


async def script_later(scene: Scene) -> JsonValue:
    await asyncio.sleep(0.001)
    return script(scene)


def noted(scene: Scene) -> JsonValue:
    """Note the execution in the folder's diary, in one system call."""
    note("diary", f"{scene.key} {scene.attempt}\n")
    return script(scene)


def note(path: str | Path, line: str) -> None:
    descriptor = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o644)
    os.write(descriptor, line.encode())
    os.close(descriptor)


def luck(key: str, attempt: int) -> int:
    """Return a number from 0 to 255 that is the same in every run."""
    return hashlib.sha256(f"{key}/{attempt}".encode()).digest()[0]


def unlucky(scene: Scene) -> JsonValue:
    """Make a scene, unless this attempt is one of those that fail, a fifth of all."""
    if luck(scene.key, scene.attempt) < 51:
        raise RuntimeError(f"渲染失败 {scene.attempt}")
    return script(scene)


def kills_its_worker_once(scene: Scene) -> JsonValue:
    if scene.key == "3" and scene.attempt == 1:
        time.sleep(0.05)
        os._exit(9)
    time.sleep(0.02)
    return script(scene)


def kills_its_worker(scene: Scene) -> JsonValue:
    if scene.key == "3":
        os._exit(9)
    return script(scene)


def unpicklable(scene: Scene) -> Any:
    return (lambda: scene) if scene.key == "2" else script(scene)


def sleeps_long(scene: Scene) -> JsonValue:
    """Hang in the second scene."""
    if scene.key == "2":
        time.sleep(60)
    return script(scene)


async def sleeps_long_later(scene: Scene) -> JsonValue:
    if scene.key == "2":
        await asyncio.sleep(60)
    return script(scene)


async def is_cancelled(scene: Scene) -> JsonValue:
    if scene.key == "2":
        raise asyncio.CancelledError
    return script(scene)


def leaves(scene: Scene) -> JsonValue:
    if scene.key == "2":
        sys.exit("我走了")
    return script(scene)


async def leaves_later(scene: Scene) -> JsonValue:
    return leaves(scene)


def interrupted_handler(scene: Scene) -> JsonValue:
    """Tell how this process takes SIGINT while it makes a scene."""
    return [scene.key, signal.getsignal(signal.SIGINT) is signal.SIG_IGN]
