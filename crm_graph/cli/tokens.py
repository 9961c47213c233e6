"""`crm-graph token`: issue bearer tokens, list them, revoke them."""

import re
import uuid
from datetime import timedelta
from typing import Annotated

import typer

from crm_graph.cli.context import as_operator, load_settings
from crm_graph.cli.output import remark, show, time_text
from crm_graph.domain.team import owners
from crm_graph.domain.unit_of_work import UnitOfWork
from crm_graph.errors import SetupError
from crm_graph.identity import issued_tokens
from crm_graph.identity.issued_tokens import IssuedToken
from crm_graph.identity.tokens import Tokens

app = typer.Typer(invoke_without_command=True)

Email = Annotated[str | None, typer.Option("--owner", metavar="EMAIL", help="The owner's e-mail address.")]
_DURATION = re.compile(r"([1-9]\d{0,5})([smhd])", re.ASCII)
_UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days"}
NO_ID = "tokens without an id (issued before ids, or made elsewhere) are not in this list; JWT_NOT_BEFORE refuses them"


@app.callback()
def issue(
    context: typer.Context,
    owner: Email = None,
    ttl: Annotated[str, typer.Option(help="How long it is valid: 30m, 1h, 7d; at most 400d.")] = "1h",
    description: Annotated[str | None, typer.Option(help="What it is for, as `token list` shows it.")] = None,
) -> None:
    """Print a bearer token for an owner, and nothing else. `list` and `revoke` manage the tokens that were issued."""
    if context.invoked_subcommand is not None:
        if owner is not None or description is not None:
            raise SetupError(f"write the options after the command: crm-graph token {context.invoked_subcommand} ...")
        return
    if owner is None:
        raise typer.BadParameter("give the owner of the token", param_hint="--owner")
    settings = load_settings()
    tokens, lifetime = Tokens.of(settings), _duration(ttl)

    async def act(work: UnitOfWork) -> str:
        found = await owners.get_by_email(work.transaction, owner)
        if not found.active:
            hint = f"crm-graph owner update --email {found.email} --active"
            raise SetupError(f"{found.email} is inactive, so its tokens are refused: {hint}")
        return await issued_tokens.issue(
            work.transaction, tokens, found.id, lifetime, work.now, description=description
        )

    print(as_operator(act, settings))


@app.command("list")
def list_all(owner: Email = None) -> None:
    """List the tokens that were issued here and have not expired, newest first; with --owner those of one owner."""

    async def act(work: UnitOfWork) -> list[IssuedToken]:
        found = await owners.get_by_email(work.transaction, owner) if owner else None
        return await issued_tokens.list_unexpired(work.transaction, work.now, owner_id=found.id if found else None)

    listed = as_operator(act)
    show(
        ("token", "owner", "issued", "expires", "state", "description"),
        [
            (
                str(token.id),
                token.email,
                time_text(token.issued_at),
                time_text(token.expires_at),
                f"revoked {time_text(token.revoked_at)}" if token.revoked_at else "valid",
                token.description or "",
            )
            for token in listed
        ],
    )
    remark(NO_ID)


@app.command("revoke")
def revoke(
    token: Annotated[uuid.UUID | None, typer.Argument(metavar="ID", help="A token's id, from `token list`.")] = None,
    owner: Annotated[
        str | None, typer.Option(metavar="EMAIL", help="All tokens of this owner that were issued here.")
    ] = None,
) -> None:
    """Refuse a token, or all tokens of an owner, within 3 seconds; this can't be undone."""
    if (token is None) == (owner is None):
        raise SetupError("give either one ID, or --owner")

    async def act(work: UnitOfWork) -> int:
        if owner is not None:
            found = await owners.get_by_email(work.transaction, owner)
            return await issued_tokens.revoke_all(work.transaction, found.id, work.now)
        assert token is not None
        await issued_tokens.revoke(work.transaction, token, work.now)
        return 1

    count = as_operator(act)
    if owner is not None:
        print(f"revoked: {count}")
        remark("tokens without an id stay valid until they expire; JWT_NOT_BEFORE refuses them")


def _duration(text: str) -> timedelta:
    match = _DURATION.fullmatch(text)
    if match is None:
        raise SetupError(f"--ttl {text!r} is not a duration: write 90s, 30m, 1h or 7d")
    return timedelta(**{_UNITS[match[2]]: int(match[1])})
