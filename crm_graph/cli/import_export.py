"""`crm-graph import` and `crm-graph export`: CSV files, from the command line."""

import csv
import io
import os
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import asdict, replace
from pathlib import Path
from typing import Annotated, BinaryIO

import typer
from rich.console import Console
from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeRemainingColumn

from crm_graph.cli.context import with_database
from crm_graph.cli.output import remark, show
from crm_graph.database.engine import Database
from crm_graph.domain.team import owners
from crm_graph.errors import SetupError
from crm_graph.identity.principal import Principal
from crm_graph.import_export import exporter, formula_escaping, importer
from crm_graph.import_export.csv_columns import Columns
from crm_graph.import_export.csv_reader import CsvFile, Line, open_csv
from crm_graph.import_export.exporter import Kind
from crm_graph.import_export.importer import Counts, Report
from crm_graph.models import Role

import_app = typer.Typer(help="Import data from other programs.", no_args_is_help=True)
OwnerEmail = Annotated[
    str | None,
    typer.Option("--owner", help="Act as this owner. Default: the default owner, else the only admin."),
]


@import_app.command("contacts")
def import_contacts(
    file: Annotated[Path, typer.Argument(help="A CSV file with a header.", exists=True, dir_okay=False)],
    owner: OwnerEmail = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Report what would change, and change nothing.")] = False,
    restore_deleted: Annotated[
        bool, typer.Option("--restore-deleted", help="Restore deleted contacts. Default: their lines fail.")
    ] = False,
    mapping: Annotated[
        list[str] | None,
        typer.Option(
            metavar="COLUMN=FIELD",
            help="Which field a column is: email, fullName, ...; `variable` for a lead variable; COLUMN= to skip it.",
        ),
    ] = None,
    encoding: Annotated[
        str | None, typer.Option(help="Such as windows-1254. Default: UTF-8, or what the file looks like.")
    ] = None,
    errors: Annotated[
        Path | None, typer.Option(help="Write the lines that failed to this CSV file. Default: stderr.")
    ] = None,
) -> None:
    """Create or update contacts by e-mail address. Unrecognised columns become lead variables.

    Empty cells change nothing. Failed lines are reported and the others imported; the exit code is then 1.
    """
    fields = dict(_pair(text) for text in mapping or [])
    if errors is not None and errors.exists() and errors.samefile(file):
        raise SetupError(f"--errors would overwrite {file}, the file to import: name another one")
    with ExitStack() as stack:
        csv_file = stack.enter_context(open_csv(file, encoding))
        if csv_file.remark:
            remark(csv_file.remark)
        columns = Columns(csv_file.header, fields)
        console = Console(stderr=True)
        report = _to_console(console) if errors is None else stack.enter_context(_to_file(errors))
        if console.is_terminal:
            csv_file = stack.enter_context(_with_progress(csv_file, file.stat().st_size, console))

        async def work(database: Database) -> Counts:
            principal = await _principal(database, owner, "import")
            how = {"restore_deleted": restore_deleted, "dry_run": dry_run}
            return await importer.import_contacts(database, principal, csv_file, columns, report=report, **how)

        counts = with_database(work)
    by_effect = asdict(counts)
    show(tuple(by_effect), [tuple(map(str, by_effect.values()))])
    if dry_run:
        remark("dry run: nothing was changed")
    if counts.failed:
        raise SystemExit(1)


def export(
    kind: Annotated[Kind, typer.Argument(help="What to export.")],
    owner: OwnerEmail = None,
    output: Annotated[
        Path | None, typer.Option("--output", "-o", help="The file to write. Default: stdout.", dir_okay=False)
    ] = None,
    bom: Annotated[bool, typer.Option("--bom", help="Start with a byte order mark, for Excel.")] = False,
) -> None:
    """Write the rows that an owner may see as CSV. Text that a spreadsheet would run as a formula is escaped."""
    with _atomic_output(output) as target:

        async def work(database: Database) -> None:
            principal = await _principal(database, owner, "export")
            async for part in exporter.pages(database, principal, kind, bom=bom):
                target.write(part)

        with_database(work)


async def _principal(database: Database, owner: str | None, source: str) -> Principal:
    async with database.transaction() as transaction:
        acting = await owners.get_acting(transaction, owner)
    if owner is None:
        remark(f"on behalf of {acting.email} ({acting.role}); --owner names another")
    return Principal(acting.id, Role(acting.role), source)


def _pair(text: str) -> tuple[str, str]:
    column, is_pair, field = text.rpartition("=")
    if not is_pair or not column.strip():
        raise SetupError(f"--mapping {text!r} is not COLUMN=FIELD")
    return column.strip(), field.strip()


def _to_console(console: Console) -> Report:
    def report(line: int, reason: str) -> None:
        console.print(f"line {line}: {reason}", markup=False, highlight=False, soft_wrap=True)

    return report


@contextmanager
def _to_file(path: Path) -> Iterator[Report]:
    with _writable(path) as raw, io.TextIOWrapper(raw, "utf-8", newline="", line_buffering=True) as file:
        writer = csv.writer(file)
        writer.writerow(["line", "reason"])

        def report(line: int, reason: str) -> None:
            writer.writerow([line, formula_escaping.escape(reason)])

        yield report


@contextmanager
def _with_progress(csv_file: CsvFile, size: int, console: Console) -> Iterator[CsvFile]:
    """The file, with a progress bar on the terminal while it is read."""
    columns = TextColumn("importing"), BarColumn(), TaskProgressColumn(), TimeRemainingColumn()
    with Progress(*columns, console=console) as progress:
        task = progress.add_task("importing", total=size)

        def lines() -> Iterator[Line]:
            for line in csv_file.lines:
                progress.update(task, completed=csv_file.position())
                yield line

        yield replace(csv_file, lines=lines())


@contextmanager
def _atomic_output(path: Path | None) -> Iterator[BinaryIO]:
    """A file that appears only when it is complete; without a path, stdout."""
    if path is None:
        try:
            yield sys.stdout.buffer
            sys.stdout.buffer.flush()
        except BrokenPipeError:  # the reader closed the pipe, as `head` does
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            raise SystemExit(1) from None
        return
    beside = path.with_name(f".{path.name}.part")
    try:
        with _writable(beside) as file:
            yield file
        os.replace(beside, path)
    finally:
        beside.unlink(missing_ok=True)


def _writable(path: Path) -> BinaryIO:
    try:
        return path.open("wb")
    except OSError as error:
        raise SetupError(f"can't write {path}: {error.strerror}") from None
