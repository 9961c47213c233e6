"""The cost limits of a document, checked before the standard validation rules run.

Standard validation and execution walk a fragment again at each of its spreads, so a few hundred bytes can keep them
busy for seconds. Here each fragment is measured once, and its cost is added wherever it is spread.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

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
    ObjectValueNode,
    OperationDefinitionNode,
    OperationType,
    SelectionNode,
    SelectionSetNode,
    VariableNode,
    Visitor,
    get_named_type,
    visit,
)

from crm_graph.errors import BadRequest, QueryTooComplex
from crm_graph.graphql.engine.bindings import BINDING, PAGE_MAX, ResultRows
from crm_graph.graphql.engine.library_internals import metadata
from crm_graph.graphql.engine.prices import Cost, is_list, merged, object_price, value_price
from crm_graph.graphql.engine.weights import COMPLETED_POINTS_MAX, POINTS_MAX, weight_of

CHARACTERS_MAX = 100_000
TOKENS_MAX = 2_000
OPERATIONS_MAX = 20
FRAGMENTS_MAX = 50
ROOT_FIELDS_MAX = {OperationType.MUTATION: 10, OperationType.SUBSCRIPTION: 1}  # each mutation is a transaction
DEPTH_MAX = 16
SELECTIONS_MAX = 1_000  # fields and fragments
DIRECTIVES_MAX = 100
REPEATS_MAX = 200  # the standard rules compare each field with every other of the same response key
NAMED_MAX = 3  # fields that the message names


@dataclass(frozen=True, slots=True)
class Measured:
    """The cost of a document: that of its costliest operation, in points, and the most bytes that one can answer with.

    With `depends_on_items`, it depends on how many items are sent, so that every request needs a check.
    """

    points: int
    most_bytes: int
    depends_on_items: bool


def check(
    schema: GraphQLSchema,
    document: DocumentNode,
    variables: Mapping[str, object],
    *,
    only: OperationDefinitionNode | None = None,
) -> Measured:
    """Check the cost of every operation of a document; `variables` are as the client sent them, or coerced.

    Coerced variables are those of one operation: `only` that one is checked then.

    Raises QueryTooComplex for a limit that is exceeded, BadRequest for a fragment that spreads itself.
    """
    measure = _Measure(schema, document, variables)
    costs = measure.check(only)
    most_bytes = max((cost.most for cost in costs), default=0)
    return Measured(max((cost.points for cost in costs), default=0), most_bytes, measure.depends_on_items)


class _Measure:
    def __init__(
        self,
        schema: GraphQLSchema,
        document: DocumentNode,
        variables: Mapping[str, object],
        *,
        names_fields: bool = False,
    ) -> None:
        self._schema, self._document, self._names_fields = schema, document, names_fields
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

    def check(self, only: OperationDefinitionNode | None) -> list[Cost]:
        """The cost of each operation, or of `only` one, which is within the limits."""
        costs = []
        for operation in self._operations if only is None else [only]:
            kind, selected = operation.operation, operation.selection_set
            cost = self.cost(operation)
            if kind in ROOT_FIELDS_MAX:
                _limit(self._count_root_fields(selected), ROOT_FIELDS_MAX[kind], f"root fields in one {kind.value}")
            _limit(cost.depth, DEPTH_MAX, "levels")
            _limit(cost.selections, SELECTIONS_MAX, "fields")
            _limit(cost.directives, DIRECTIVES_MAX, "directives")
            _limit(self._repeats([selected]), REPEATS_MAX, "repeated fields")  # SELECTIONS_MAX bounds this walk
            points_max = POINTS_MAX if kind is OperationType.QUERY else COMPLETED_POINTS_MAX
            if cost.points > points_max:
                naming = _Measure(self._schema, self._document, self._variables, names_fields=True)
                raise _too_costly(naming.cost(operation), kind, points_max)
            costs.append(cost)
        return costs

    def cost(self, operation: OperationDefinitionNode) -> Cost:
        """The cost of one operation, whatever the limits."""
        cost = self._selection(operation.selection_set, self._schema.get_root_type(operation.operation))
        return cost + Cost(directives=len(operation.directives or ()))

    @cached_property
    def _longest_list(self) -> int:
        """The length of the longest list in the document or its variables: a mutation returns no more rows."""
        literals = _LongestList()
        visit(self._document, literals)
        return max(literals.length, *map(_longest, self._variables.values()), 1)

    def _defaults(self) -> dict[str, object]:
        """The default values of variables: of integers the largest when operations differ, of objects their fields."""
        defaults: dict[str, Any] = {}
        for definition in (d for operation in self._operations for d in operation.variable_definitions or ()):
            name, default = definition.variable.name.value, definition.default_value
            if isinstance(default, IntValueNode):
                defaults[name] = max(defaults.get(name, 0), int(default.value[:20]))
            elif isinstance(default, ObjectValueNode):
                defaults[name] = {field.name.value: field for field in default.fields}
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
        if node.selection_set is None:
            own, below, rows = value_price(node, field, parent), Cost(), 0
        else:
            below = self._selection(node.selection_set, get_named_type(field.type) if field else None)
            rows = self._rows(node, field, parent)
            own = object_price(node, field, parent, rows, below.counts, self._variables)
        cost = Cost(
            depth=1 + below.depth,
            selections=1 + below.selections,
            directives=below.directives,
            once=own.once + below.once,
            each=own.each + rows * below.each,
            most=own.most + rows * below.most,
            counts=own.counts,
        )
        if not self._names_fields or parent is None:
            return cost
        share = {f"{parent.name}.{node.name.value}": (own.once, own.each)}
        scaled = {name: (once, rows * each) for name, (once, each) in below.shares.items()}
        return replace(cost, shares=merged(scaled, share))

    def _rows(self, node: FieldNode, field: GraphQLField | None, parent: GraphQLNamedType | None) -> int:
        """The most rows of the field for each row of its parent."""
        for argument in node.arguments or ():
            if argument.name.value == "first":
                value = argument.value
                if isinstance(value, IntValueNode):
                    return _within_a_page(int(value.value[:20]))
                first = self._variables.get(value.name.value) if isinstance(value, VariableNode) else None
                return _within_a_page(first) if isinstance(first, int) else PAGE_MAX
        if field is None or not is_list(field, parent):
            return 1
        if "first" in field.args:
            return int(field.args["first"].default_value)
        if isinstance(metadata(field).get(BINDING), ResultRows):
            self.depends_on_items = True
            return self._longest_list
        return weight_of(metadata(field)).rows

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


def _too_costly(cost: Cost, kind: OperationType, points_max: int) -> QueryTooComplex:
    points = Counter({name: sum(share) for name, share in cost.shares.items()})
    named = ", ".join(f"{name} {_shown(number)}" for name, number in points.most_common(NAMED_MAX))
    return QueryTooComplex(
        f"the {kind.value} costs {_shown(cost.points)} points; the limit is {points_max:,}, and most are for {named}: "
        "ask for fewer of these or for fewer rows (first), or split the query"
    )


def _shown(number: int) -> str:
    return f"{number:,}" if number < 10**9 else "too many"


def _within_a_page(first: int) -> int:
    return min(max(first, 1), PAGE_MAX)  # page_size() refuses any other value


def _limit(number: int, limit: int, what: str) -> None:
    if number > limit:
        raise QueryTooComplex(f"the query asks for {_shown(number)} {what}; the limit is {limit:,}: split the query")
