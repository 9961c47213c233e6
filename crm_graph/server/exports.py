"""GET /export/contacts.csv and /export/deals.csv: the rows that the caller may see, streamed as a file."""

import logging
from collections.abc import AsyncIterator

from fastapi import APIRouter, Request
from fastapi.responses import StreamingResponse

from crm_graph.database.engine import Database
from crm_graph.errors import BadRequest
from crm_graph.identity.authenticator import Authenticator
from crm_graph.identity.principal import Principal
from crm_graph.import_export import exporter
from crm_graph.import_export.exporter import Kind
from crm_graph.values import utc_now
from crm_graph.web.fair_queue import FairQueue
from crm_graph.web.pacing import mark_known
from crm_graph.web.requests import authorization

log = logging.getLogger(__name__)


PAGE_WAIT_SECONDS = 60.0  # for a slot in the middle of a file, which can't be refused any more


def create_router(database: Database, authenticator: Authenticator, shares: FairQueue) -> APIRouter:
    """The endpoints. Each page of a file is read in a slot of its owner's.

    `?bom=1` is for Excel, which misreads UTF-8 without a byte order mark.
    """
    router = APIRouter(prefix="/export")

    async def download(request: Request, kind: Kind) -> StreamingResponse:
        principal = await authenticator.principal(authorization(request))
        mark_known(request)
        parts = exporter.pages(database, principal, kind, bom=_bom(request))
        async with shares.slot(principal.owner_id):
            first = await anext(parts)  # before the response starts, so that a failure gets its own status
        headers = {
            "Content-Disposition": f'attachment; filename="{kind}-{utc_now():%Y-%m-%d}.csv"',
            "Cache-Control": "no-store",
            "X-Content-Type-Options": "nosniff",
        }
        others = _in_slots(parts, shares, principal)
        stream = _streamed(first, others, request.state.request_id)
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


async def _in_slots(parts: AsyncIterator[bytes], shares: FairQueue, principal: Principal) -> AsyncIterator[bytes]:
    """The other parts. A slot is held while a page is read, not while the client takes it."""
    while True:
        async with shares.slot(principal.owner_id, wait=PAGE_WAIT_SECONDS):
            part = await anext(parts, None)
        if part is None:
            return
        yield part


async def _streamed(first: bytes, others: AsyncIterator[bytes], request_id: str) -> AsyncIterator[bytes]:
    """The file. A failure breaks the connection, because a file that just ended early would look complete."""
    try:
        yield first
        async for part in others:
            yield part
    except Exception as error:
        log.error("export aborted", exc_info=error, extra={"details": {"request_id": request_id}})
        raise
