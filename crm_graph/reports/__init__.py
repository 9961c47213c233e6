"""The figures of reports, each as one query over the rows that the caller may see.

The definition of each figure is where users read it: in the descriptions of the GraphQL types (graphql/schema/reports).
"""

from crm_graph.reports.attribution import attribution, replies
from crm_graph.reports.deals import REASONS_MAX, closed_deals, open_deals
from crm_graph.reports.owners import owners
from crm_graph.reports.scope import (
    CONVERSIONS,
    FORECAST,
    PERIOD,
    REASONS,
    TOTALS,
    WEIGHTED_TOTALS,
    Columns,
    Scope,
    period,
)
from crm_graph.reports.stages import stages

__all__ = [
    "CONVERSIONS",
    "FORECAST",
    "PERIOD",
    "REASONS",
    "REASONS_MAX",
    "TOTALS",
    "WEIGHTED_TOTALS",
    "Columns",
    "Scope",
    "attribution",
    "closed_deals",
    "open_deals",
    "owners",
    "period",
    "replies",
    "stages",
]
