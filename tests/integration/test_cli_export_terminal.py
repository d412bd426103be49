"""What `resumelog export` shows: a bar on a real terminal, a line now and then elsewhere."""

from __future__ import annotations

import re

from support.cli import Cli, wait_for
from support.exporting import COUNTED, COUNTS, KEY, STOPS_AT_7, arguments, exported, recorded
from support.terminals import CTRL_C

WAITS = "until [ -e go ]; do sleep 0.02; done"
IN_COLOUR = r"printf 'a\033[31mred\033[0m line\n'"


def test_a_bar_shows_how_far_it_is_below_what_the_command_prints(bare: Cli) -> None:
    script = f"echo units 5; {IN_COLOUR}; {WAITS}; echo units 20"
    with bare.in_terminal(*arguments(script, *COUNTED)) as shown:
        shown.shows("5 of 20")
        bare.write("go", "")
        text = shown.ends()
    assert re.search(KEY + r" .*━.* 25 % · 5 of 20", text)
    assert re.search(KEY + r" .*━.* 100 % · 20 of 20 .*took ", text)
    assert re.search(r"[\r\n]ared line *\r?\n", text)
    assert f"{KEY}: complete, 20 of 20 units" in text


def test_the_bar_begins_with_what_was_done_before(bare: Cli) -> None:
    exported(bare, STOPS_AT_7, *COUNTED)
    with bare.in_terminal(*arguments(STOPS_AT_7, *COUNTED)) as shown:
        assert re.search(r"━.* 35 % · 7 of 20 .*resumed at 35 %", shown.ends())


def test_a_line_that_is_overwritten_is_shown_once(bare: Cli) -> None:
    script = r"printf '\r1%%' >&2; printf '\r2%%' >&2; printf '\r3%%\n' >&2; printf end >&2"
    with bare.in_terminal(*arguments(script)) as shown:
        text = shown.ends()
    assert re.search(r"[\r\n]3% *\r?\n", text)
    assert "1%" not in text
    assert re.search(r"[\r\n]end *\r?\n", text)


def test_ctrl_c_goes_on_to_the_command(bare: Cli) -> None:
    with bare.in_terminal(*arguments(f"echo units 3; {WAITS}", *COUNTED)) as shown:
        wait_for(lambda: recorded(bare) == 3, "the first report")
        shown.types(CTRL_C)
        text = shown.ends()
    assert "SIGINT went on to the command; Ctrl+C kills it" in text
    assert "interrupted at 3 of 20 units: SIGINT; run the same command to go on" in text
    assert bare.names(KEY)[-1] == "Interrupted"


def test_elsewhere_nothing_is_told_of_a_short_export_but_its_end(bare: Cli) -> None:
    (told,) = exported(bare, COUNTS, *COUNTED).err.splitlines()
    assert re.fullmatch(KEY + r": complete, 20 of 20 units; .* \(\d+\.\d s\)", told)
