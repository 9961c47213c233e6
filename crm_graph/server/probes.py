"""The probes: whether the process runs, and whether it can do its work."""

from fastapi import APIRouter
from fastapi.responses import JSONResponse, Response

from crm_graph.database import migrations
from crm_graph.database.engine import Database
from crm_graph.delivery import pause
from crm_graph.server.databases import schema_version


def create_router(checks: Database) -> APIRouter:
    """The endpoints. `checks` has connections that no request takes."""
    router = APIRouter()

    @router.get("/healthz")
    async def healthz() -> dict[str, str]:
        """Succeeds while the process runs."""
        return {"status": "ok"}

    @router.get("/readyz")
    async def readyz() -> Response:
        """Succeeds if the database answers and has the schema that this code needs; warns of paused deliveries."""
        present, needed = await schema_version(checks), migrations.head()
        body = {"schema": present, "needed": needed}
        if present != needed:
            return JSONResponse({"status": "schema_mismatch", **body}, 503)
        async with checks.transaction() as transaction:
            paused = await pause.find_reason(transaction)
        warnings = [f"deliveries are paused: {paused}"] if paused else []
        return JSONResponse({"status": "ok", **body, "warnings": warnings})

    return router
