"""What can be changed, by what it is about."""

from crm_graph.graphql.engine.bindings import graphql_type
from crm_graph.graphql.mutations.activities import ActivityMutations
from crm_graph.graphql.mutations.bulk import BulkMutations
from crm_graph.graphql.mutations.companies import CompanyMutations
from crm_graph.graphql.mutations.contacts import ContactMutations
from crm_graph.graphql.mutations.deals import DealMutations
from crm_graph.graphql.mutations.endpoints import EndpointMutations
from crm_graph.graphql.mutations.erasure import ErasureMutations
from crm_graph.graphql.mutations.merging import MergingMutations
from crm_graph.graphql.mutations.owners import OwnerMutations
from crm_graph.graphql.mutations.pipelines import PipelineMutations
from crm_graph.graphql.mutations.replies import ReplyMutations
from crm_graph.graphql.mutations.stages import StageMutations
from crm_graph.graphql.mutations.webhooks import WebhookMutations


@graphql_type()
class Mutation(
    DealMutations,
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
