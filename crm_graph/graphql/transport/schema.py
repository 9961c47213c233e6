"""The schema, whose bound fields take their values from what a plan read."""

from collections.abc import Mapping
from functools import cache

import strawberry
from graphql import GraphQLEnumType, GraphQLObjectType, GraphQLResolveInfo
from strawberry.schema.config import StrawberryConfig

from crm_graph.graphql.engine.bindings import graphql_type
from crm_graph.graphql.engine.library_internals import accept_enum_names, graphql_schema
from crm_graph.graphql.engine.plans import PlanInputs
from crm_graph.graphql.engine.scalars import SCALARS
from crm_graph.graphql.execution.context import Context
from crm_graph.graphql.mutations.activities import ActivityMutations
from crm_graph.graphql.mutations.bulk import BulkMutations
from crm_graph.graphql.mutations.companies import CompanyMutations
from crm_graph.graphql.mutations.contacts import ContactMutations
from crm_graph.graphql.mutations.deal_members import DealMemberMutations
from crm_graph.graphql.mutations.deals import DealMutations
from crm_graph.graphql.mutations.endpoints import EndpointMutations
from crm_graph.graphql.mutations.erasure import ErasureMutations
from crm_graph.graphql.mutations.merging import MergingMutations
from crm_graph.graphql.mutations.owners import OwnerMutations
from crm_graph.graphql.mutations.pipelines import PipelineMutations
from crm_graph.graphql.mutations.replies import ReplyMutations
from crm_graph.graphql.mutations.stages import StageMutations
from crm_graph.graphql.mutations.webhooks import WebhookMutations
from crm_graph.graphql.schema.queries import Query
from crm_graph.graphql.schema.subscriptions import Subscription


@graphql_type()
class Mutation(
    DealMutations,
    DealMemberMutations,
    ContactMutations,
    MergingMutations,
    ErasureMutations,
    ReplyMutations,
    CompanyMutations,
    ActivityMutations,
    PipelineMutations,
    StageMutations,
    OwnerMutations,
    BulkMutations,
    WebhookMutations,
    EndpointMutations,
):
    """Writes. Each field is one transaction; what it refuses, it leaves unchanged. At most 10 in one operation."""


@cache
def build_schema() -> strawberry.Schema:
    """The schema. It is built once."""
    schema = strawberry.Schema(Query, Mutation, Subscription, config=StrawberryConfig(scalar_map=SCALARS))
    for type_ in graphql_schema(schema).type_map.values():
        if isinstance(type_, GraphQLObjectType) and not type_.name.startswith("__") and type_.name != "Mutation":
            for field in type_.fields.values():
                field.resolve = _root_field if type_.name == "Query" else _from_tree
        if isinstance(type_, GraphQLEnumType) and not type_.name.startswith("__"):
            accept_enum_names(type_)
    return schema


async def _root_field(_source: None, info: GraphQLResolveInfo[Context], **_arguments: object) -> object:
    ctx = info.context
    key = str(info.path.key)
    inputs = PlanInputs(ctx.principal, ctx.now, info.variable_values)
    async with ctx.one_at_a_time:
        return await ctx.reads.root_field(ctx.operation, inputs, key, ctx.size)


def _from_tree(source: Mapping[str, object], info: GraphQLResolveInfo[Context], **_arguments: object) -> object:
    return source[str(info.path.key)]
