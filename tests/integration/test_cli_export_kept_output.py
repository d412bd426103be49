"""An export that goes on where its output is empty, kept, or gone."""

from __future__ import annotations

import pytest
from support.cli import Cli
from support.exporting import INTO_OUTPUT, KEY, exported, numbers, reports, whys
from support.legacy import written

from resumelog.domain.export_events import Restarted

TOTAL = ("--total", 4)
UNITS = numbers(range(4))
LOOP = 'for i in $(seq $RESUMELOG_UNITS_DONE 3); do echo $i >> "$1"; echo units $((i + 1)); '
APPENDS = f"{LOOP} done; [ -e go ] || exit 9"
APPENDS_2 = f"{LOOP} [ $i != 1 ] || [ -e go ] || exit 9; done"
PIECES = f'set -- made "$1"; {LOOP} done; [ -e go ] || exit 9; cp made "$2"'
EMPTY = "{output} is empty again"


@pytest.mark.parametrize("place", [[INTO_OUTPUT], ["--output", KEY]], ids=["output", "in place"])
def test_all_done_but_no_output_is_begun_again(bare: Cli, place: list[object]) -> None:
    script = APPENDS if INTO_OUTPUT in place else APPENDS.replace("$1", KEY)
    assert exported(bare, script, *TOTAL, *place).code == 1
    bare.write("go", "")
    (bare.folder / KEY).unlink(missing_ok=True)
    ran = exported(bare, script, *TOTAL, *place)
    assert (ran.code, bare.lines(KEY)) == (0, UNITS)
    assert "begins again at 0: all is done, but its output is missing" in ran.err
    assert whys(bare)[-1] == "all is done, but its output is missing"


def test_what_can_still_make_its_output_of_all_that_is_done_does_nothing_again(bare: Cli) -> None:
    assert exported(bare, PIECES, *TOTAL, INTO_OUTPUT).code == 1
    bare.write("go", "")
    assert exported(bare, PIECES, *TOTAL, INTO_OUTPUT).code == 0
    assert bare.lines("made") == bare.lines(KEY) == UNITS
    assert not any(isinstance(event, Restarted) for event in bare.events(KEY))


def test_one_that_makes_no_output_from_0_either_has_failed(bare: Cli) -> None:
    for _ in range(2):
        ran = exported(bare, "echo progress 1", INTO_OUTPUT)
        assert ran.code == 1
        assert "wrote no file to {output}" in ran.err
    assert bare.names(KEY)[-1] == "Failed"


def test_an_import_at_1_without_an_output_is_begun_again(bare: Cli) -> None:
    bare.write(".export_state", written(1.0))
    assert bare("import", ".export_state", "--key", KEY).code == 0
    script = '[ "$RESUMELOG_PROGRESS" = 1.0 ] || echo whole > "$1"'
    assert exported(bare, script, INTO_OUTPUT).code == 0
    assert bare.lines(KEY) == ["whole"]


def test_going_on_in_an_output_that_is_empty_again_is_warned_of(bare: Cli) -> None:
    first = exported(bare, APPENDS_2, *TOTAL, INTO_OUTPUT)
    bare.write("go", "")
    again = exported(bare, APPENDS_2, *TOTAL, INTO_OUTPUT)
    assert EMPTY not in first.err
    assert f"{EMPTY}: where COMMAND goes on in it" in again.err


def test_one_that_keeps_its_output_is_warned_of_nothing(bare: Cli) -> None:
    exported(bare, APPENDS_2, *TOTAL, INTO_OUTPUT, "--keep-partial")
    bare.write("go", "")
    ran = exported(bare, APPENDS_2, *TOTAL, INTO_OUTPUT, "--keep-partial")
    assert (EMPTY in ran.err, bare.lines(KEY)) == (False, UNITS)


@pytest.mark.parametrize("output", ["reel.out", None], ids=["--output", "KEY"])
def test_the_variable_alone_names_what_is_kept(bare: Cli, output: str | None) -> None:
    options = [*TOTAL, "--keep-partial", *(["--output", output] if output else [])]
    script = APPENDS_2.replace("$1", "$RESUMELOG_OUTPUT")
    assert exported(bare, script, *options).code == 1
    assert (output or KEY) not in bare.files()
    bare.write("go", "")
    assert exported(bare, script, *options).code == 0
    assert bare.lines(output or KEY) == UNITS


def test_a_kept_output_that_is_gone_is_told_as_the_log_tells_it(bare: Cli) -> None:
    options = [*TOTAL, INTO_OUTPUT, "--keep-partial"]
    exported(bare, APPENDS_2, *options)
    for path in bare.folder.glob(f".{KEY.partition('.')[0]}.*partial*"):
        if not path.name.endswith(".begun"):
            path.unlink()
    bare.write("go", "")
    ran = exported(bare, APPENDS_2, *options)
    assert "begins again at 0: what it had written is gone" in ran.err
    assert "after a resume" not in ran.err
    assert whys(bare)[-1] == "what it had written is gone"
    assert (bare.lines(KEY), len(reports(bare))) == (UNITS, 6)
