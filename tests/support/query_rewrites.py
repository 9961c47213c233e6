"""How a generated query is rewritten: each function changes one selection set, the innermost first."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from graphql import (
    FieldNode,
    FragmentSpreadNode,
    GraphQLObjectType,
    InlineFragmentNode,
    IntValueNode,
    NamedTypeNode,
)

from tests.support.query_draft import Draft, Selections, argument, has_variables, named, selected

FOR_ADMINS = ("webhooksLog", "ownerReport")
Step = Callable[[Draft, GraphQLObjectType, Selections], Selections]


def arguments(draft: Draft, type_: GraphQLObjectType, selections: Selections) -> Selections:
    """Values for the placeholders; most of what only an admin may ask is left out, where there is more to ask."""
    allowed = [
        n for n in selections if not (isinstance(n, FieldNode) and n.name.value in FOR_ADMINS and draft.chance(0.6))
    ]
    return tuple(draft.redraw(type_, n) if isinstance(n, FieldNode) else n for n in allowed or selections)


def typenames(draft: Draft, _type: GraphQLObjectType, selections: Selections) -> Selections:
    if not draft.chance(0.6):
        return selections
    alias = named("__what" if draft.chance(0.1) else "kind_of") if draft.chance(0.3) else None
    place = draft.rng.randint(0, len(selections))
    return (*selections[:place], FieldNode(name=named("__typename"), alias=alias), *selections[place:])


def ids(draft: Draft, type_: GraphQLObjectType, selections: Selections) -> Selections:
    if "id" not in type_.fields or not draft.chance(0.6):
        return selections
    return (*selections, FieldNode(name=named("id"), alias=named("key_of") if draft.chance(0.2) else None))


def inline_fragments(draft: Draft, type_: GraphQLObjectType, selections: Selections) -> Selections:
    if not draft.chance(0.4):
        return selections
    kept, moved = _split(draft, selections)
    condition = NamedTypeNode(name=named(type_.name)) if draft.chance(0.5) else None
    directives = (draft.switch(),) if draft.chance(0.15) else ()
    node = InlineFragmentNode(type_condition=condition, selection_set=selected(moved), directives=directives)
    if draft.chance(0.3):
        node = InlineFragmentNode(type_condition=None, selection_set=selected((node,)))
    return (*kept, node)


def named_fragments(draft: Draft, type_: GraphQLObjectType, selections: Selections) -> Selections:
    if not draft.chance(0.35):
        return selections
    kept, moved = _split(draft, selections)
    spread = draft.fragment(type_, moved)
    if draft.chance(0.15):
        spread = replace(spread, directives=(draft.switch(),))
    return (spread, *kept, spread) if draft.chance(0.4) else (*kept, spread)


def spreads(draft: Draft, type_: GraphQLObjectType, selections: Selections) -> Selections:
    known = [name for name, (on, _) in draft.fragments.items() if on is type_]
    if draft.is_nested or not known or not draft.chance(0.5):
        return selections
    return (*selections, FragmentSpreadNode(name=named(draft.rng.choice(known))))


def variables(draft: Draft, type_: GraphQLObjectType, selections: Selections) -> Selections:
    return tuple(draft.in_variables(type_, n) if isinstance(n, FieldNode) and n.arguments else n for n in selections)


def directives(draft: Draft, _type: GraphQLObjectType, selections: Selections) -> Selections:
    def switched(node: Any) -> Any:
        if not draft.chance(0.15) or node.directives:
            return node
        return replace(node, directives=(draft.switch(), *([draft.switch()] if draft.chance(0.1) else [])))

    unique = [tuple({d.name.value: d for d in node.directives or ()}.values()) for node in map(switched, selections)]
    return tuple(replace(node, directives=found) for node, found in zip(selections, unique, strict=True))


def aliases(draft: Draft, type_: GraphQLObjectType, selections: Selections) -> Selections:
    """Names of their own, some of them very long, or the name of another field."""

    def renamed(node: Any) -> Any:
        if not isinstance(node, FieldNode) or node.alias or not draft.chance(0.25):
            return node
        others = [name for name in type_.fields if name not in _keys(draft, selections)]
        alias = f"a{draft.rng.randrange(10**6)}_" + "ş".encode().hex() * draft.rng.choice((0, 0, 20))
        return replace(node, alias=named(draft.rng.choice(others) if others and draft.chance(0.1) else alias))

    return tuple(map(renamed, selections))


def again(draft: Draft, type_: GraphQLObjectType, selections: Selections) -> Selections:
    """The same field twice: as it is, with a part of its selection, or under an alias with other arguments."""
    found = list(selections)
    for node in selections:
        if isinstance(node, FieldNode) and draft.chance(0.15):
            match draft.rng.randrange(3):
                case 0:
                    found.append(node)
                case 1 if node.selection_set:
                    found.append(replace(node, selection_set=selected(_split(draft, node.selection_set.selections)[1])))
                case _:
                    is_fixed = any(has_variables(given.value) for given in node.arguments or ())
                    other = node if is_fixed else draft.redraw(type_, node)
                    found.append(replace(other, alias=named(f"again_{draft.rng.randrange(10**6)}")))
    return tuple(found)


def shuffled(draft: Draft, _type: GraphQLObjectType, selections: Selections) -> Selections:
    return tuple(draft.rng.sample(selections, len(selections)))


def _split(draft: Draft, selections: Selections) -> tuple[Selections, Selections]:
    """Some of the selections may be on both sides; the second is never empty."""
    side = [draft.rng.choice("kmmb") for _ in selections]
    moved = tuple(node for node, at in zip(selections, side, strict=True) if at in "mb")
    return tuple(
        node for node, at in zip(selections, side, strict=True) if at in "kb" or not moved
    ), moved or selections


def _keys(draft: Draft, selections: Selections) -> set[str]:
    """The response keys of a selection set, and those that it may get from fragments."""
    keys = set()
    for node in selections:
        if isinstance(node, FieldNode):
            keys |= {node.name.value, (node.alias or node.name).value}
        elif isinstance(node, InlineFragmentNode):
            keys |= _keys(draft, node.selection_set.selections)
        elif isinstance(node, FragmentSpreadNode):
            keys |= _keys(draft, draft.fragments[node.name.value][1])
    return keys


def smaller(draft: Draft, type_: GraphQLObjectType, selections: Selections) -> Selections:
    """Shorter lists, and fewer of them: what brings a document below the limits of its cost."""

    def short(node: Any) -> Any:
        if not isinstance(node, FieldNode) or "first" not in getattr(type_.fields.get(node.name.value), "args", {}):
            return node
        others = tuple(given for given in node.arguments or () if given.name.value != "first")
        return replace(node, arguments=(*others, argument("first", IntValueNode(value="2"))))

    kept = [node for node in selections if not getattr(node, "selection_set", None) or not draft.chance(0.2)]
    return tuple(map(short, kept or selections[:1]))


STEPS: tuple[Step, ...] = (
    typenames, inline_fragments, named_fragments, spreads, variables, variables, directives, aliases, again, shuffled,
)  # fmt: skip
