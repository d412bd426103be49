"""What the command of `resumelog export` prints and writes."""

from __future__ import annotations

import re

import pytest
from support.cli import Cli, finished
from support.exporting import (
    COUNTED,
    COUNTS,
    INTO_OUTPUT,
    KEY,
    UNITS,
    WRITES,
    arguments,
    exported,
    numbers,
    recorded,
    reports,
    whys,
)

from resumelog.domain.export_events import Completed

APPENDS = 'for i in $(seq $RESUMELOG_UNITS_DONE 19); do echo $i >> "$1"; echo units $((i + 1))'
APPENDS_TO_7 = f"{APPENDS}; [ $i != 6 ] || [ -e go ] || exit 9; done"


def artifact(bare: Cli) -> str | None:
    """Return the path of the output that is on record."""
    last = bare.events(KEY)[-1]
    assert isinstance(last, Completed)
    return last.artifact.path if last.artifact else None


# What it prints


def test_all_that_is_no_report_goes_on_unchanged(bare: Cli) -> None:
    script = r"printf 'a\tb\n\nprogress is slow\nno end'; echo; echo units 20; printf end"
    assert exported(bare, script, *COUNTED).out == "a\tb\n\nprogress is slow\nno end\nend"


def test_bytes_go_on_as_they_are(bare: Cli) -> None:
    bare.write("data", data := bytes(range(256)) * 1000)
    through = ("sh", "-c", 'exec "$@" > out 2> err', "sh")
    bare(*arguments("cat data; cat data >&2"), through=through)
    files = bare.files()
    err = files["err"]
    assert files["out"] == data
    assert err is not None
    assert err.startswith(data)


def test_text_goes_on_before_its_line_ends(bare: Cli) -> None:
    script = "printf 'Rendering... '; until [ -e go ]; do sleep 0.02; done; echo done"
    with bare.started(*arguments(script)) as process:
        assert process.stdout is not None
        assert process.stdout.read(13) == "Rendering... "
        bare.write("go", "")
        assert finished(process).out == "done\n"


def test_an_export_goes_on_when_nobody_reads_what_it_prints(bare: Cli) -> None:
    script = f"yes | head -c 1000000; {COUNTS}"
    closing = ("sh", "-c", '"$@" | true', "sh")
    ran = bare(*arguments(script, *COUNTED), through=closing)
    assert re.fullmatch(rf"{KEY}: complete, 20 of 20 units; .*\n", ran.err)
    assert bare.names(KEY)[-1] == "Completed"


def test_an_export_without_a_standard_output_goes_on(bare: Cli) -> None:
    closing = ("sh", "-c", '"$@" >&-', "sh")
    assert bare(*arguments(f"echo text; {COUNTS}", *COUNTED), through=closing).code == 0
    assert len(reports(bare)) == UNITS


def test_the_outcome_is_one_document_and_what_the_command_prints_beside_it(bare: Cli) -> None:
    ran = exported(bare, f"echo hello; {COUNTS}", *COUNTED, "--json")
    facts = {"job": KEY, "status": "completed", "units_done": UNITS, "units_total": UNITS}
    assert ran.document.items() >= facts.items()
    assert ran.err.startswith("hello\n")


def test_a_command_reads_nothing(bare: Cli) -> None:
    assert bare(*arguments("cat"), stdin="text").out == ""


# The output


def test_the_output_is_moved_into_place_at_the_end(bare: Cli) -> None:
    script = f"{WRITES}; ls -A; [ ! -e {KEY} ]"
    ran = exported(bare, script, INTO_OUTPUT)
    assert ran.code == 0
    assert any(name.startswith(".reel.partial-") for name in ran.out.splitlines())
    assert bare.lines(KEY) == ["whole"]
    assert artifact(bare) == KEY
    assert not any("partial" in name for name in bare.files())


def test_an_output_in_a_folder_that_is_not_there_is_made(bare: Cli) -> None:
    assert exported(bare, WRITES, INTO_OUTPUT, "--output", "out/成片 🎬.txt").code == 0
    assert bare.lines("out/成片 🎬.txt") == ["whole"]


def test_an_output_that_the_command_puts_in_place_itself_is_recorded(bare: Cli) -> None:
    assert exported(bare, 'echo whole > "$RESUMELOG_OUTPUT"').code == 0
    assert artifact(bare) == KEY


@pytest.mark.parametrize(
    ("script", "options", "why"),
    [
        ("true", [INTO_OUTPUT], "wrote no file to {output}"),
        ('mkdir "$1"', [INTO_OUTPUT], "wrote no file to {output}"),
        ("true", ["--output", "made"], "made no file /"),
        ("echo units 19", COUNTED, "reported only 19 of 20 units"),
    ],
)
def test_a_command_that_ends_well_and_is_not_done_has_failed(
    bare: Cli, script: str, options: list[object], why: str
) -> None:
    ran = exported(bare, script, *options)
    assert ran.code == 1
    (told,) = whys(bare)
    assert told.startswith(f"CommandFailed: it ended well, but {why}")
    assert not any("partial" in name for name in bare.files())


def test_an_output_that_the_command_finds_up_to_date_needs_a_touch(bare: Cli) -> None:
    bare.write("made", "before")
    ran = exported(bare, "echo progress 0.5; echo progress 1", "--output", "made", "--json")
    assert (ran.code, ran.document["exit_code"], ran.document["command_exit_code"]) == (1, 1, 0)
    assert (
        "failed at 100.0%: it ended well, but left made as it was before the job began: remove it; or"
        " where it is up to date, as make may find it, let COMMAND touch it; run the same command"
    ) in ran.err
    assert bare.names(KEY)[-1] == "Failed"
    assert exported(bare, "touch made", "--output", "made").code == 0
    assert bare.names(KEY)[-1] == "Completed"


def test_a_failed_command_leaves_no_half_written_output(bare: Cli) -> None:
    assert exported(bare, f"{WRITES}; exit 3", INTO_OUTPUT).code == 1
    assert [*bare.files()] == ["resumelog.db"]


def test_a_failed_command_is_told_with_the_end_of_what_it_said(bare: Cli) -> None:
    ran = exported(bare, "seq 9999 >&2; echo no 🌧 >&2; exit 7", "--json")
    (why,) = whys(bare)
    assert why.startswith("CommandFailed: exit code 7: ")
    assert why.endswith("9999\nno 🌧")
    assert "failed at 0.0%: exit code 7: … no 🌧; run the same command" in ran.err
    assert ran.document.items() >= {"status": "failed", "command_exit_code": 7}.items()


def test_a_half_written_output_is_kept_for_a_command_that_appends(bare: Cli) -> None:
    options = [*COUNTED, INTO_OUTPUT, "--keep-partial"]
    assert exported(bare, APPENDS_TO_7, *options).code == 1
    assert KEY not in bare.files()
    bare.write("go", "")
    assert exported(bare, APPENDS_TO_7, *options).code == 0
    assert bare.lines(KEY) == numbers(range(UNITS))


def test_a_log_that_is_full_does_not_end_the_command_and_is_told_at_the_end(bare: Cli) -> None:
    cursor = '\\"$(head -c 20000 /dev/zero | tr "\\0" x)\\"'
    script = f"{COUNTS.replace('$((i + 1))', f'$((i + 1)) cursor {cursor}')}; {WRITES}"
    full = ("sh", "-c", 'ulimit -f 400; exec "$@"', "sh")
    ran = bare(*arguments(script, *COUNTED, INTO_OUTPUT, "--json"), through=full)
    assert ran.code == 4
    assert ran.err.count("it is tried again with the next report") == 1
    assert "1 save is not on disk" in ran.err
    assert ran.document["not_saved"]
    assert bare.lines(KEY) == ["whole"]
    assert 0 < recorded(bare) < UNITS
    assert exported(bare, script, *COUNTED, INTO_OUTPUT).code == 0
    assert {*bare.lines("made")} == {*numbers(range(UNITS))}
