"""What the command line tells of itself: help, version, completion."""

from __future__ import annotations

import re
import shlex
import shutil
from pathlib import Path

import pytest
from support.children import child, finished
from support.cli import RECORDS, Cli

import resumelog

COMMANDS = [
    "run",
    "retry",
    "regenerate",
    "export",
    "pause",
    "resume",
    "stop",
    "serve",
    "pilot",
    "jobs",
    "show",
    "log",
    "import",
    "export-progress",
    "verify",
    "seal",
    "clean",
    "completion",
]
PILOT = ["config", "pause", "reset", "resume", "start", "status", "step", "stop", "watch"]


@pytest.fixture(scope="module")
def cli(tmp_path_factory: pytest.TempPathFactory) -> Cli:
    """A log with a batch, an export and a run."""
    cli = Cli(tmp_path_factory.mktemp("help"))
    cli.scenes(1)
    assert cli.run(*RECORDS).code == 0
    assert cli("export", "reel.txt", "--", "true").code == 0
    assert cli("pilot", "config", "village", "auto").code == 0
    return cli


def test_the_version_is_told(cli: Cli) -> None:
    assert cli("--version") == (0, f"resumelog, version {resumelog.__version__}\n", "")


def test_the_package_can_be_run(cli: Cli) -> None:
    with child("--version", cwd=cli.folder, module="resumelog") as process:
        version = f"resumelog, version {resumelog.__version__}\n"
        assert finished(process) == (0, version, "")


@pytest.mark.parametrize("command", COMMANDS)
def test_the_help_of_each_command_has_examples(cli: Cli, command: str) -> None:
    code, out, err = cli(command, "--help")
    assert (code, err) == (0, "")
    _, _, examples = out.partition("Examples:\n")
    assert re.search(rf"^ +(ls .*\| |eval .*)?resumelog {command} |resumelog {command}\n", examples)


def test_the_help_names_every_command_and_the_exit_codes(cli: Cli) -> None:
    code, out, _ = cli("--help")
    assert code == 0
    assert (
        re.findall(r"^  ([\w-]+)  ", out.partition("Commands:\n")[2], re.M)[: len(COMMANDS)]
        == COMMANDS
    )
    codes = (
        r"0 done; 1 some .*2 wrong .*3 interrupted, paused or stopped; 4 done, but not all of it is"
    )
    assert re.search(codes, out, re.S)


@pytest.mark.parametrize("verb", PILOT)
def test_the_help_of_each_command_of_a_run_has_examples_that_are_understood(
    cli: Cli, verb: str
) -> None:
    code, out, err = cli("pilot", verb, "--help")
    assert (code, err) == (0, "")
    examples = re.findall(
        r"^ +resumelog (pilot .*?)(?: +#.*)?$", out.partition("Options:")[0], re.M
    )
    assert {words.split()[1] for words in examples} == {verb}
    for words in examples:
        ran = cli(*shlex.split(words), "--help")
        assert (ran.code, ran.err) == (0, "")
    asks = any("--server http://127.0.0.1:5001" in words for words in examples)
    assert asks == (verb != "step")


def test_the_help_of_a_run_names_every_command_and_the_exit_codes(cli: Cli) -> None:
    out = cli("pilot", "--help").out
    assert re.findall(r"^  (\w+)  ", out.partition("Commands:\n")[2], re.M) == PILOT
    assert re.search(r"Exit codes: 0 done; 1 .*; 2 .*; 3 interrupted, paused or stopped", out, re.S)


def test_the_help_of_the_service_names_its_defaults_and_exit_codes(cli: Cli) -> None:
    out = cli("serve", "--help").out
    for told in ("127.0.0.1]", "[default: 5001;", "RESUMELOG_TOKEN", "--pilot FILE"):
        assert told in out
    assert re.search(r"Exit codes: 0 it was asked to end; 1 .*; 2 ", out, re.S)


def test_without_a_command_the_help_is_shown_and_nothing_is_written(cli: Cli) -> None:
    before = cli.files()
    ran = cli()
    assert ran.code == 2
    assert "Usage: resumelog" in ran.out + ran.err
    assert cli.files() == before


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_a_completion_script_can_be_read_by_its_shell(cli: Cli, shell: str) -> None:
    ran = cli("completion", shell)
    assert ran.code == 0
    assert "_RESUMELOG_COMPLETE" in ran.out
    if not (program := shutil.which(shell)):
        pytest.skip(f"there is no {shell} here")
    cli.write("script", ran.out)
    reads = (program, "-n", "script")
    assert (
        cli("--version", through=("sh", "-c", '"$0" "$1" "$2" && shift 2 && "$@"', *reads)).code
        == 0
    )


@pytest.mark.skipif(not shutil.which("bash"), reason="there is no bash here")
def test_bash_completes_after_the_script_was_read(cli: Cli) -> None:
    script = 'eval "$("$0" completion bash)"; complete -p resumelog'
    ran = cli(through=("bash", "-c", script))
    assert (ran.code, ran.err) == (0, "")
    assert re.search(r"-F _resumelog_completion resumelog$", ran.out.strip())


@pytest.mark.skipif(not shutil.which("bash"), reason="there is no bash here")
@pytest.mark.parametrize("command", ["run", "import"])
def test_bash_completes_the_name_of_a_file_for_the_input(cli: Cli, command: str) -> None:
    asks = f'COMP_WORDS=("$0" {command} sce); COMP_CWORD=2; compopt() {{ echo compopt "$@"; }}'
    script = f'eval "$("$0" completion bash)"; {asks}; _resumelog_completion "$0"'
    ran = cli(through=("bash", "-c", script))
    assert (ran.code, ran.out, ran.err) == (0, "compopt -o default\n", "")


@pytest.mark.parametrize(
    ("words", "offered"),
    [
        ("resumelog ", COMMANDS),
        ("resumelog show ", ["village", "reel.txt", "reel/video"]),
        ("resumelog log reel/", ["reel/video"]),
        ("resumelog verify reel/", ["reel/video"]),
        ("resumelog seal ", ["heads"]),
        ("resumelog import x --k", ["--key"]),
        ("resumelog run --ret", ["--retries", "--retry-failed"]),
        ("resumelog run s --project ", ["reel"]),
        ("resumelog run s --project reel --stage v", ["video"]),
        ("resumelog run s --project reel --stage video --only ", ["1"]),
        ("resumelog retry reel/video ", ["1"]),
        ("resumelog retry r", ["reel/video"]),
        ("resumelog pause r", ["reel.txt", "reel/video"]),
        ("resumelog export --on", ["--on-changed-inputs"]),
        ("resumelog export re", ["reel.txt"]),
        ("resumelog completion z", ["zsh"]),
        ("resumelog pilot ", PILOT),
        ("resumelog pilot start vil", ["village"]),
        ("resumelog pilot start village --pi", ["--pilot"]),
        ("resumelog serve --p", ["--port", "--pilot"]),
    ],
)
def test_commands_options_and_jobs_are_offered(cli: Cli, words: str, offered: list[str]) -> None:
    asks = {"COMP_WORDS": words, "COMP_CWORD": str(words.count(" "))}
    shell = Cli(cli.folder, _RESUMELOG_COMPLETE="bash_complete", **asks)
    assert shell().out.split() == [f"plain,{each}" for each in offered]


def test_completion_without_a_log_offers_no_job_and_makes_no_log(tmp_path: Path) -> None:
    asks = {"COMP_WORDS": "resumelog show ", "COMP_CWORD": "2"}
    ran = Cli(tmp_path, _RESUMELOG_COMPLETE="bash_complete", **asks)()
    assert (ran.code, ran.out.strip(), ran.err) == (0, "", "")
    assert list(tmp_path.iterdir()) == []
