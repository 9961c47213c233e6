"""A query while it is being rewritten: its selections, fragments and variables, and how its arguments are drawn."""

import random
import re
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any

from graphql import (
    ArgumentNode,
    DirectiveNode,
    DocumentNode,
    EnumValueNode,
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    GraphQLArgument,
    GraphQLBoolean,
    GraphQLInputField,
    GraphQLInputObjectType,
    GraphQLNonNull,
    GraphQLObjectType,
    GraphQLSchema,
    InlineFragmentNode,
    NamedTypeNode,
    NameNode,
    ObjectFieldNode,
    ObjectValueNode,
    OperationDefinitionNode,
    OperationType,
    SelectionNode,
    SelectionSetNode,
    ValueNode,
    VariableDefinitionNode,
    VariableNode,
    get_named_type,
    get_nullable_type,
    parse_type,
    print_ast,
    value_from_ast_untyped,
)

from tests.support.factories import Row
from tests.support.query_arguments import BAD_SCALARS, default_of, literal, redrawn, scalar, value

Selections = tuple[SelectionNode, ...]
Change = Callable[[GraphQLObjectType, Selections], Selections]


@dataclass
class Draft:
    """An operation and what it needs; `values` and `others` are two sets of variables to run it with."""

    schema: GraphQLSchema
    rng: random.Random
    root: Selections
    fragments: dict[str, tuple[GraphQLObjectType, Selections]] = field(default_factory=dict)
    variables: dict[str, VariableDefinitionNode] = field(default_factory=dict)
    values: Row = field(default_factory=dict)
    others: Row = field(default_factory=dict)
    is_nested: bool = False  # whether the walk is inside a fragment's definition, where a spread may close a circle
    _typed: dict[str, tuple[str, str]] = field(default_factory=dict)
    _moved: dict[tuple[str, str, str], ArgumentNode] = field(default_factory=dict)

    def chance(self, probability: float) -> bool:
        return self.rng.random() < probability

    def rewrite(self, change: Change) -> None:
        """Apply `change` to every selection set, the innermost first."""
        self._moved.clear()
        assert self.schema.query_type
        self.root = self._walk(self.schema.query_type, self.root, change)
        self.is_nested = True
        for name, (type_, selections) in list(self.fragments.items()):
            self.fragments[name] = type_, self._walk(type_, selections, change)
        self.is_nested = False

    def _walk(self, type_: GraphQLObjectType, selections: Selections, change: Change) -> Selections:
        return change(type_, tuple(self._below(type_, node, change) for node in selections))

    def _below(self, type_: GraphQLObjectType, node: SelectionNode, change: Change) -> SelectionNode:
        if not isinstance(node, FieldNode | InlineFragmentNode) or node.selection_set is None:
            return node
        inner = type_of(type_, node.name.value) if isinstance(node, FieldNode) else type_
        assert isinstance(inner, GraphQLObjectType)
        return replace(node, selection_set=selected(self._walk(inner, node.selection_set.selections, change)))

    def size(self) -> int:
        """How many selections there are, each fragment counted once."""
        counts: list[int] = []

        def count(_type: GraphQLObjectType, selections: Selections) -> Selections:
            counts.append(len(selections))
            return selections

        self.rewrite(count)
        return sum(counts)

    def redraw(self, parent: GraphQLObjectType, node: FieldNode) -> FieldNode:
        """The field with other values for its arguments."""
        if not node.arguments:
            return node
        definition = parent.fields[node.name.value]
        given = {argument.name.value: argument.value for argument in node.arguments}
        drawn = redrawn(self.rng, parent.name, node.name.value, definition, given)
        return replace(
            node, arguments=tuple(argument(name, literal(drawn[name], definition.args[name].type)) for name in drawn)
        )

    def in_variables(self, parent: GraphQLObjectType, node: FieldNode) -> FieldNode:
        """The field with variables for some of its arguments, or for parts of its filter; the same for equal fields."""
        definition, name = parent.fields[node.name.value], node.name.value
        order = {a.name.value: a.value.value for a in node.arguments or () if isinstance(a.value, EnumValueNode)}

        def moved(given: ArgumentNode) -> ArgumentNode:
            key, place = given.name.value, definition.args[given.name.value]
            if isinstance(given.value, VariableNode) or not self.chance(0.5):
                return given
            is_filter = isinstance(get_nullable_type(place.type), GraphQLInputObjectType)
            if (
                is_filter
                and isinstance(given.value, ObjectValueNode)
                and (has_variables(given.value) or self.chance(0.6))
            ):
                return replace(given, value=self._parts_in_variables(given.value, place))
            other = value(self.rng, parent.name, name, definition, key, given.value, order)
            return replace(given, value=self.variable(place, key, value_from_ast_untyped(given.value), other))

        def once(given: ArgumentNode) -> ArgumentNode:
            known = (parent.name, name, print_ast(given))
            if known not in self._moved:
                self._moved[known] = moved(given)
            return self._moved[known]

        return replace(node, arguments=tuple(once(given) for given in node.arguments or ()))

    def _parts_in_variables(self, given: ObjectValueNode, place: GraphQLArgument) -> ObjectValueNode:
        type_ = get_nullable_type(place.type)
        assert isinstance(type_, GraphQLInputObjectType)

        def moved(part: ObjectFieldNode) -> ObjectFieldNode:
            name, part_type = part.name.value, type_.fields[part.name.value]
            if isinstance(part.value, VariableNode):
                return part
            other = scalar(self.rng, name, part_type.type)
            return replace(part, value=self.variable(part_type, name, value_from_ast_untyped(part.value), other))

        return replace(given, fields=tuple(map(moved, given.fields)))

    def variable(self, place: GraphQLArgument | GraphQLInputField, key: str, given: Any, other: Any) -> VariableNode:
        """A variable whose type suits the place, with a value in each set: at times null, missing or wrong."""
        type_ = get_nullable_type(place.type)
        is_nullable = type_ is place.type
        may_be_absent = is_nullable or default_of(place) is not None
        has_default = other is not None and self.chance(0.25)
        bang = "" if given is None or ((may_be_absent or has_default) and self.chance(0.4)) else "!"
        text = f"{type_}{bang}"
        known = [name for name, (its_text, its_key) in self._typed.items() if (its_text, its_key) == (text, key)]
        if known and self.chance(0.3):
            return variable(self.rng.choice(known))
        name = f"{key}_{len(self.variables)}"
        self._typed[name] = text, key
        default: Any = literal(other, place.type) if has_default else None
        self.variables[name] = VariableDefinitionNode(
            variable=variable(name), type=parse_type(text), default_value=default
        )
        for values, sent in ((self.values, given), (self.others, other)):
            if (has_default or not bang) and self.chance(0.1):
                continue
            sent = given if sent is None and bang else sent
            if not bang and self.chance(0.1 if is_nullable else 0.03):  # null, where only a value will do
                sent = None
            if self.chance(0.01):
                sent = self.rng.choice((None, *BAD_SCALARS))
            values[name] = sent
        return variable(name)

    def switch(self) -> DirectiveNode:
        """@include or @skip, with a literal or a variable."""
        boolean = GraphQLArgument(GraphQLNonNull(GraphQLBoolean))
        condition: ValueNode = literal(self.chance(0.5), boolean.type)
        if self.chance(0.5):
            condition = self.variable(boolean, "on", self.chance(0.5), self.chance(0.5))
        return DirectiveNode(name=named(self.rng.choice(("include", "skip"))), arguments=(argument("if", condition),))

    def fragment(self, type_: GraphQLObjectType, selections: Selections) -> FragmentSpreadNode:
        """A spread of a new fragment with these selections."""
        name = f"F{len(self.fragments)}"
        self.fragments[name] = type_, selections
        return FragmentSpreadNode(name=named(name))

    def document(self, operations: list[tuple[str | None, Selections]]) -> DocumentNode:
        """The operations, which have the same variables, with the fragments and variables that are used."""
        body, known = print_ast(selected(self.root)), dict(self.fragments)
        fragments = []
        while spread := [name for name in known if re.search(rf"\.\.\.{name}\b", body)]:
            for name in spread:
                type_, inner = known.pop(name)
                condition = NamedTypeNode(name=named(type_.name))
                fragments.append(
                    FragmentDefinitionNode(name=named(name), type_condition=condition, selection_set=selected(inner))
                )
                body += print_ast(fragments[-1])
        used = tuple(node for name, node in self.variables.items() if re.search(rf"\${name}\b", body))
        heads = [
            OperationDefinitionNode(
                operation=OperationType.QUERY,
                name=named(name) if name else None,
                variable_definitions=used,
                selection_set=selected(selections),
            )
            for name, selections in operations
        ]
        return DocumentNode(definitions=(*heads, *fragments))


def has_variables(given: ValueNode) -> bool:
    """Whether the value is a variable, or a filter with one."""
    parts = [part.value for part in given.fields] if isinstance(given, ObjectValueNode) else [given]
    return any(isinstance(part, VariableNode) for part in parts)


def type_of(parent: Any, name: str) -> Any:
    """The named type of a field."""
    return get_named_type(parent.fields[name].type)


def selected(selections: Selections) -> SelectionSetNode:
    return SelectionSetNode(selections=selections)


def named(name: str) -> NameNode:
    return NameNode(value=name)


def argument(name: str, given: ValueNode) -> ArgumentNode:
    return ArgumentNode(name=named(name), value=given)


def variable(name: str) -> VariableNode:
    return VariableNode(name=named(name))
