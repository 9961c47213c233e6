"""Connections: a page of rows as JSON. The rows are read once, whichever of nodes, edges and pageInfo are selected."""

from collections.abc import Callable
from dataclasses import dataclass, replace

from sqlalchemy import ARRAY, ColumnElement, Text, func, literal_column, select
from sqlmodel import SQLModel

from crm_graph.graphql.engine import cursors
from crm_graph.graphql.engine.bindings import Order, Page, Rows, model_of, page_size
from crm_graph.graphql.engine.criteria import criteria
from crm_graph.graphql.engine.field_site import FieldSite
from crm_graph.graphql.engine.json_sql import Json, json_list, json_object, name_literal
from crm_graph.graphql.engine.library_internals import FieldSet
from crm_graph.graphql.engine.selected_field import SelectedField, name_of, object_type
from crm_graph.graphql.engine.visible import ROW_NUMBER, Conditions, Visible, integer
from crm_graph.models.columns import Named, Relation


@dataclass(frozen=True, slots=True)
class PageCompiler:
    """Compiles connections with what the compiler of a statement lends it."""

    visible: Visible
    collect: Callable[[SelectedField], list[tuple[str, FieldSet]]]
    compile_object: Callable[[SelectedField, Relation], Json]
    make_site: Callable[[SelectedField, Relation], FieldSite]

    def page(self, binding: Page, at: SelectedField) -> Json:
        """A connection as JSON; raises ValidationFailed for a page size that is not allowed."""
        first = page_size(at.args)
        if at.args.get("orderBy") is not None:
            binding = replace(binding, order=at.args["orderBy"].value)
        names = {name_of(fields) for _, fields in self.collect(at)}
        if not names & {"nodes", "edges", "pageInfo"}:
            return self._connection(binding, at, None)
        looks_ahead = "pageInfo" in names  # one row more than the page has: is there a next page?
        conditions = list_conditions(binding, at, self.make_site)
        page, source = self.visible.first(_model(at), conditions, binding.order, first + looks_ahead)
        if looks_ahead:
            page, source = self.visible.numbered(page, source)
        # HAVING makes the page one row even where nothing is aggregated, as in `pageInfo { hasPreviousPage }`.
        selected = select(self._connection(binding, at, page)).select_from(source).having(literal_column("true"))
        return selected.scalar_subquery()

    def _connection(self, binding: Page, at: SelectedField, page: Named | None) -> Json:
        """The object of a connection, aggregated over the rows of `page`."""
        pairs: list[tuple[str, Json]] = []
        for key, fields in self.collect(at):
            name = name_of(fields)
            if name == "__typename":
                value = name_literal(at.type.name)
            elif name == "totalCount":
                conditions = list_conditions(binding, at, self.make_site, with_cursor=False)
                value = self.visible.count(_model(at), conditions)
            else:
                assert page is not None
                value = self._part(binding, replace(at, field=at.type.fields[name], fields=fields), name, page)
            pairs.append((key, value))
        return json_object(pairs)

    def _part(self, binding: Page, at: SelectedField, name: str, page: Named) -> Json:
        """One of nodes, edges and pageInfo."""
        if name == "pageInfo":
            texts: Json = func.array_agg(cursors.cursor_text(page, binding.order), type_=ARRAY(Text))
            return json_object([(key, _page_info(at, name_of(fields), texts)) for key, fields in self.collect(at)])
        item = self._edge(at, page, binding.order) if name == "edges" else self.compile_object(at, page)
        return json_list(item, page.c[ROW_NUMBER] <= integer(at.args["first"]) if ROW_NUMBER in page.c else None)

    def _edge(self, at: SelectedField, rows: Relation, order: Order) -> Json:
        pairs: list[tuple[str, Json]] = []
        for key, fields in self.collect(at):
            match name_of(fields):
                case "node":
                    value = self.compile_object(replace(at, field=at.type.fields["node"], fields=fields), rows)
                case "cursor":
                    value = cursors.encode(cursors.cursor_text(rows, order))
                case _:
                    value = name_literal(at.type.name)
            pairs.append((key, value))
        return json_object(pairs)


def list_conditions(
    binding: Page | Rows,
    at: SelectedField,
    make_site: Callable[[SelectedField, Relation], FieldSite],
    *,
    with_cursor: bool = True,
) -> Conditions:
    """The conditions on the rows of a list: those of its field and its filter, and that they come after the cursor."""

    def conditions(rows: Named) -> list[ColumnElement[bool]]:
        site = make_site(at, rows)
        has_cursor = with_cursor and at.args.get("after") is not None
        after = [cursors.after(site, binding.order)] if has_cursor else []
        return [binding.where(site), *criteria(site, at.field), *after]

    return conditions


def _model(at: SelectedField) -> type[SQLModel]:
    return model_of(object_type(at.type.fields["nodes"]))


def _page_info(at: SelectedField, name: str, texts: Json) -> Json:
    """A field of PageInfo; `texts` is the array of the rows' cursors before they are encoded."""
    first = integer(at.args["first"])
    match name:
        case "hasNextPage":
            return func.count() > first
        case "hasPreviousPage":
            return literal_column("true" if at.args.get("after") is not None else "false")
        case "startCursor":
            return cursors.encode(texts[integer(1)])
        case "endCursor":
            return cursors.encode(texts[func.least(func.count(), first)])
        case _:
            return name_literal(at.type.name)
