"""A command that can't be started: which of four faults it is, told before anything is written."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
from support.cli import Cli, line, require_one_line, require_refused
from support.exporting import KEY


@pytest.fixture
def cli(bare: Cli) -> Cli:
    """A folder with a script that may not be run, a folder, and scenes."""
    bare.scenes(1)
    bare.write("render.sh", "echo made")
    (bare.folder / "tools").mkdir()
    return bare


@pytest.mark.parametrize(
    ("command", "why"),
    [
        ("./render.sh", r"'\./render\.sh' is not executable; chmod \+x it, or .* sh \./render\.sh"),
        ("render.sh", r"no command 'render\.sh' on the PATH; install it, or name \./render\.sh"),
        ("./tools", r"'\./tools' is a folder, not a command"),
        ("./nowhere", r"there is no command '\./nowhere' \(No such file or directory\); install"),
        ("./render.sh/x", r"there is no command .*\(Not a directory\)"),
        ("nowhere", r"there is no command 'nowhere' on the PATH; install it, or name its path"),
        ("", r"there is no command ''"),
        ("/dev/null", r"'/dev/null' is no file that can be run"),
    ],
)
def test_it_is_told_what_is_wrong_with_it(cli: Cli, command: str, why: str) -> None:
    require_refused(cli, ["export", KEY, "--", command], why)
    require_refused(cli, line(command), why)


def test_a_file_on_the_path_that_is_not_executable_is_named(cli: Cli) -> None:
    (cli.folder / "tools" / "drawn").write_text("echo made")
    there = Cli(cli.folder, PATH=f"{cli.folder / 'tools'}:/usr/bin:/bin")
    why = rf"'{cli.folder}/tools/drawn' is not executable; chmod \+x it"
    require_refused(there, ["export", KEY, "--", "drawn"], why)


def test_a_folder_that_may_not_be_entered_is_told(cli: Cli, bound: Sequence[str]) -> None:
    (cli.folder / "tools").chmod(0)
    ran = cli("export", KEY, "--", "./tools/draw", through=bound)
    (cli.folder / "tools").chmod(0o755)
    require_one_line(ran, r"no permission to look for the command '\./tools/draw'; open its folder")


def test_a_program_of_others_is_told(cli: Cli, bound: Sequence[str]) -> None:
    (cli.folder / "render.sh").chmod(0o011)  # its owner alone may not run it
    ran = cli("export", KEY, "--", "./render.sh", through=bound)
    require_one_line(ran, r"no permission to run '\./render\.sh'; chmod it for this user")
