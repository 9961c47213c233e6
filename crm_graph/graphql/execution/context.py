"""What a resolver knows of its request: the database, the principal, the clock and the operation. Never a session."""

import asyncio
from dataclasses import dataclass, field
from datetime import datetime

from crm_graph.database.engine import Database
from crm_graph.graphql.engine.documents import Operation
from crm_graph.graphql.execution.answer_size import AnswerSize
from crm_graph.graphql.execution.reads import Reads
from crm_graph.identity.principal import Principal
from crm_graph.settings import Settings


@dataclass(frozen=True, slots=True)
class Context:
    """One GraphQL request."""

    database: Database
    reads: Reads
    settings: Settings
    principal: Principal
    now: datetime
    operation: Operation
    idempotency_key: str | None = None  # of the request's header
    # Root fields read one after the other: a request uses one connection at a time.
    one_at_a_time: asyncio.Lock = field(default_factory=asyncio.Lock)
    size: AnswerSize = field(default_factory=AnswerSize)
