"""What commands share: the settings, the database, a unit of work on it, and how times are written."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from typing import Any, TypeVar

import typer

from crm_graph.cli.output import remark
from crm_graph.database.engine import Database
from crm_graph.domain.unit_of_work import UnitOfWork
from crm_graph.errors import SettingsError
from crm_graph.identity.principal import machine
from crm_graph.server import databases
from crm_graph.settings import Settings, overview
from crm_graph.values import utc_now

OPERATOR = machine("crm-graph")  # the person at the server's command line, who may do everything
SECONDS = 600  # for one command: one that hands over an owner's work, or deletes years of deliveries
ONE_OR_MANY = ((True, False, False), (False, True, True))  # a replay: an id is given, or both of two options
T = TypeVar("T")


def read_settings(**overrides: Any) -> Settings:
    """The settings, after remarks on what looks wrong in the environment. Raises SettingsError."""
    settings = Settings.load(**overrides)
    for line in [*overview.remarks(Settings.names()), *settings.secret_warnings()]:
        remark(line)
    return settings


def server_settings(**overrides: Any) -> Settings:
    """The settings of a process that serves or delivers. Raises SettingsError, for a weak secret too."""
    settings = read_settings(**overrides)
    if problems := settings.secret_problems():
        raise SettingsError(problems)
    return settings


def load_settings() -> Settings:
    """The settings of a command that works beside a server, or beside a demo. Raises SettingsError."""
    return server_settings().for_data_folder()


def with_database(work: Callable[[Database], Awaitable[T]], settings: Settings | None = None) -> T:
    """Run `work` on the configured database; the embedded one is started when it does not run, but never created."""

    async def run(urls: databases.Urls) -> T:
        async with databases.database(urls) as opened:
            return await work(opened)

    with databases.postgres(settings or load_settings()) as urls:
        return asyncio.run(run(urls))


async def in_unit_of_work(database: Database, act: Callable[[UnitOfWork], Awaitable[T]]) -> T:
    """Run `act` in one transaction, as the operator."""
    async with database.transaction(source=OPERATOR.source, seconds=SECONDS) as transaction:
        return await act(UnitOfWork(transaction, OPERATOR, utc_now()))


def as_operator(act: Callable[[UnitOfWork], Awaitable[T]], settings: Settings | None = None) -> T:
    """Run `act` in one transaction on the configured database, as the operator."""
    return with_database(lambda database: in_unit_of_work(database, act), settings)


def moment(text: str) -> datetime:
    """A time that was typed; without an offset it is in UTC."""
    try:
        found = datetime.fromisoformat(text)
        return found.astimezone(UTC) if found.tzinfo else found.replace(tzinfo=UTC)
    except (ValueError, OverflowError):
        raise typer.BadParameter(f"{text!r} is not a time: write 2026-01-05 or 2026-01-05T09:00:00Z") from None
