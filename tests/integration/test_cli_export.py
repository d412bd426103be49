"""`resumelog export`: a command that reports how far it is, and goes on from there."""

from __future__ import annotations

from pathlib import Path

from support.cli import Cli, finished, wait_for
from support.exporting import (
    COUNTED,
    COUNTS,
    INTO_OUTPUT,
    KEY,
    STOPS_AT_7,
    TELLS,
    UNITS,
    WAITS_AT_7,
    WRITES,
    arguments,
    environment,
    exported,
    numbers,
    reports,
    says,
)

import resumelog

APPENDS = 'for i in $(seq $RESUMELOG_UNITS_DONE 19); do echo $i >> "$1"; echo units $((i + 1))'
APPENDS_TO_7 = f"{APPENDS}; [ $i != 6 ] || [ -e go ] || exit 9; done"


# Going on


def test_every_unit_that_is_reported_is_recorded_exactly(bare: Cli) -> None:
    assert exported(bare, COUNTS, *COUNTED).code == 0
    assert [each[1:3] for each in reports(bare)] == [(n + 1, UNITS) for n in range(UNITS)]
    assert bare.names(KEY)[-1] == "Completed"


def test_units_that_were_reported_before_a_failure_are_not_made_again(bare: Cli) -> None:
    failed = exported(bare, STOPS_AT_7, *COUNTED)
    assert (failed.code, bare.lines("made")) == (1, numbers(range(7)))
    assert "failed at 7 of 20 units: exit code 9; run the same command to go on" in failed.err
    bare.write("go", "")
    again = exported(bare, STOPS_AT_7, *COUNTED)
    assert (again.code, bare.lines("made")) == (0, numbers(range(UNITS)))
    assert f"{KEY}: goes on at 7 of 20 units\n" in again.err


def test_the_resume_point_is_in_the_environment_from_the_first_attempt_on(bare: Cli) -> None:
    script = "\n".join([TELLS, says('units 3/20 cursor {"帧": [1, 2]}'), "exit 1"])
    first, again = environment(exported(bare, script)), environment(exported(bare, script))
    always = {"KEY": KEY, "OUTPUT": str(bare.folder / KEY)}
    begins = {"PROGRESS": "0.0", "UNITS_DONE": "0", "UNITS_TOTAL": "", "CURSOR": ""}
    assert first.items() >= {**always, **begins}.items()
    left = {"PROGRESS": "0.15", "UNITS_DONE": "3", "UNITS_TOTAL": "20"}
    assert again.items() >= {**always, **left, "CURSOR": '{"帧": [1, 2]}'}.items()


def test_the_last_fraction_is_on_record_though_they_are_throttled(bare: Cli) -> None:
    fractions = [f"progress {n / 1000}" for n in range(1, 500)]
    assert exported(bare, f"{says(*fractions)}\nexit 1").code == 1
    assert [each.progress for each in reports(bare)] == [0.001, 0.499]


def test_every_fraction_is_on_record_where_none_is_to_be_throttled(bare: Cli) -> None:
    fractions = [f"progress {n / 10}" for n in range(1, 10)]
    exported(bare, says(*fractions), "--save-interval", 0)
    assert len(reports(bare)) == 9


# Done, and done again


def test_a_finished_export_is_skipped_and_says_so(bare: Cli) -> None:
    script = f"echo x >> made; {WRITES}"
    exported(bare, script, INTO_OUTPUT)
    again = exported(bare, script, INTO_OUTPUT, "--json")
    assert (again.code, bare.lines("made")) == (0, ["x"])
    assert f"finished before, and {bare.folder / KEY} is intact: skipped" in again.err
    assert again.document.items() >= {"status": "completed", "skipped": True}.items()


def test_an_output_that_is_not_intact_is_made_again(bare: Cli) -> None:
    exported(bare, WRITES, INTO_OUTPUT)
    bare.write(KEY, "WHOLE\n")
    again = exported(bare, WRITES, INTO_OUTPUT)
    assert "begins again at 0: the output is missing or was altered" in again.err
    assert bare.lines(KEY) == ["whole"]


def test_another_input_begins_again_at_0_or_is_refused(bare: Cli) -> None:
    script = "echo progress 0.5; exit 1"
    exported(bare, script, "--input", '{"fps": 24}')
    other = ("--input", '{"fps": 25}')
    refused = exported(bare, script, *other, "--on-changed-inputs", "refuse")
    assert (refused.code, refused.out) == (2, "")
    assert "the input changed; let it restart, or use another key" in refused.err
    told = exported(bare, script, *other).err
    assert f"{KEY}: begins again at 0: the input changed; the command line, --total and" in told


def test_a_command_that_made_no_file_is_told(bare: Cli) -> None:
    assert f"complete; there is no file {bare.folder / KEY} to record" in exported(bare, "true").err


def test_units_that_an_imported_fraction_covers_are_not_made_again(bare: Cli) -> None:
    old = Path(__file__).parents[1] / "golden/legacy/p064.export_state"
    assert bare("import", old, "--key", KEY).code == 0
    exported(bare, COUNTS, *COUNTED)
    assert bare.lines("made") == numbers(range(12, UNITS))


# Others


def test_a_second_worker_is_refused_and_the_first_goes_on(bare: Cli) -> None:
    with bare.started(*arguments(WAITS_AT_7, *COUNTED)) as first:
        wait_for(lambda: bare.lines("pids"), "the seventh unit")
        second = exported(bare, WAITS_AT_7, *COUNTED)
        bare.write("go", "")
        assert finished(first).code == 0
    assert second.code == 1
    assert f"is being worked on by pid {first.pid} on" in second.err
    assert bare.lines("made") == numbers(range(UNITS))


def test_two_exports_at_once_never_touch_each_others_progress(bare: Cli) -> None:
    script = COUNTS.replace("made", '"$RESUMELOG_KEY.made"')
    with (
        bare.started(*arguments(script, *COUNTED, key="a")) as first,
        bare.started(*arguments(script, *COUNTED, key="b")) as second,
    ):
        assert (finished(first).code, finished(second).code) == (0, 0)
    for key in ("a", "b"):
        assert bare.lines(f"{key}.made") == numbers(range(UNITS))
        assert len(reports(bare, key)) == UNITS


def test_a_pause_ends_the_command_and_names_who_asked_and_why(bare: Cli) -> None:
    with bare.started(*arguments(WAITS_AT_7, *COUNTED, "--json")) as process:
        wait_for(lambda: bare.lines("pids"), "the seventh unit")
        with resumelog.open(bare.folder / "resumelog.db") as log:
            log.exports.pause(KEY, "午休 🍜", "小王")
        ran = finished(process)
    assert ran.code == 3
    assert "paused at 7 of 20 units: by 小王: 午休 🍜; run the same command" in ran.err
    assert ran.document["status"] == "paused"
    assert "Interrupted" not in bare.names(KEY)
    bare.write("go", "")
    assert exported(bare, WAITS_AT_7, *COUNTED).code == 0
    assert bare.lines("made") == numbers(range(UNITS))


def test_a_restart_by_another_ends_the_command(bare: Cli) -> None:
    with bare.started(*arguments(WAITS_AT_7, *COUNTED)) as process:
        wait_for(lambda: bare.lines("pids"), "the seventh unit")
        with resumelog.open(bare.folder / "resumelog.db") as log:
            log.exports.restart(KEY, "重来")
        ran = finished(process)
    assert ran.code == 1
    assert "is over, the log is at epoch" in ran.err
    assert bare.names(KEY)[-1] == "Restarted"
