"""Subscriptions while they run: who may have how many, and what is told of each change.

Whoever holds a connection open is authenticated anew for everything that is sent: a token that has expired, an owner
who was deactivated or has another role now, are known within seconds.
"""

import asyncio
import uuid
from collections import Counter
from collections.abc import AsyncGenerator, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from time import monotonic
from typing import Any

from graphql import VariableValues, get_argument_values, get_variable_values

from crm_graph.database.engine import Database
from crm_graph.errors import BadRequest, LimitReached, QueryTooComplex, Unavailable
from crm_graph.graphql.engine.compiler import Compiler
from crm_graph.graphql.engine.documents import Documents, InvalidDocument, Operation
from crm_graph.graphql.engine.library_internals import FieldSet
from crm_graph.graphql.engine.messages import body_of, checked
from crm_graph.graphql.engine.plans import PlanInputs
from crm_graph.graphql.engine.selected_field import name_of
from crm_graph.graphql.execution.reads import Reads
from crm_graph.graphql.schema.subscriptions import kind_of
from crm_graph.graphql.transport.changes import FEED_MAX, Change, Changes, Feed
from crm_graph.identity.access import may_see_change
from crm_graph.identity.authenticator import Authenticator
from crm_graph.identity.principal import Principal
from crm_graph.models import Role
from crm_graph.values import utc_now

RETRY_SECONDS = 1.0
NOBODY = Principal(None, Role.READONLY)


@dataclass(frozen=True, slots=True)
class Limits:
    """How much may be open, and for how long (in seconds)."""

    connections: int = 1_000  # sockets and streams of a process
    of_owner: int = 20
    subscriptions: int = 20  # of a socket
    tokens: int = 500  # of a subscription's document, which is kept while it runs
    feed: int = FEED_MAX
    init: float = 10  # until a socket has said who it is
    idle: float = 120  # a socket without a subscription
    check: float = 10  # between looks at whether the caller may still listen
    keep_alive: float = 15  # between comments in a stream in which nothing happens
    linger: float = 30  # of the process's connection for changes, after its last subscription
    send: float = 30  # until whoever takes nothing from a stream is given up


LIMITS = Limits()


@dataclass(frozen=True, slots=True)
class _Watch:
    """A subscription: its one field, and what it is about."""

    operation: Operation
    given: Mapping[str, Any]
    variables: VariableValues
    key: str
    fields: FieldSet
    kind: str
    pipeline_id: uuid.UUID | None


class Live:
    """The subscriptions of this process."""

    def __init__(
        self,
        database: Database,
        authenticator: Authenticator,
        documents: Documents,
        reads: Reads,
        limits: Limits,
        *,
        is_development: bool,
    ) -> None:
        self.limits = limits
        self._authenticator, self._documents, self._reads = authenticator, documents, reads
        self._is_development = is_development
        self._changes = Changes(database, limits.linger)
        self._connections: Counter[uuid.UUID | None] = Counter()
        self._open = 0

    @contextmanager
    def connection(self) -> Iterator[None]:
        """Count a connection until the block ends; raises LimitReached."""
        if self._open >= self.limits.connections:
            raise LimitReached("this server has no room for another live connection; try again later")
        self._open += 1
        try:
            yield
        finally:
            self._open -= 1

    @contextmanager
    def connection_of(self, principal: Principal) -> Iterator[None]:
        """Count a connection as its owner's until the block ends; raises LimitReached."""
        owner, most = principal.owner_id, self.limits.of_owner
        if self._connections[owner] >= most:
            raise LimitReached(f"you have {most} live connections already; close one")
        self._connections[owner] += 1
        try:
            yield
        finally:
            self._connections[owner] -= 1
            self._connections += Counter()  # forgets those who have none

    async def principal(self, authorization: list[str]) -> Principal:
        """Who listens; raises Unauthenticated, Unavailable."""
        return await self._authenticator.principal(authorization)

    def seconds_left(self, authorization: list[str]) -> float:
        """For how long they may listen without another token; raises Unauthenticated."""
        return self._authenticator.seconds_left(authorization)

    async def still_may(self, authorization: list[str]) -> None:
        """Raises Unauthenticated when a token has expired, or its owner was deactivated."""
        with suppress(Unavailable):  # a database that is down is no reason to send everybody away
            await self._authenticator.principal(authorization)

    async def results(
        self, asked: Any, authorization: list[str], request_id: str, *, tick: float | None = None
    ) -> AsyncGenerator[dict[str, Any] | None, None]:
        """What a subscription tells, for ever; None when nothing has happened for `tick` seconds.

        Raises Unauthenticated as soon as the caller's token isn't valid any more, and InvalidDocument, BadRequest or
        ValidationFailed for what can't be subscribed to.
        """
        await self.principal(authorization)
        watch = self._read(checked(asked))
        feed = Feed(watch.kind, watch.pipeline_id, self.limits.feed)
        checked_at = monotonic()
        async with self._changes.feed(feed):
            while True:
                try:
                    async with asyncio.timeout(tick):
                        change = await feed.next()
                except TimeoutError:
                    if monotonic() - checked_at > self.limits.check:
                        await self.still_may(authorization)
                        checked_at = monotonic()
                    yield None
                    continue
                try:
                    result = await self._result(watch, change, authorization, request_id)
                except Unavailable:
                    feed.miss()
                    await asyncio.sleep(RETRY_SECONDS)
                    continue
                if result is not None:
                    yield result

    def _read(self, asked: dict[str, Any]) -> _Watch:
        given = asked.get("variables") or {}
        operation = self._documents.operation(asked["query"], asked.get("operationName"), given)
        if not operation.is_subscription:
            raise BadRequest("only subscriptions are run here; send queries and mutations by POST to /graphql")
        if (tokens := operation.document.token_count) > self.limits.tokens:
            raise QueryTooComplex(f"a subscription may have {self.limits.tokens} tokens, this document has {tokens}")
        variables = get_variable_values(operation.schema, operation.node.variable_definitions or (), given)
        if isinstance(variables, list):
            raise InvalidDocument(*variables)
        # Roles and owners shape what is below the field, not which field it is.
        roots = Compiler(operation, NOBODY, variables).root_fields()
        if not roots:
            raise BadRequest("the subscription's field is left out by @skip or @include")
        [(key, fields)] = roots
        field = operation.root_type.fields[name_of(fields)]
        arguments = get_argument_values(field, fields[0].node, variables)
        return _Watch(operation, given, variables, key, fields, kind_of(field), arguments.get("pipelineId"))

    async def _result(
        self, watch: _Watch, change: Change | None, authorization: list[str], request_id: str
    ) -> dict[str, Any] | None:
        """What is told of a change; None when it is none of the caller's business."""
        principal = await self.principal(authorization)
        if change is not None and change.owners and not may_see_change(principal, change.owners):
            return None
        id_, kind = (None if change is None else change.id), watch.kind
        told = {kind: id_, f"{kind}_id": id_, "refetch": change is None}
        request = PlanInputs(principal, utc_now(), watch.variables, told)
        is_seen, tree = await self._reads.change(watch.operation, request, watch.key, watch.fields, kind)
        if change is not None and not change.owners and not is_seen:
            return None
        result = await watch.operation.run(watch.given, is_development=self._is_development, root={watch.key: tree})
        body, _ = body_of(result, request_id)
        return body
