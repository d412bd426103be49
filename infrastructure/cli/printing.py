"""What commands print to standard output: tables, lines and documents, which look the same everywhere."""

from __future__ import annotations

import json

import click

from resumelog.infrastructure.printable import printable

PIPE_COLUMNS = 250
_PRINTED_JSON = "resumelog.printed_json"


def print_table(header: tuple[str, ...], rows: list[tuple[str, ...]]) -> None:
    """Print rows below a header, on a terminal in its width; cells may be anybody's text."""
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    console = Console(highlight=False)
    if not console.is_terminal:
        console.width = PIPE_COLUMNS
    table = Table(*header, box=None, pad_edge=False, header_style="bold")
    for row in rows:
        table.add_row(*(Text(printable(cell), overflow="fold") for cell in row))
    with console.capture() as captured:
        console.print(table)
    for line in captured.get().splitlines():
        click.echo(line.rstrip())


def print_lines(lines: list[str]) -> None:
    """Print lines, in which nothing steers the terminal."""
    for line in lines:
        click.echo(printable(line))


def print_json(document: object, indent: int | None = 2) -> None:
    """Print the one document for programs."""
    if context := click.get_current_context(silent=True):
        context.meta[_PRINTED_JSON] = True
    click.echo(json.dumps(document, ensure_ascii=False, indent=indent))


def has_printed_json() -> bool:
    """Tell whether this command has printed its document, or tried to."""
    return _PRINTED_JSON in click.get_current_context().meta
