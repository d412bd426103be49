"""Let a model that is reached over HTTP write a storyboard and enhance it: storyboard.py FOLDER URL.

Kill it whenever you like and start it again: what is recorded is not asked for again.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from pathlib import Path
from urllib.error import HTTPError
from urllib.request import ProxyHandler, Request, build_opener

import resumelog
from resumelog import Batch, Retry, Scene

DB, PROJECT, STAGES = "storyboard.db", "归途", ("storyboard", "enhancement")
STORY = {
    "dawn": "雪停了，村口没有一个人",
    "door": "她推开门，灯还亮着",
    "letter": "桌上有一封没有写完的信",
    "road": "她沿着河往山里走",
    "bridge": "桥断了，冰很薄",
    "wood": "林子里有人生过火",
    "smoke": "山那边升起一缕烟",
    "dog": "一只狗在路口等她",
    "hut": "木屋的窗上结了霜",
    "voice": "屋里有人在唱她小时候的歌",
    "face": "他转过身来，老了许多",
    "home": "两行脚印一起往回走",
}
SCENES = [{"id": key, "text": text} for key, text in STORY.items()]

SILENCE_S, ATTEMPT_S = 1.0, 2.0
"""So long the socket may be silent, and so long an attempt may take in all."""
WORTH_IT = {429, 500, 502, 503, 504}


def is_worth_another_try(error: BaseException) -> bool:
    """Tell what passes by itself: a busy service, a broken connection; not a refused request."""
    return error.code in WORTH_IT if isinstance(error, HTTPError) else isinstance(error, OSError)


RETRY = Retry(attempts=8, backoff_s=0.1, jitter_s=0.1, retry_on=is_worth_another_try)
"""A Retry-After of the service is kept to without a word of ours."""


def is_a_script(result: dict[str, str]) -> str:
    """Refuse what is no script but an apology, though it came with status 200."""
    return "" if "【" in result["script"] else f"no script: {result['script']}"


class Model:
    """The service, as this program needs it."""

    def __init__(self, url: str) -> None:
        """Ask it directly: a loopback address is no proxy's."""
        self._url, self._opener = url, build_opener(ProxyHandler({}))

    def storyboard(self, scene: Scene) -> dict[str, str]:
        """Let a script be written for a scene's text."""
        return self._ask("storyboard", scene, scene.content["text"])

    def enhancement(self, scene: Scene) -> dict[str, str]:
        """Let the script of the stage before be enhanced."""
        return self._ask("enhancement", scene, scene.before["script"])

    def _ask(self, stage: str, scene: Scene, prompt: str) -> dict[str, str]:
        asked = {"scene": scene.key, "attempt": scene.attempt, "prompt": prompt}
        request = Request(f"{self._url}/{stage}", json.dumps(asked).encode())
        with self._opener.open(request, timeout=SILENCE_S) as answer:
            return {"script": json.load(answer)["text"]}


def make(batch: Batch, function: Callable[[Scene], object]) -> bool:
    """Make what remains of a stage, four scenes at once; tell whether all are done."""
    with resumelog.progress_bar(batch):
        report = batch.run(function, workers=4, retry=RETRY, timeout_s=ATTEMPT_S, check=is_a_script)
    for failed in report.failed:
        print(f"{failed.key} failed {failed.attempts} times: {failed.error}")
    print(f"{batch.title}: {report}", flush=True)
    return report.is_complete


def main(folder: Path, url: str) -> int:
    """Make both stages and print the storyboard; return 0 if it is whole."""
    model = Model(url)
    with resumelog.open(folder / DB) as log:
        storyboard = log.scenes.open(PROJECT, "storyboard", scenes=SCENES)
        if not make(storyboard, model.storyboard):
            return 1
        enhancement = log.scenes.open(PROJECT, "enhancement", scenes=SCENES, after="storyboard")
        if not make(enhancement, model.enhancement):
            return 1
        for scene, result in enhancement.results():
            print(f"{scene.index + 1:3}  {scene.key:8}{result['script']}")
    return 0


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1]), sys.argv[2]))
