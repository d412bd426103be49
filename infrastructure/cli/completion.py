"""Shell completion."""

from __future__ import annotations

import click
from click.shell_completion import get_completion_class


@click.command()
@click.argument("shell", type=click.Choice(["bash", "zsh", "fish"]))
@click.pass_context
def completion(ctx: click.Context, shell: str) -> None:
    """Print the completion script for a shell.

    \b
    Examples:
      eval "$(resumelog completion bash)"
      resumelog completion fish > ~/.config/fish/completions/resumelog.fish
    """
    complete = get_completion_class(shell)
    assert complete is not None, shell
    root = ctx.find_root().command
    click.echo(complete(root, {}, "resumelog", "_RESUMELOG_COMPLETE").source())
