"""The probes: whether the process runs, and whether it can do its work."""

from typing import NamedTuple

from fastapi import APIRouter
from fastapi.responses import JSONResponse, Response

from crm_graph.database import migrations
from crm_graph.database.engine import RIGHTS_MESSAGE, Database
from crm_graph.database.statements import Query, from_file
from crm_graph.delivery import pause
from crm_graph.server.databases import schema_version


class _Table(NamedTuple):
    name: str


_MISSING_RIGHTS = Query(_Table, from_file("missing_rights.sql"))


def create_router(checks: Database) -> APIRouter:
    """The endpoints. `checks` has connections that no request takes."""
    router = APIRouter()

    @router.get("/healthz")
    async def healthz() -> dict[str, str]:
        """Succeeds while the process runs."""
        return {"status": "ok"}

    @router.get("/readyz")
    async def readyz() -> Response:
        """Succeeds if the database answers and has the schema that this code needs.

        Warns of paused deliveries, and of tables that the server's user may not use.
        """
        present, needed = await schema_version(checks), migrations.head()
        body = {"schema": present, "needed": needed}
        if present != needed:
            return JSONResponse({"status": "schema_mismatch", **body}, 503)
        async with checks.transaction() as transaction:
            refused = [table.name for table in await _MISSING_RIGHTS.rows(transaction)]
            paused = None if "deployment" in refused else await pause.find_reason(transaction)
        warnings = [f"deliveries are paused: {paused}"] if paused else []
        if refused:
            warnings.append(f"{RIGHTS_MESSAGE}: {', '.join(refused)}")
        return JSONResponse({"status": "ok", **body, "warnings": warnings})

    return router
