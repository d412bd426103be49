"""A batch that nobody leaves, and a log that nobody closes: what still waits for the disk is told."""

from __future__ import annotations

import os
import weakref

from resumelog.application.batch import Batch
from resumelog.application.errors import NeverClosed
from resumelog.application.running import Running
from resumelog.domain.scene_batch import SceneBatch


def tell_of_unsaved(batch: Batch, running: Running[SceneBatch]) -> None:
    """Raise NotSaved where a batch goes, or the program ends, with saves that still wait.

    There is no caller to catch it: Python prints it on standard error, as `sys.excepthook` says.
    """
    weakref.finalize(batch, _require_none_waits, running, os.getpid())


def _require_none_waits(running: Running[SceneBatch], process: int) -> None:
    """Write nothing any more: this may come in the middle of anything, in any thread."""
    if running.claim is None or os.getpid() != process:  # it was left, or is the parent's
        return
    running.held_saves.give_up(NeverClosed())
    running.held_saves.require_none_lost()
