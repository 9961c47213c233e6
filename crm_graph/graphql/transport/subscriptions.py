"""Subscriptions while they run: how many may be open, and the result that each change makes.

The caller is authenticated again for every result and, while nothing happens, every few seconds: an expired token, a
deactivated owner or another role take effect within seconds.
"""

import asyncio
import uuid
from collections import Counter
from collections.abc import AsyncGenerator, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from time import monotonic
from typing import TypeAlias

from graphql import VariableValues, get_argument_values, get_variable_values

from crm_graph.database.engine import Database
from crm_graph.errors import BadRequest, LimitReached, QueryTooComplex, Unavailable
from crm_graph.graphql.engine.compiler import Compiler
from crm_graph.graphql.engine.documents import InvalidDocument, Operation
from crm_graph.graphql.engine.library_internals import FieldSet
from crm_graph.graphql.engine.messages import RequestParameters, ResponseBody, parse_request, response_body
from crm_graph.graphql.engine.plans import PlanInputs
from crm_graph.graphql.engine.selected_field import name_of
from crm_graph.graphql.execution.reads import Reads
from crm_graph.graphql.schema.subscriptions import kind_of
from crm_graph.graphql.transport.changes import FEED_MAX, ChangeFeed, ChangeListener, RowChange
from crm_graph.identity.access import may_see_change
from crm_graph.identity.authenticator import Authenticator
from crm_graph.identity.principal import Principal
from crm_graph.models import Role
from crm_graph.values import utc_now
from crm_graph.web.fair_queue import FairQueue

RETRY_SECONDS = 1.0
_ANYONE = Principal(None, Role.READONLY)

Results: TypeAlias = AsyncGenerator[ResponseBody | None, None]


@dataclass(frozen=True, slots=True)
class Limits:
    """How much may be open at once, and for how many seconds."""

    connections: int = 1_000  # WebSockets and streams of a process
    owner_connections: int = 20  # of them, those of one owner
    unknown_connections: int = 50  # of them, WebSockets of one client that have not said who they are
    subscriptions: int = 20  # of a WebSocket
    tokens: int = 500  # of a subscription's document, which is kept while it runs
    feed: int = FEED_MAX
    init: float = 10  # from opening a WebSocket to connection_init
    idle: float = 120  # a WebSocket without a subscription
    check: float = 10  # between checks of the caller's access
    keep_alive: float = 15  # of silence in a stream before a comment is sent
    linger: float = 30  # that the process keeps listening for changes after its last subscription
    send: float = 30  # for a client to take what a stream sends


LIMITS = Limits()


@dataclass(frozen=True, slots=True)
class _Subscription:
    """A subscription: its operation, its one field, and the rows that it watches."""

    operation: Operation
    sent_variables: Mapping[str, object]
    variables: VariableValues
    key: str
    fields: FieldSet
    kind: str
    pipeline_id: uuid.UUID | None


class Subscriptions:
    """The subscriptions of this process."""

    def __init__(
        self,
        database: Database,
        authenticator: Authenticator,
        reads: Reads,
        shares: FairQueue,
        limits: Limits,
        *,
        is_development: bool,
    ) -> None:
        self.limits, self._shares = limits, shares
        self._authenticator, self._reads = authenticator, reads
        self._is_development = is_development
        self._changes = ChangeListener(database, limits.linger)
        self._owner_connections: Counter[uuid.UUID | None] = Counter()
        self._unknown_connections: Counter[str] = Counter()
        self._connections = 0

    @contextmanager
    def count_connection(self) -> Iterator[None]:
        """Count a connection until the block ends; raises LimitReached."""
        if self._connections >= self.limits.connections:
            raise LimitReached("this server has too many live connections; try again later")
        self._connections += 1
        try:
            yield
        finally:
            self._connections -= 1

    @contextmanager
    def count_unknown_connection(self, client: str) -> Iterator[None]:
        """Count a WebSocket of a client until the block ends, when its owner is known; raises LimitReached.

        Behind a proxy it is the only limit that keeps one stranger from taking every connection.
        """
        limit = self.limits.unknown_connections
        if self._unknown_connections[client] >= limit:
            raise LimitReached(f"{limit} WebSockets of {client} wait for connection_init; try again later")
        self._unknown_connections[client] += 1
        try:
            yield
        finally:
            self._unknown_connections[client] -= 1
            self._unknown_connections += Counter()  # drops clients without any

    @contextmanager
    def count_owner_connection(self, principal: Principal) -> Iterator[None]:
        """Count a connection of its owner until the block ends; raises LimitReached."""
        owner, limit = principal.owner_id, self.limits.owner_connections
        if self._owner_connections[owner] >= limit:
            raise LimitReached(f"you already have {limit} live connections; close one")
        self._owner_connections[owner] += 1
        try:
            yield
        finally:
            self._owner_connections[owner] -= 1
            self._owner_connections += Counter()  # drops owners without any

    async def principal(self, authorization: list[str]) -> Principal:
        """The caller; raises Unauthenticated, Unavailable."""
        return await self._authenticator.principal(authorization)

    def seconds_left(self, authorization: list[str]) -> float:
        """How long the caller's token is still valid; raises Unauthenticated."""
        return self._authenticator.seconds_left(authorization)

    async def check_access(self, authorization: list[str]) -> None:
        """Raises Unauthenticated when the token has expired or its owner was deactivated."""
        with suppress(Unavailable):  # while the database is down, callers stay connected
            await self._authenticator.principal(authorization)

    async def results(
        self, body: object, authorization: list[str], request_id: str, *, tick: float | None = None
    ) -> Results:
        """The results of a subscription, without end; None after each `tick` seconds of silence.

        Raises Unauthenticated as soon as the caller's token is not valid any more; InvalidDocument, BadRequest or
        ValidationFailed for a request that can't be subscribed to; LimitReached when it waited too long for a slot.
        """
        principal = await self.principal(authorization)
        async with self._shares.slot(principal.owner_id):
            subscription = await self._parse(principal, parse_request(body))
        feed = ChangeFeed(subscription.kind, subscription.pipeline_id, self.limits.feed)
        checked_at = monotonic()
        async with self._changes.subscribe(feed):
            while True:
                try:
                    async with asyncio.timeout(tick):
                        change = await feed.next()
                except TimeoutError:
                    if monotonic() - checked_at > self.limits.check:
                        await self.check_access(authorization)
                        checked_at = monotonic()
                    yield None
                    continue
                try:
                    result = await self._result(subscription, change, authorization, request_id)
                except (Unavailable, LimitReached):
                    feed.mark_missed()
                    await asyncio.sleep(RETRY_SECONDS)
                    continue
                if result is not None:
                    yield result

    async def _parse(self, principal: Principal, request: RequestParameters) -> _Subscription:
        operation = await self._reads.operation(principal, request)
        if not operation.is_subscription:
            raise BadRequest("only subscriptions run here; send queries and mutations by POST to /graphql")
        if (tokens := operation.document.token_count) > self.limits.tokens:
            raise QueryTooComplex(f"the subscription has {tokens} tokens; the limit is {self.limits.tokens}")
        definitions = operation.node.variable_definitions or ()
        variables = get_variable_values(operation.schema, definitions, dict(request.variables))
        if isinstance(variables, list):
            raise InvalidDocument(*variables)
        # Roles and owners shape what is below the field, not which field it is.
        root_fields = Compiler(operation, _ANYONE, variables).root_fields()
        if not root_fields:
            raise BadRequest("@skip or @include leaves the subscription without a field")
        [(key, fields)] = root_fields
        field = operation.root_type.fields[name_of(fields)]
        arguments = get_argument_values(field, fields[0].node, variables)
        return _Subscription(
            operation, request.variables, variables, key, fields, kind_of(field), arguments.get("pipelineId")
        )

    async def _result(
        self, subscription: _Subscription, change: RowChange | None, authorization: list[str], request_id: str
    ) -> ResponseBody | None:
        """The result for a change (None: changes may be missing); None when the caller may not see the change."""
        principal = await self.principal(authorization)
        if change is not None and change.owners and not may_see_change(principal, change.owners):
            return None
        id_, kind = (None if change is None else change.id), subscription.kind
        payload = {kind: id_, f"{kind}_id": id_, "refetch": change is None}
        inputs = PlanInputs(principal, utc_now(), subscription.variables, payload)
        operation, key = subscription.operation, subscription.key
        async with self._shares.slot(principal.owner_id):
            is_visible, tree = await self._reads.change(operation, inputs, key, subscription.fields, kind)
        if change is not None and not change.owners and not is_visible:
            return None
        variables = subscription.sent_variables
        result = await operation.execute(variables, is_development=self._is_development, root={key: tree})
        body, _ = response_body(result, request_id)
        return body
