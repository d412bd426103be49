"""`{simulation_id}_autopilot.json`, the state file of the old autopilot: one JSON object, rewritten whole."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, ValidationError

from resumelog.application.errors import BadStateFile, DamagedStateFile, ForeignStateFile
from resumelog.domain.errors import BadInput
from resumelog.domain.run_state import OLD_STEPS, OldStatus, RunState
from resumelog.domain.values import (
    CURSOR_BYTES_MAX,
    JsonObject,
    canonical_json,
    checked_key,
    validation_text,
)
from resumelog.infrastructure.transfer.old_file import OldFile, read_old_file

BYTES_MAX = CURSOR_BYTES_MAX
"""All of it is kept in one event."""
SUFFIX = "_autopilot.json"
IDLE = "idle"
SHOWN_CHARS = 60
STEPS_DONE = {IDLE: (), **{step: OLD_STEPS[: n + 1] for n, step in enumerate(OLD_STEPS[:-1])}}
"""What was completed, by the step completed last."""

OldStep = Literal[
    "idle", "preparing", "starting", "monitoring", "generating_report", "completed", "failed"
]


class _Fields(BaseModel):
    """The fields that the old autopilot wrote; those that it added later are kept, and not read."""

    model_config = ConfigDict(strict=True, extra="ignore")

    simulation_id: str
    mode: Literal["auto", "manual"]
    status: OldStatus
    current_step: OldStep
    last_completed_step: Literal["idle", "preparing", "starting", "monitoring", "generating_report"]
    step_progress: float
    step_message: str
    progress_detail: dict[str, Any]
    created_at: str | None
    started_at: str | None
    paused_at: str | None
    completed_at: str | None
    failed_at: str | None
    error: str | None
    error_step: str | None
    retry_count: int


def is_run_state(path: str | Path) -> bool:
    """Tell whether a file is the old autopilot's, by what stands in it, or else by its name."""
    if Path(path).name.endswith(SUFFIX):
        return True
    try:
        content = read_old_file(path, BYTES_MAX).content
    except BadStateFile:
        return False
    named = (b'"simulation_id"', b'"last_completed_step"')
    return content.lstrip().startswith(b"{") and all(name in content for name in named)


def read_run_state(path: str | Path) -> RunState:
    """Return what a state file says; it stays as it is.

    Naive times are this machine's local ones. Raises BadStateFile: NoStateFile, DamagedStateFile or
    ForeignStateFile.
    """
    return run_state_in(read_old_file(path, BYTES_MAX))


def run_state_in(file: OldFile) -> RunState:
    """Return what a state file that was read says. Raises as `read_run_state` does."""
    recorded = _object(file)
    fields = _fields(file, recorded)
    times = {
        name: _time(file, name, recorded[name])
        for name in ("created_at", "started_at", "paused_at", "completed_at", "failed_at")
    }
    done = STEPS_DONE[fields.last_completed_step]
    following = OLD_STEPS[len(done)]
    is_in_it = fields.current_step == following != OLD_STEPS[-1]
    failed = fields.status == "failed" and following != OLD_STEPS[-1]
    return RunState(
        source=file.path,
        sha256=file.sha256,
        simulation_id=fields.simulation_id,
        mode=fields.mode,
        status=fields.status,
        steps_done=done,
        step=following if is_in_it or failed else None,
        percent=fields.step_progress,
        message=fields.step_message,
        detail=fields.progress_detail,
        error=fields.error or "",
        created_at=times["created_at"],
        started_at=times["started_at"],
        ended_at=times.get(f"{fields.status}_at"),
        recorded_at=max(filter(None, times.values()), default=None),
        recorded=recorded,
    )


def _object(file: OldFile) -> JsonObject:
    if not file.content.strip():
        raise DamagedStateFile(path=file.path, why="it is empty")
    try:
        found = json.loads(
            file.content.decode("utf-8-sig"), object_pairs_hook=_once, parse_constant=_no_constant
        )
        canonical_json(found)
    except UnicodeDecodeError as error:
        why = f"it is not UTF-8 at byte {error.start}"
        raise DamagedStateFile(path=file.path, why=why) from None
    except json.JSONDecodeError as error:
        raise DamagedStateFile(path=file.path, why=_torn(error)) from None
    except (BadInput, ValueError, RecursionError) as error:
        raise DamagedStateFile(path=file.path, why=f"it can't be read: {error}"[:200]) from None
    if not isinstance(found, dict):
        raise ForeignStateFile(path=file.path, why="it is no JSON object")
    return found


def _fields(file: OldFile, recorded: JsonObject) -> _Fields:
    if missing := [name for name in _Fields.model_fields if name not in recorded]:
        why = f"it has no {', no '.join(missing[:3])}, which the old autopilot wrote"
        raise ForeignStateFile(path=file.path, why=why)
    try:
        fields = _Fields.model_validate(recorded)
        fields.simulation_id = checked_key(fields.simulation_id, "its simulation_id")
    except ValidationError as error:
        raise DamagedStateFile(path=file.path, why=validation_text(error)) from None
    except BadInput as error:
        raise DamagedStateFile(path=file.path, why=str(error)) from None
    if not 0 <= fields.step_progress <= 100:
        why = f"its step_progress is {fields.step_progress}, which is no number from 0 to 100"
        raise DamagedStateFile(path=file.path, why=why)
    return fields


def _time(file: OldFile, name: str, written: Any) -> datetime | None:
    """Naive local time, as the old autopilot wrote it; one with an offset is taken as it is."""
    if written is None:
        return None
    try:
        return datetime.fromisoformat(written).astimezone(UTC)
    except (ValueError, OverflowError, OSError):
        why = f"its {name} {written!r} is no time"[:SHOWN_CHARS]
        raise DamagedStateFile(path=file.path, why=why) from None


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    fields = dict(pairs)
    if len(fields) < len(pairs):
        raise ValueError("it has a field twice")
    return fields


def _no_constant(name: str) -> Any:
    raise ValueError(f"{name} is no JSON")


def _torn(error: json.JSONDecodeError) -> str:
    if error.msg.startswith("Unterminated") or not error.doc[error.pos :].strip():
        return f"it is cut off after {len(error.doc)} characters"
    return f"it is cut off or altered at line {error.lineno}, column {error.colno}"
