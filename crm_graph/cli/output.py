"""What commands print: tables on a terminal, tab-separated lines in a pipe, remarks on stderr."""

import sys
from collections.abc import Sequence
from datetime import UTC, datetime

import typer
from rich.console import Console
from rich.table import Table


def remark(message: str) -> None:
    """One line on stderr, which stays out of pipes."""
    typer.echo(f"crm-graph: {message}", err=True)


def time_text(moment: datetime) -> str:
    """A time in UTC, to the second."""
    return f"{moment.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}"


def show(columns: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    """A table on a terminal; elsewhere one line of tab-separated values for each row."""
    if not rows:
        typer.echo("none", err=True)
    elif sys.stdout.isatty():
        table = Table(*columns)
        for row in rows:
            table.add_row(*row)
        Console().print(table)
    else:
        for row in rows:
            typer.echo("\t".join(row))
