"""What the commands share: the settings, a database to work on, and how a time is written."""

import asyncio
import os
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from typing import Any, TypeVar

import typer

from crm_graph.cli.output import remark
from crm_graph.database.engine import Database
from crm_graph.identity.tokens import Tokens
from crm_graph.server import serve
from crm_graph.settings import Settings, env_file_problems

T = TypeVar("T")


def load_settings(**overrides: Any) -> Settings:
    """The settings, after a remark on each line of `.env` that was meant to set something and doesn't."""
    settings = Settings.load(**overrides)
    for problem in env_file_problems():
        remark(problem)
    return settings


def tokens_of(settings: Settings) -> Tokens:
    """What issues tokens that the configured server accepts. Raises SetupError without a JWT_SECRET."""
    return Tokens(settings.jwt_key(), settings.jwt_issuer, settings.jwt_audience)


def with_database(work: Callable[[Database], Awaitable[T]], settings: Settings | None = None) -> T:
    """What `work` returns, done on the configured database, which is started for it if need be."""
    settings = settings or load_settings()
    is_new = settings.server_url() is None and not os.path.exists(settings.crm_data_dir)

    async def run(urls: serve.Urls) -> T:
        async with serve.database(urls) as opened:
            return await work(opened)

    with serve.postgres(settings) as urls:
        if is_new:  # seen here, a DATABASE_URL that was forgotten costs no search
            remark(f"made a new database in {settings.crm_data_dir}")
        return asyncio.run(run(urls))


def moment(text: str) -> datetime:
    """A time without an offset is in UTC."""
    try:
        found = datetime.fromisoformat(text)
        return found.astimezone(UTC) if found.tzinfo else found.replace(tzinfo=UTC)
    except (ValueError, OverflowError):
        raise typer.BadParameter(f"{text!r} is not a time: write 2026-01-05 or 2026-01-05T09:00:00Z") from None
