"""State files of the old autopilot: the samples, and others like them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

FOLDER = Path(__file__).parents[1] / "golden/legacy/autopilot"
TORN = ("truncated", "empty")
SAMPLES = {path.parent.name: path for path in sorted(FOLDER.glob("*/*_autopilot.json"))}
WHOLE = {name: path for name, path in SAMPLES.items() if name not in TORN}


def fields(**others: Any) -> dict[str, Any]:
    """Return what the old autopilot wrote of a run in the middle of its monitoring."""
    wrote = {
        "simulation_id": "sim_1",
        "mode": "auto",
        "status": "active",
        "current_step": "monitoring",
        "step_progress": 65,
        "step_message": "模拟运行中: 13/20 轮",
        "progress_detail": {"current_round": 13, "total_rounds": 20},
        "created_at": "2026-11-22T00:05:50.841504",
        "started_at": "2026-11-22T00:06:00",
        "paused_at": None,
        "completed_at": None,
        "failed_at": None,
        "error": None,
        "error_step": None,
        "last_completed_step": "starting",
        "retry_count": 0,
    }
    return {**wrote, **others}


def wrote(folder: Path, **others: Any) -> Path:
    """Write such a file."""
    path = folder / "sim_1_autopilot.json"
    path.write_text(json.dumps(fields(**others), indent=2, ensure_ascii=False), "utf-8")
    return path
