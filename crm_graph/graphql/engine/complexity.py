"""The cost limits of a document, checked before the standard validation rules run.

Standard validation and execution walk a fragment again at each of its spreads, so a few hundred bytes can keep them
busy for seconds. Here each fragment is measured once, and its cost is added wherever it is spread.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property

from graphql import (
    DocumentNode,
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    GraphQLField,
    GraphQLNamedType,
    GraphQLObjectType,
    GraphQLSchema,
    InlineFragmentNode,
    IntValueNode,
    ListValueNode,
    OperationDefinitionNode,
    OperationType,
    SelectionNode,
    SelectionSetNode,
    VariableNode,
    Visitor,
    get_named_type,
    get_nullable_type,
    is_list_type,
    visit,
)

from crm_graph.errors import BadRequest, QueryTooComplex
from crm_graph.graphql.engine.bindings import BINDING, PAGE_MAX, ResultRows
from crm_graph.graphql.engine.library_internals import metadata

CHARACTERS_MAX = 100_000
TOKENS_MAX = 2_000
OPERATIONS_MAX = 20
FRAGMENTS_MAX = 50
ROOT_FIELDS_MAX = {OperationType.QUERY: 30, OperationType.MUTATION: 10, OperationType.SUBSCRIPTION: 1}
DEPTH_MAX = 16
SELECTIONS_MAX = 1_000  # fields and fragments
OBJECTS_MAX = 200  # fields with a selection of their own: each is a subquery
ALIASES_MAX = 200
DIRECTIVES_MAX = 100
REPEATS_MAX = 200  # the standard rules compare each field with every other of the same response key
ROWS_MAX = 20_000  # the products of `first` along each path, added up
VALUES_MAX = 200_000  # scalars in all those rows
LIST_ROWS = 10  # for a plain list, which has no `first`


@dataclass(frozen=True, slots=True)
class Cost:
    """The cost of a selection, including its fragments."""

    depth: int = 0
    selections: int = 0
    objects: int = 0
    aliases: int = 0
    directives: int = 0
    rows: int = 0
    values: int = 0

    def __add__(self, other: "Cost") -> "Cost":
        return Cost(
            max(self.depth, other.depth),
            self.selections + other.selections,
            self.objects + other.objects,
            self.aliases + other.aliases,
            self.directives + other.directives,
            self.rows + other.rows,
            self.values + other.values,
        )


def check(schema: GraphQLSchema, document: DocumentNode, variables: Mapping[str, object]) -> bool:
    """Check the cost of every operation of a document; `variables` are as the client sent them.

    Returns whether the cost depends on how many items are sent, so that every request needs a check. Raises
    QueryTooComplex for a limit that is exceeded, BadRequest for a fragment that spreads itself.
    """
    measure = _Measure(schema, document, variables)
    measure.check()
    return measure.depends_on_items


class _Measure:
    def __init__(self, schema: GraphQLSchema, document: DocumentNode, variables: Mapping[str, object]) -> None:
        self._schema, self._document = schema, document
        definitions = document.definitions
        self._operations = [node for node in definitions if isinstance(node, OperationDefinitionNode)]
        fragments = [node for node in definitions if isinstance(node, FragmentDefinitionNode)]
        self._fragments = {node.name.value: node for node in fragments}
        self._measured: dict[str, Cost] = {}
        self._in_progress: set[str] = set()
        self._root_fields: dict[str, int] = {}
        self._variables: dict[str, object] = {**self._defaults(), **variables}
        self.depends_on_items = False
        _limit(len(self._operations), OPERATIONS_MAX, "operations")
        _limit(len(fragments), FRAGMENTS_MAX, "fragments")

    def check(self) -> None:
        for operation in self._operations:
            kind, selected = operation.operation, operation.selection_set
            cost = self._selection(selected, self._schema.get_root_type(kind))
            cost += Cost(directives=len(operation.directives or ()))
            _limit(self._count_root_fields(selected), ROOT_FIELDS_MAX[kind], f"root fields in one {kind.value}")
            _limit(cost.depth, DEPTH_MAX, "levels")
            _limit(cost.selections, SELECTIONS_MAX, "fields")
            _limit(cost.objects, OBJECTS_MAX, "objects and lists")
            _limit(cost.aliases, ALIASES_MAX, "aliases")
            _limit(cost.directives, DIRECTIVES_MAX, "directives")
            _limit(cost.rows, ROWS_MAX, "rows")
            _limit(cost.values, VALUES_MAX, "values")
            _limit(self._repeats([selected]), REPEATS_MAX, "repeated fields")  # SELECTIONS_MAX bounds this walk

    @cached_property
    def _longest_list(self) -> int:
        """The length of the longest list in the document or its variables: a mutation returns no more rows."""
        literals = _LongestList()
        visit(self._document, literals)
        return max(literals.length, *map(_longest, self._variables.values()), 1)

    def _defaults(self) -> dict[str, int]:
        """The default values of integer variables; the largest when operations differ."""
        defaults: dict[str, int] = {}
        for definition in (d for operation in self._operations for d in operation.variable_definitions or ()):
            name, default = definition.variable.name.value, definition.default_value
            if isinstance(default, IntValueNode):
                defaults[name] = max(defaults.get(name, 0), int(default.value[:20]))
        return defaults

    def _selection(self, selected: SelectionSetNode, parent: GraphQLNamedType | None) -> Cost:
        total = Cost()
        for node in selected.selections:
            total += Cost(directives=len(node.directives or ())) + self._node(node, parent)
        return total

    def _node(self, node: SelectionNode, parent: GraphQLNamedType | None) -> Cost:
        if isinstance(node, FieldNode):
            return self._field(node, parent)
        if isinstance(node, FragmentSpreadNode):
            return self._fragment(node.name.value) + Cost(selections=1)
        assert isinstance(node, InlineFragmentNode)
        condition = node.type_condition
        type_ = self._schema.get_type(condition.name.value) if condition else parent
        return self._selection(node.selection_set, type_) + Cost(selections=1)

    def _fragment(self, name: str) -> Cost:
        if name in self._in_progress:
            raise BadRequest(f"the fragment {name} spreads itself")
        if name not in self._measured:
            self._measured[name] = Cost()  # the standard rules report a fragment that is not defined
            fragment = self._fragments.get(name)
            if fragment is not None:
                self._in_progress.add(name)
                type_ = self._schema.get_type(fragment.type_condition.name.value)
                cost = self._selection(fragment.selection_set, type_)
                self._measured[name] = cost + Cost(directives=len(fragment.directives or ()))
                self._in_progress.remove(name)
        return self._measured[name]

    def _field(self, node: FieldNode, parent: GraphQLNamedType | None) -> Cost:
        field = parent.fields.get(node.name.value) if isinstance(parent, GraphQLObjectType) else None
        below = Cost()
        if node.selection_set is not None:
            below = self._selection(node.selection_set, get_named_type(field.type) if field else None)
        rows = self._rows(node, field, parent)
        return Cost(
            depth=1 + below.depth,
            selections=1 + below.selections,
            objects=(node.selection_set is not None) + below.objects,
            aliases=(node.alias is not None) + below.aliases,
            directives=below.directives,
            rows=(rows if rows > 1 else 0) + rows * below.rows,
            values=rows * below.values if node.selection_set is not None else 1,
        )

    def _rows(self, node: FieldNode, field: GraphQLField | None, parent: GraphQLNamedType | None) -> int:
        """The most rows of the field for each row of its parent."""
        for argument in node.arguments or ():
            if argument.name.value == "first":
                value = argument.value
                if isinstance(value, IntValueNode):
                    return _within_a_page(int(value.value[:20]))
                first = self._variables.get(value.name.value) if isinstance(value, VariableNode) else None
                return _within_a_page(first) if isinstance(first, int) else PAGE_MAX
        if field is None or node.selection_set is None:
            return 1
        if "first" in field.args:
            return int(field.args["first"].default_value)
        if isinstance(metadata(field).get(BINDING), ResultRows):
            self.depends_on_items = True
            return self._longest_list
        in_page = isinstance(parent, GraphQLObjectType) and "pageInfo" in parent.fields
        return LIST_ROWS if is_list_type(get_nullable_type(field.type)) and not in_page else 1

    def _count_root_fields(self, selected: SelectionSetNode) -> int:
        total = 0
        for node in selected.selections:
            if isinstance(node, FragmentSpreadNode):
                name = node.name.value
                if name not in self._root_fields:
                    fragment = self._fragments.get(name)
                    self._root_fields[name] = self._count_root_fields(fragment.selection_set) if fragment else 0
                total += self._root_fields[name]
            else:
                total += self._count_root_fields(node.selection_set) if isinstance(node, InlineFragmentNode) else 1
        return total

    def _repeats(self, selected: list[SelectionSetNode]) -> int:
        """How many fields share their response key with another field of the same selection."""
        by_key: dict[str, list[SelectionSetNode]] = {}
        times: Counter[str] = Counter()
        for node in self._expanded(selected):
            key = (node.alias or node.name).value
            times[key] += 1
            by_key.setdefault(key, []).extend([node.selection_set] if node.selection_set else [])
        below = sum(self._repeats(sets) for sets in by_key.values() if sets)
        return sum(count - 1 for count in times.values()) + below

    def _expanded(self, selected: Iterable[SelectionSetNode]) -> Iterator[FieldNode]:
        for selection_set in selected:
            for node in selection_set.selections:
                if isinstance(node, FieldNode):
                    yield node
                elif isinstance(node, InlineFragmentNode):
                    yield from self._expanded([node.selection_set])
                elif isinstance(node, FragmentSpreadNode) and node.name.value in self._fragments:
                    yield from self._expanded([self._fragments[node.name.value].selection_set])


class _LongestList(Visitor):
    def __init__(self) -> None:
        super().__init__()
        self.length = 0

    def enter_list_value(self, node: ListValueNode, *_args: object) -> None:
        self.length = max(self.length, len(node.values))


def _longest(value: object) -> int:
    """The length of a list, or of the longest list among an object's fields."""
    lists = value.values() if isinstance(value, dict) else [value]
    return max((len(part) for part in lists if isinstance(part, list)), default=0)


def _within_a_page(first: int) -> int:
    return min(max(first, 1), PAGE_MAX)  # page_size() refuses any other value


def _limit(number: int, limit: int, what: str) -> None:
    if number > limit:
        shown = f"{number:,}" if number < 10**9 else "too many"
        raise QueryTooComplex(f"the query asks for {shown} {what}; the limit is {limit:,}: split the query")
