"""GET /export/contacts.csv and /export/deals.csv: the rows that the caller may see, streamed as a file."""

import logging
from collections.abc import AsyncIterator

from fastapi import APIRouter, Request
from fastapi.responses import StreamingResponse

from crm_graph.database.engine import Database
from crm_graph.errors import BadRequest
from crm_graph.identity.authenticator import Authenticator
from crm_graph.import_export import exporter
from crm_graph.import_export.exporter import Kind
from crm_graph.values import utc_now
from crm_graph.web.requests import authorization

log = logging.getLogger(__name__)


def create_router(database: Database, authenticator: Authenticator) -> APIRouter:
    """The endpoints. `?bom=1` is for Excel, which misreads UTF-8 without a byte order mark."""
    router = APIRouter(prefix="/export")

    async def download(request: Request, kind: Kind) -> StreamingResponse:
        principal = await authenticator.principal(authorization(request))
        parts = exporter.pages(database, principal, kind, bom=_bom(request))
        first = await anext(parts)  # before the response starts, so that a failure gets its own status
        headers = {
            "Content-Disposition": f'attachment; filename="{kind}-{utc_now():%Y-%m-%d}.csv"',
            "Cache-Control": "no-store",
            "X-Content-Type-Options": "nosniff",
        }
        stream = _streamed(first, parts, request.state.request_id)
        return StreamingResponse(stream, headers=headers, media_type="text/csv; charset=utf-8; header=present")

    @router.get("/contacts.csv")
    async def contacts(request: Request) -> StreamingResponse:
        """The contacts."""
        return await download(request, Kind.CONTACTS)

    @router.get("/deals.csv")
    async def deals(request: Request) -> StreamingResponse:
        """The deals."""
        return await download(request, Kind.DEALS)

    return router


def _bom(request: Request) -> bool:
    parameters = dict(request.query_params)
    if parameters.keys() - {"bom"} or parameters.get("bom", "1") not in ("0", "1"):
        raise BadRequest("the only parameter is bom, 0 or 1")
    return parameters.get("bom") == "1"


async def _streamed(first: bytes, others: AsyncIterator[bytes], request_id: str) -> AsyncIterator[bytes]:
    """The file. A failure breaks the connection, because a file that just ended early would look complete."""
    try:
        yield first
        async for part in others:
            yield part
    except Exception as error:
        log.error("export aborted", exc_info=error, extra={"details": {"request_id": request_id}})
        raise
