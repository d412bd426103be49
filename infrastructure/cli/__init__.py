"""The command line. Modules here import nothing heavy until a command runs: --version is instant."""

from __future__ import annotations

from importlib import import_module
from itertools import takewhile
from keyword import iskeyword
from typing import Any

import click

import resumelog

_COMMANDS = {
    "run": "running",
    "retry": "redoing",
    "regenerate": "redoing",
    "export": "exporting",
    "pause": "controlling",
    "resume": "controlling",
    "stop": "controlling",
    "serve": "serving",
    "pilot": "pilot",
    "jobs": "reading",
    "show": "reading",
    "log": "reading",
    "import": "importing",
    "export-progress": "scene_exporting",
    "verify": "auditing",
    "seal": "auditing",
    "clean": "cleaning",
    "completion": "completion",
}

_CLICKS_OWN = (click.ClickException, click.exceptions.Exit)

EPILOG = """\b
Examples:
  resumelog run shots.jsonl --project reel --stage video \\
      --artifact 'out/{id}.mp4' -- ffmpeg -i '{source}' '{artifact}'
  resumelog export reel.mp4 --total 20 -- ./render.sh '{output}'
  resumelog jobs
  resumelog show reel/video

\b
Exit codes: 0 done; 1 some scenes or the command failed, or it could not be done;
2 wrong usage or input; 3 interrupted, paused or stopped; 4 done, but not all of it is on disk.
"""


class _Commands(click.Group):
    """Commands that are imported when they are asked for, and errors as one line each."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        del ctx
        return list(_COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        del ctx
        if cmd_name not in _COMMANDS:
            return None
        module = import_module(f"resumelog.infrastructure.cli.{_COMMANDS[cmd_name]}")
        name = f"{cmd_name}_" if iskeyword(cmd_name) else cmd_name.replace("-", "_")
        command: click.Command = getattr(module, name)
        return command

    def invoke(self, ctx: click.Context) -> Any:
        wants_json = "--json" in takewhile("--".__ne__, ctx.args)
        try:
            return super().invoke(ctx)
        except BrokenPipeError:
            raise  # whoever read has gone; click ends without a word
        except BaseException as error:
            if wants_json:
                from resumelog.infrastructure.cli.error_document import print_error

                print_error(error)
            if isinstance(error, KeyboardInterrupt):
                ctx.exit(3)
            if not isinstance(error, Exception) or isinstance(error, _CLICKS_OWN):
                raise
            from resumelog.infrastructure.cli.outcomes import refusal

            raise refusal(error) from error


@click.group(cls=_Commands, epilog=EPILOG, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(resumelog.__version__, prog_name="resumelog")
def main() -> None:
    """Keep the progress of long-running jobs as events, and go on after any crash."""
