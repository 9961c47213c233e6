"""What commands print: tables for people, tab-separated lines for machines, and remarks on stderr."""

import sys
from collections.abc import Sequence

import typer
from rich.console import Console
from rich.table import Table


def remark(message: str) -> None:
    """One line on stderr, so that it is in nobody's pipe."""
    typer.echo(f"crm-graph: {message}", err=True)


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
