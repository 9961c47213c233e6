"""The command line: `crm-graph --help`. Every command works with a running server and without one."""

import errno
import json
import os
import signal
import sys
import uuid
from collections.abc import Sequence
from datetime import datetime
from importlib import metadata
from pathlib import Path
from types import FrameType
from typing import Annotated, NoReturn

import httpx
import psycopg
import typer
from psycopg.errors import ReadOnlySqlTransaction
from sqlalchemy.exc import DBAPIError

from crm_graph.cli import demo as demonstration
from crm_graph.cli import import_export, sample_webhooks, tokens, webhooks
from crm_graph.cli import owners as owner_commands
from crm_graph.cli import settings as settings_command
from crm_graph.cli.context import ONE_OR_MANY, load_settings, moment, read_settings, server_settings, with_database
from crm_graph.cli.output import remark, show
from crm_graph.database import migrations
from crm_graph.database.engine import FOR_OPERATORS, Database, reason, sqlstate
from crm_graph.delivery import schemas
from crm_graph.errors import CrmError, NotFound, SettingsError, SetupError
from crm_graph.graphql.transport.schema import build_schema
from crm_graph.models import WebhookStatus
from crm_graph.server import databases
from crm_graph.server import serve as runtime
from crm_graph.telemetry import logs
from crm_graph.values import utc_now
from webhooks import inbox

app = typer.Typer(
    name="crm-graph",
    help="The CRM between Instantly, Cal.com and n8n: signed webhooks in, one GraphQL API.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
app.add_typer(owner_commands.app, name="owner")
app.add_typer(tokens.app, name="token")
app.add_typer(webhooks.app, name="endpoints")
app.add_typer(webhooks.deliveries_app, name="deliveries")
app.add_typer(import_export.import_app, name="import")
app.command("export")(import_export.export)
app.command("settings")(settings_command.show_settings)
REPLAY_MAX = 10_000
NO_SPACE = "no space left where the output is written"


def main() -> NoReturn:
    """Run a command; a failure is one line on stderr and exit code 1, or 2 for wrong usage.

    When the reader of stdout has closed it (`| head`), the command ends silently with exit code 1.
    """
    runtime.stop_on_sigterm()
    if signal.getsignal(signal.SIGINT) is signal.default_int_handler:  # not when the parent process ignores it
        signal.signal(signal.SIGINT, _interrupted)
    logs.configure("error")  # commands print their warnings; `serve` sets its own level
    try:
        code = app(standalone_mode=False)
    except SettingsError as error:
        code = max(map(_failed, error.problems))
    except (SetupError, CrmError) as error:
        refused = sqlstate(error.__cause__) in FOR_OPERATORS
        code = _failed(f"{error}: {reason(error.__cause__)}" if refused else str(error))
    except (DBAPIError, psycopg.Error) as error:
        code = _failed(f"the database refused: {reason(error)}{_hint(error)}")
    except OSError as error:
        if error.errno != errno.ENOSPC:
            raise
        code = _failed(NO_SPACE)
    except typer.TyperException as error:  # wrong usage; without a message, typer has shown the help
        code = _failed(error.format_message(), error.exit_code)
    except KeyboardInterrupt:
        code = 130
    finally:
        problem = _flush_stdout()
    if problem and code == 0:
        _failed(problem)
    raise SystemExit(code if problem is None else 1)


def _flush_stdout() -> str | None:
    """Write out what is buffered. Returns why that failed: "" when nobody reads it any more, which is no news."""
    try:
        sys.stdout.flush()
    except OSError as error:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # so that the flush at Python's end succeeds
        return NO_SPACE if error.errno == errno.ENOSPC else ""
    return None


def _hint(error: DBAPIError | psycopg.Error) -> str:
    """What to do about what PostgreSQL refused."""
    return {
        ReadOnlySqlTransaction.sqlstate: ": it is a replica, or default_transaction_read_only is on",
    }.get(sqlstate(error) or "", "")


def _interrupted(_signal: int, _frame: FrameType | None) -> NoReturn:
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # another one would only interrupt the shutdown
    raise KeyboardInterrupt


def _failed(message: str, code: int = 1) -> int:
    if message:
        remark(message)
    return code


def _print_version(is_asked: bool) -> None:
    if is_asked:
        print(f"crm-graph {metadata.version('crm-graph')}")
        raise typer.Exit


@app.callback()
def _root(
    _version: Annotated[
        bool, typer.Option("--version", callback=_print_version, is_eager=True, help="Print the version and exit.")
    ] = False,
) -> None:
    pass


@app.command()
def serve(
    host: Annotated[str | None, typer.Option(help="Address to listen on. Default: HOST.")] = None,
    port: Annotated[int | None, typer.Option(min=1, max=65535, help="Port. Default: PORT.")] = None,
    workers: Annotated[int, typer.Option(min=1, max=64, help="Number of processes that share the port.")] = 1,
) -> None:
    """Serve GraphQL and the webhook endpoints, and deliver events, until SIGTERM or Ctrl-C."""
    overrides = {name: value for name, value in (("host", host), ("port", port)) if value is not None}
    settings = server_settings(**overrides)
    logs.configure(settings.log_level, settings.log_form())
    runtime.serve(settings, workers)


@app.command()
def worker() -> None:
    """Deliver events until SIGTERM or Ctrl-C: for servers with WORKER_INSIDE=false, or in addition to them."""
    settings = server_settings()
    logs.configure(settings.log_level, settings.log_form())
    runtime.work(settings)


@app.command()
def migrate() -> None:
    """Upgrade the database to the schema that this version needs, and repair its roles and their rights.

    Reports secrets that `serve` would refuse.
    """
    settings = read_settings()
    for problem in settings.secret_problems():
        remark(problem)
    url = settings.migration_url()
    if url is None:
        with databases.postgres(settings, may_create=True) as urls:
            done = migrations.repair_rights(urls.migration)
        print("; ".join([f"the embedded database in {settings.crm_data_dir} has schema {migrations.head()}", *done]))
        return
    before, after = migrations.migrate(url)
    done = migrations.repair_rights(url)
    if before != after:
        done = [f"schema {before or 'none'} -> {after}", *done]
    print("; ".join(done) if done else f"schema {after}, nothing to do")


@app.command()
def demo() -> None:
    """Set up a small team, post signed sample webhooks, show what they changed, and serve until Ctrl-C."""
    demonstration.run(server_settings(crm_env="development"))


@app.command()
def send(
    provider: Annotated[str, typer.Argument(help="instantly or calcom.")],
    fixture: Annotated[str | None, typer.Argument(help="A sample event; leave it out to list the samples.")] = None,
    file: Annotated[
        Path | None, typer.Option(help="A file with your own payload.", exists=True, dir_okay=False)
    ] = None,
    url: Annotated[str | None, typer.Option(help="The server. Default: PUBLIC_URL, else HOST and PORT.")] = None,
) -> None:
    """Sign a payload as its provider does, and post it to a running server."""
    if file and fixture:
        raise SetupError(f"give either the name of a sample ({fixture}), or --file")
    settings = load_settings()
    body = file.read_bytes() if file else sample_webhooks.fixture(provider, fixture)
    answer = sample_webhooks.post(sample_webhooks.signed_request(settings, provider, body, url))
    print(json.dumps(sample_webhooks.summary(answer), ensure_ascii=False))
    if answer.status_code == httpx.codes.UNAUTHORIZED:
        remark("the server uses another secret: set CRM_DATA_DIR or the provider's secret as it does")
    if answer.is_error and answer.status_code != httpx.codes.CONFLICT:
        raise SystemExit(1)


@app.command()
def replay(
    webhook_id: Annotated[uuid.UUID | None, typer.Argument(help="The id of one stored event.")] = None,
    status: Annotated[WebhookStatus | None, typer.Option(help="All events with this status; needs --since.")] = None,
    since: Annotated[
        datetime | None,
        typer.Option(parser=moment, metavar="TIME", help="Received at or after this time; UTC, or with an offset."),
    ] = None,
) -> None:
    """Apply stored events again; events that were applied are left unchanged."""
    if (webhook_id is not None, status is not None, since is not None) not in ONE_OR_MANY:
        raise SetupError("give either one WEBHOOK_ID and no options, or --status and --since")
    settings = load_settings()

    async def work(database: Database) -> Sequence[inbox.EventResult]:
        now = utc_now()
        if status is not None and since is not None:
            return await inbox.replay_since(database, settings, status, since, now, REPLAY_MAX)
        assert webhook_id is not None
        try:
            return [await inbox.replay(database, settings, webhook_id, now)]
        except NotFound as error:
            raise NotFound(f"{error.message}: {webhook_id}", field=error.field) from None

    results = with_database(work, settings)
    show(("webhook", "status", "reason"), [(str(o.webhook_id), o.status.value, o.reason or "") for o in results])


@app.command()
def schema(
    events: Annotated[bool, typer.Option("--events", help="Print the JSON Schema of outgoing events.")] = False,
) -> None:
    """Print the GraphQL schema (SDL), or with --events the JSON Schema of outgoing events."""
    print(json.dumps(schemas.document(), indent=2) if events else build_schema().as_str())
