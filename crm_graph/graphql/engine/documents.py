"""GraphQL documents, read and judged once: parsed, measured by the cost rule, checked by the standard rules, kept."""

from collections.abc import Awaitable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from itertools import count
from typing import Any

from cachetools import LRUCache
from graphql import (
    DocumentNode,
    ExecutionResult,
    FieldNode,
    FragmentSpreadNode,
    GraphQLError,
    GraphQLObjectType,
    GraphQLSchema,
    NoSchemaIntrospectionCustomRule,
    OperationDefinitionNode,
    OperationType,
    VariableNode,
    Visitor,
    execute,
    parse,
    specified_rules,
    validate,
    visit,
)

from crm_graph.errors import BadRequest
from crm_graph.graphql.engine import complexity
from crm_graph.graphql.engine.library_internals import Fragments, fragments_of

CACHE_TOKENS = 50_000  # in all documents of a process; a token costs about a kilobyte
ERRORS_MAX = 10  # each looks for its line in the whole source
_numbers = count()


class InvalidDocument(Exception):
    """The document can't be run; `errors` say why."""

    def __init__(self, *errors: GraphQLError) -> None:
        self.errors = list(errors)
        super().__init__(*errors)


@dataclass(frozen=True, slots=True, eq=False)
class Operation:
    """One operation of a valid document, with a number that plans are kept under."""

    schema: GraphQLSchema
    document: DocumentNode
    node: OperationDefinitionNode
    fragments: Fragments
    number: int = field(default_factory=lambda: next(_numbers))
    _below: dict[str, list[str]] = field(default_factory=dict)

    @property
    def is_query(self) -> bool:
        return self.node.operation is OperationType.QUERY

    @property
    def is_subscription(self) -> bool:
        return self.node.operation is OperationType.SUBSCRIPTION

    @property
    def root_type(self) -> GraphQLObjectType:
        type_ = self.schema.get_root_type(self.node.operation)
        assert type_ is not None
        return type_

    @property
    def size(self) -> int:
        """What a plan of it keeps in memory, in bytes: its SQL, which grows with the tokens, and its document."""
        return 500 * self.document.token_count + 4 * _length(self.document)

    @property
    def variables(self) -> list[str]:
        """The names of its variables; a valid operation uses all of them."""
        return [node.variable.name.value for node in self.node.variable_definitions or ()]

    async def run(
        self, variables: Mapping[str, Any], *, is_development: bool, context: Any = None, root: Any = None
    ) -> ExecutionResult:
        """Run it through graphql-core, which knows how an error is told."""
        result = execute(
            self.schema,
            self.document,
            root,
            context,
            dict(variables),
            self.node.name.value if self.node.name else None,
            hide_suggestions=not is_development,
        )
        return await result if isinstance(result, Awaitable) else result

    def variables_below(self, key: str, fields: Iterable[FieldNode]) -> list[str]:
        """The names of the variables that are used below a root field (`key` is its response key), not by itself."""
        if key not in self._below:
            found = _Variables(self.fragments)
            for node in fields:
                if node.selection_set:
                    visit(node.selection_set, found)
            self._below[key] = sorted(found.names)
        return self._below[key]


@dataclass(frozen=True, slots=True)
class _Known:
    document: DocumentNode
    operations: dict[str | None, Operation]
    depends_on_items: bool  # what it costs


class Documents:
    """The documents that this process has read, by their text."""

    def __init__(self, schema: GraphQLSchema, *, is_development: bool) -> None:
        self._schema, self._is_development = schema, is_development
        self._rules = [*specified_rules, *([] if is_development else [NoSchemaIntrospectionCustomRule])]
        self._known: LRUCache[str, _Known] = LRUCache(
            CACHE_TOKENS, getsizeof=lambda known: known.document.token_count + _length(known.document) // 20
        )

    def operation(self, source: str, name: str | None, variables: Mapping[str, Any]) -> Operation:
        """The operation of a document by name; without one, the only one there is.

        Raises InvalidDocument, also when there is no such operation or no way to choose.
        """
        known = self._known.get(source)
        if known is None:
            known = self._known[source] = self._read(source, variables)
        elif known.depends_on_items:
            self._judge(known.document, variables)
        operations = known.operations
        chosen = operations.get(name) if name is not None else next(iter(operations.values()))
        if chosen is None or (name is None and len(operations) > 1):
            raise _invalid("operationName must name one operation of the document")
        return chosen

    def _read(self, source: str, variables: Mapping[str, Any]) -> _Known:
        try:
            return self._parsed(source, variables)
        except GraphQLError as error:
            raise InvalidDocument(error) from None
        except (ValueError, RecursionError):
            raise _invalid("a number in the document is too long, or the document is nested too deeply") from None

    def _parsed(self, source: str, variables: Mapping[str, Any]) -> _Known:
        document = parse(
            source,
            max_source_length=complexity.CHARACTERS_MAX,
            max_tokens=complexity.TOKENS_MAX,
            allow_empty_selection_sets=False,
        )
        if not any(isinstance(node, OperationDefinitionNode) for node in document.definitions):
            raise _invalid("the document has no operation")
        depends_on_items = self._judge(document, variables)
        errors = validate(self._schema, document, self._rules, ERRORS_MAX, hide_suggestions=not self._is_development)
        if errors:
            raise InvalidDocument(*errors)
        operations = {node.name.value if node.name else None: op for node, op in self._operations(document)}
        return _Known(document, operations, depends_on_items)

    def _judge(self, document: DocumentNode, variables: Mapping[str, Any]) -> bool:
        try:
            return complexity.check(self._schema, document, variables)
        except BadRequest as error:
            raise _invalid(error.message, error) from None

    def _operations(self, document: DocumentNode) -> Iterator[tuple[OperationDefinitionNode, Operation]]:
        fragments = fragments_of(document)
        for node in document.definitions:
            if isinstance(node, OperationDefinitionNode):
                yield node, Operation(self._schema, document, node, fragments)


def _invalid(message: str, error: BadRequest | None = None) -> InvalidDocument:
    return InvalidDocument(GraphQLError(message, original_error=error))


def _length(document: DocumentNode) -> int:
    return len(document.loc.source.body) if document.loc else 0


class _Variables(Visitor):
    def __init__(self, fragments: Fragments) -> None:
        super().__init__()
        self.names: set[str] = set()
        self._fragments, self._seen = fragments, set[str]()

    def enter_variable(self, node: VariableNode, *_args: Any) -> None:
        self.names.add(node.name.value)

    def enter_fragment_spread(self, node: FragmentSpreadNode, *_args: Any) -> None:
        name = node.name.value
        if name not in self._seen:
            self._seen.add(name)
            visit(self._fragments[name].definition, self)
