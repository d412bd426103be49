"""A model behind HTTP, as such services are: it answers most requests, and some of them badly.

`POST /STAGE` with {"scene", "attempt", "prompt"} is answered with {"text"}. Which scene meets which
faults is dealt out from a seed beforehand, so that a story can be told again. The diary has every
request, whatever became of it.
"""

from __future__ import annotations

import json
import random
import sys
import threading
import time
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, NamedTuple

FAULTS = ("500", "429", "trickle", "apology", "dropped")
EACH, A_SCENE_MAX = 3, 3
"""So often each fault occurs, and so many a scene meets at most in one stage."""
THINKS_S, RETRY_AFTER_S, TRICKLES = (0.05, 0.2), 1, 12

SHOTS = ("远景", "全景", "中景", "近景", "特写")
MOVES = ("固定镜头", "缓慢推进", "横移", "升起", "手持跟拍")
LIGHTS = ("冷蓝的晨光", "斜阳", "雪地的反光", "一盏孤灯", "薄雾")
SOUNDS = ("风声", "脚步踩雪", "远处的钟", "一片寂静", "水滴")


class Request(NamedTuple):
    """One line of the diary; `fault` is empty where the answer was good."""

    at: datetime
    stage: str
    scene: str
    attempt: int
    fault: str


def written(stage: str, scene: str, prompt: str) -> str:
    """Return what this model writes; it always has the same idea."""
    rng = random.Random(f"{stage}/{scene}")
    first, second = (SHOTS, MOVES) if stage == "storyboard" else (LIGHTS, SOUNDS)
    ideas = f"【{rng.choice(first)}·{rng.choice(second)}】"
    return f"{ideas}{prompt}" if stage == "storyboard" else f"{prompt} {ideas}"


def dealt(seed: int, tasks: Collection[tuple[str, str]]) -> dict[tuple[str, str], list[str]]:
    """Deal the faults out: what happens to the first requests of each stage and scene."""
    rng = random.Random(seed)
    places = rng.sample([*tasks] * A_SCENE_MAX, EACH * len(FAULTS))
    faults: dict[tuple[str, str], list[str]] = {task: [] for task in tasks}
    for task, fault in zip(places, FAULTS * EACH, strict=True):
        faults[task].append(fault)
    return faults


class Service(ThreadingHTTPServer):
    """Listens on a free port of the loopback; safe for threads."""

    def __init__(self, seed: int, tasks: Collection[tuple[str, str]]) -> None:
        """Bind the port; `running` serves."""
        super().__init__(("127.0.0.1", 0), Answer)
        self.url = f"http://127.0.0.1:{self.server_port}"
        self.diary: list[Request] = []
        self._faults, self._lock = dealt(seed, tasks), threading.Lock()
        self._answers, self._before = 0, dict[int, Callable[[], object]]()

    def before(self, answer: int, act: Callable[[], object]) -> None:
        """Call `act` just before a good answer is given, the first of all being number 1."""
        self._before[answer] = act

    def noted(self, stage: str, scene: str, attempt: int) -> str:
        """Write a request into the diary and return its fault."""
        with self._lock:
            left = self._faults[stage, scene]
            fault = left.pop(0) if left else ""
            self.diary.append(Request(datetime.now(UTC), stage, scene, attempt, fault))
            self._answers += not fault
            act = None if fault else self._before.pop(self._answers, None)
        if act:
            act()
        return fault

    @contextmanager
    def running(self) -> Iterator[Service]:
        """Serve while the block runs."""
        thread = threading.Thread(target=self.serve_forever, kwargs={"poll_interval": 0.05})
        thread.start()
        try:
            with self:
                yield self
                self.shutdown()
        finally:
            thread.join()

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Say nothing where who asked has been killed, or waits no longer."""
        if not isinstance(sys.exception(), ConnectionError):
            super().handle_error(request, client_address)


class Answer(BaseHTTPRequestHandler):
    """Answers one request, or does not."""

    server: Service

    def do_POST(self) -> None:
        """Answer as it was dealt."""
        asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        stage, scene = self.path.strip("/"), asked["scene"]
        fault = self.server.noted(stage, scene, asked["attempt"])
        time.sleep(random.uniform(*THINKS_S))
        if fault == "dropped":
            return  # and the connection is closed without a word
        if fault == "500":
            self.say(500, "out of memory")
        elif fault == "429":
            self.say(429, "slow down", retry_after_s=RETRY_AFTER_S)
        elif fault == "apology":
            self.say(200, "抱歉，我现在无法回答这个问题。")
        else:
            text = written(stage, scene, asked["prompt"])
            self.say(200, text, pauses=TRICKLES if fault == "trickle" else 0)

    def say(self, status: int, text: str, *, retry_after_s: int = 0, pauses: int = 0) -> None:
        """Send {"text"}, after so many pauses in which a space comes: no socket's timeout sees that."""
        body = json.dumps({"text": text}).encode()
        self.send_response(status)
        self.send_header("Content-Length", str(len(body) + pauses))
        if retry_after_s:
            self.send_header("Retry-After", str(retry_after_s))
        self.end_headers()
        for _ in range(pauses):
            self.wfile.write(b" ")
            time.sleep(0.25)
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Print nothing; the diary has it."""
