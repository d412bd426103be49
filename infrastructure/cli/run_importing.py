"""resumelog import sim_x_autopilot.json: what the old autopilot left of a run, as its beginning."""

from __future__ import annotations

from typing import TYPE_CHECKING

from resumelog.infrastructure.cli.printing import print_json, print_lines

if TYPE_CHECKING:
    from resumelog.domain.autopilot_run import AutoPilotRun
    from resumelog.domain.run_state import RunState

GO_ON = {
    "inactive": "start",
    "failed": "start",
    "paused": "resume",
    "active": "recover",
}
"""The method of an AutoPilot that goes on with a run, by its status."""


def import_run(file: str, url: str | None, *, wants_json: bool) -> None:
    """Import a run and tell how it stands and what goes on with it."""
    import resumelog
    from resumelog.domain.autopilot_run import AutoPilotRun
    from resumelog.infrastructure.transfer.run_state import read_run_state

    state = read_run_state(file)  # refused before a log is made
    with resumelog.open(url) as log:
        is_new = bool(log.import_autopilot(file))
        run = log.log.recover(AutoPilotRun.named(state.simulation_id))
    if wants_json:
        print_json(_document(run, state, is_new=is_new))
    else:
        print_lines(_told(run, state, is_new=is_new))


def _document(run: AutoPilotRun, state: RunState, *, is_new: bool) -> dict[str, object]:
    return {
        "imported": is_new,
        "job": run.natural_key[0],
        "id": str(run.id),
        "status": run.status,
        "mode": run.mode,
        "last_completed_step": run.last_completed_step,
        "next_step": run.next_step,
        "version": run.version,
        "source": state.source,
        "sha256": state.sha256,
        "recorded_at": state.recorded_at and state.recorded_at.isoformat(),
        "recorded": state.recorded,
    }


def _told(run: AutoPilotRun, state: RunState, *, is_new: bool) -> list[str]:
    how = f"{run.status} in {run.mode} mode, last completed step {run.last_completed_step}"
    told = f"imported from {state.source}" if is_new else "this file was imported before"
    lines = [f"{run.title}: {told}: {how}"]
    if state.status == "completed" != run.status:
        lines.append(f"it had no report: it is not completed, and goes on at {run.next_step}")
    if run.mode == "manual":
        return [*lines, f"go on with log.autopilot(host).step({run.natural_key[0]!r})"]
    if go_on := GO_ON.get(run.status):
        key = "" if go_on == "recover" else repr(run.natural_key[0])
        lines.append(f"go on with log.autopilot(host).{go_on}({key})")
    return lines
