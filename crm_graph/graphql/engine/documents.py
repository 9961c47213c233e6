"""GraphQL documents: parsed, checked against the cost limits and the standard rules, and kept for later requests."""

from collections.abc import Awaitable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from itertools import count

from cachetools import LRUCache
from graphql import (
    ASTValidationRule,
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
from crm_graph.low_priority import give_way

CACHE_TOKENS = 50_000  # of all documents that a process keeps; a token takes about a kilobyte
ERRORS_MAX = 10  # locating one takes a pass over the whole source
UNREADABLE = "a number in the document is too long, or the document is nested too deeply"
_numbers = count()


class InvalidDocument(Exception):
    """The document can't be executed; `errors` are the reasons."""

    def __init__(self, *errors: GraphQLError) -> None:
        self.errors = list(errors)
        super().__init__(*errors)


@dataclass(frozen=True, slots=True, eq=False)
class Operation:
    """One operation of a valid document. `number` identifies it in the cache of plans."""

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
    def plan_bytes(self) -> int:
        """The memory that one of its plans takes, in bytes: SQL, which grows with the tokens, and the document."""
        return 500 * self.document.token_count + 4 * _length(self.document)

    @property
    def variables(self) -> list[str]:
        """The names of its variables. A valid operation uses all of them."""
        return [node.variable.name.value for node in self.node.variable_definitions or ()]

    async def execute(
        self, variables: Mapping[str, object], *, is_development: bool, context: object = None, root: object = None
    ) -> ExecutionResult:
        """Execute it with graphql-core, which reports errors as the specification wants."""
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
        """The names of the variables that are used below a root field (`key` is its response key), not by the field."""
        if key not in self._below:
            visitor = _Variables(self.fragments)
            for node in fields:
                if node.selection_set:
                    visit(node.selection_set, visitor)
            self._below[key] = sorted(visitor.names)
        return self._below[key]


@dataclass(frozen=True, slots=True)
class ValidDocument:
    """A document that can be executed: its operations by name."""

    document: DocumentNode
    operations: dict[str | None, Operation]
    cost_depends_on_items: bool

    def operation(self, name: str | None) -> Operation:
        """The operation with this name, or the only one without a name.

        Raises InvalidDocument when the name fits no operation or is missing where the document has several.
        """
        chosen = self.operations.get(name) if name is not None else next(iter(self.operations.values()))
        if chosen is None or (name is None and len(self.operations) > 1):
            raise invalid_document("operationName must be the name of one operation in the document")
        return chosen


class Documents:
    """The valid documents of this process by their text."""

    def __init__(self, schema: GraphQLSchema, *, is_development: bool) -> None:
        self._schema, self._is_development = schema, is_development
        self._rules: list[type[ASTValidationRule]] = [_GivesWay, *specified_rules]
        if not is_development:
            self._rules.append(NoSchemaIntrospectionCustomRule)
        self._valid: LRUCache[str, ValidDocument] = LRUCache(
            CACHE_TOKENS, getsizeof=lambda valid: valid.document.token_count + _length(valid.document) // 20
        )

    def operation(self, source: str, name: str | None, variables: Mapping[str, object]) -> Operation:
        """The operation of a document by name, or its only one without a name; see ValidDocument.operation."""
        valid = self.find(source, variables)
        if valid is None:
            valid = self.read(source, variables)
            self.keep(source, valid)
        return valid.operation(name)

    def find(self, source: str, variables: Mapping[str, object]) -> ValidDocument | None:
        """The document, if it is known. Raises InvalidDocument when these variables cost too much."""
        valid = self._valid.get(source)
        if valid is not None and valid.cost_depends_on_items:
            self._check_cost(valid.document, variables)
        return valid

    def keep(self, source: str, valid: ValidDocument) -> None:
        """Know the document from now on."""
        self._valid[source] = valid

    def read(self, source: str, variables: Mapping[str, object]) -> ValidDocument:
        """Parse and check a document. Raises InvalidDocument. Uses nothing that other threads change."""
        try:
            return self._parse_and_validate(source, variables)
        except GraphQLError as error:
            raise InvalidDocument(error) from None
        except (ValueError, RecursionError):
            raise invalid_document(UNREADABLE) from None

    def _parse_and_validate(self, source: str, variables: Mapping[str, object]) -> ValidDocument:
        document = parse(
            source,
            max_source_length=complexity.CHARACTERS_MAX,
            max_tokens=complexity.TOKENS_MAX,
            allow_empty_selection_sets=False,
        )
        if not any(isinstance(node, OperationDefinitionNode) for node in document.definitions):
            raise invalid_document("the document contains no operation")
        cost_depends_on_items = self._check_cost(document, variables)
        errors = validate(self._schema, document, self._rules, ERRORS_MAX, hide_suggestions=not self._is_development)
        if errors:
            raise InvalidDocument(*errors)
        operations = {node.name.value if node.name else None: op for node, op in self._operations(document)}
        return ValidDocument(document, operations, cost_depends_on_items)

    def _check_cost(self, document: DocumentNode, variables: Mapping[str, object]) -> bool:
        try:
            return complexity.check(self._schema, document, variables).depends_on_items
        except BadRequest as error:
            raise invalid_document(error.message, error) from None

    def _operations(self, document: DocumentNode) -> Iterator[tuple[OperationDefinitionNode, Operation]]:
        fragments = fragments_of(document)
        for node in document.definitions:
            if isinstance(node, OperationDefinitionNode):
                yield node, Operation(self._schema, document, node, fragments)


def invalid_document(message: str, error: BadRequest | None = None) -> InvalidDocument:
    """A refusal with one message; `error` has its code."""
    return InvalidDocument(GraphQLError(message, original_error=error))


def _length(document: DocumentNode) -> int:
    return len(document.loc.source.body) if document.loc else 0


class _GivesWay(ASTValidationRule):
    """No rule: a place to rest while a large document is checked."""

    def enter_field(self, *_args: object) -> None:
        give_way()


class _Variables(Visitor):
    def __init__(self, fragments: Fragments) -> None:
        super().__init__()
        self.names: set[str] = set()
        self._fragments, self._seen = fragments, set[str]()

    def enter_variable(self, node: VariableNode, *_args: object) -> None:
        self.names.add(node.name.value)

    def enter_fragment_spread(self, node: FragmentSpreadNode, *_args: object) -> None:
        name = node.name.value
        if name not in self._seen:
            self._seen.add(name)
            visit(self._fragments[name].definition, self)
