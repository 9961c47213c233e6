"""Reports. The description of each figure is its definition."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from datetime import date, datetime
from decimal import Decimal
from typing import Annotated

import strawberry
from sqlalchemy import ColumnElement, cast, literal_column, select

from crm_graph import models, reports
from crm_graph.database.statements import recordset
from crm_graph.graphql.engine.bindings import Attribute, Order, Source, column, derived, graphql_type, summary, to_one
from crm_graph.graphql.engine.field_site import NOW, Arguments, FieldSite
from crm_graph.graphql.engine.weights import Weight
from crm_graph.graphql.schema import enums
from crm_graph.graphql.schema.types import BY_CURRENCY, AmountTotal, Owner, Pipeline, PipelineStage
from crm_graph.models.columns import AnySelect, Time

ATTRIBUTION_MAX = 500
REPLY_DAYS = 7
BY_MONTH = Order(("month", "currency"), null_as=date.max)
BY_SIZE = Order(
    ("replies", "won", "meetings", "interested", "campaign_id", "step", "variant", "mailbox"), descending=True
)

From = Annotated[
    datetime | None,
    strawberry.argument(
        name="from", description=f"The start of the period. Default: {reports.PERIOD.days} days before `to`."
    ),
]
To = Annotated[
    datetime | None,
    strawberry.argument(description="The end of the period, which excludes this time itself. Default: now."),
]


def pipeline_report_args(
    pipeline_id: Annotated[
        uuid.UUID | None, strawberry.argument(description="Default: the default pipeline.")
    ] = strawberry.UNSET,
    from_: From = strawberry.UNSET,
    to: To = strawberry.UNSET,
) -> None:
    """The arguments of `pipelineReport`."""


def owner_report_args(from_: From = strawberry.UNSET, to: To = strawberry.UNSET) -> None:
    """The arguments of `ownerReport`."""


def select_pipeline(site: FieldSite) -> AnySelect:
    """The row that a report belongs to: its pipeline and period. No row when there is no such pipeline."""
    pipelines = site.read(models.Pipeline, "id", "is_default")
    is_selected: ColumnElement[bool] = pipelines.c.is_default
    if site.args.get("pipelineId") is not None:
        is_selected = pipelines.c.id == site.value(lambda args: args["pipelineId"], None)
    since, until = _period(site)
    return select(
        pipelines.c.id.label("pipeline_id"), cast(since, Time).label("since"), cast(until, Time).label("until")
    ).where(is_selected)


def select_owners(site: FieldSite) -> AnySelect:
    """The rows of the owners' report; raises Forbidden for anyone but an admin."""
    site.principal.must_be_admin()
    return reports.owners(reports.Scope(site.read, *_period(site)))


def _period(site: FieldSite) -> tuple[ColumnElement[datetime], ColumnElement[datetime]]:
    def read(args: Arguments, now: datetime) -> tuple[datetime, datetime]:
        return reports.period(args.get("from"), args.get("to"), now)

    return site.time(lambda args, now: read(args, now)[0]), site.time(lambda args, now: read(args, now)[1])


def _recent_replies(site: FieldSite) -> AnySelect:
    return reports.replies(site.read, cast(NOW, Time) - literal_column(f"interval '{REPLY_DAYS} days'"))


def _json_rows(name: str, columns: reports.Columns, order: Order, *, doc: str | None = None) -> Attribute:
    """A list that the parent row has as JSON, because it was computed together with it."""
    return derived(Source(None, lambda site: select(*recordset(site.parent.c[name], columns).c)), order=order, doc=doc)


def _in_scope(query: Callable[[reports.Scope], AnySelect]) -> Callable[[FieldSite], AnySelect]:
    """A query over the period and the pipeline of the report to which the field belongs."""

    def scoped(site: FieldSite) -> AnySelect:
        row = site.parent.c
        return query(reports.Scope(site.read, row.since, row.until, row.pipeline_id, site.share))

    return scoped


@graphql_type()
class CurrencyAmount:
    """The sum of deal amounts in one currency. Deals without an amount add nothing."""

    amount: Decimal = column()
    currency: str = column(doc="An ISO 4217 code, such as `USD`.")


@graphql_type()
class ForecastMonth:
    """The open deals in one currency that are expected to close in one month."""

    month: date | None = column(
        doc="The first day of the month; null for deals without a close date. Past months hold deals that are overdue."
    )
    currency: str = column(doc="An ISO 4217 code, such as `USD`.")
    deals: int = column(doc="The number of deals, including those without an amount.")
    amount: Decimal = column()
    weighted_amount: Decimal = column(
        doc="The expected value: the sum of each amount times the probability of its stage."
    )


@graphql_type()
class OpenDeals:
    """The deals that are open now. The period of the report does not matter."""

    count: int = column(doc="The number of open deals.")
    totals: list[AmountTotal] = _json_rows(
        "totals", reports.WEIGHTED_TOTALS, BY_CURRENCY, doc="Their amounts, by currency."
    )
    forecast: list[ForecastMonth] = _json_rows(
        "forecast", reports.FORECAST, BY_MONTH, doc="The same deals by the month in which they are expected to close."
    )


@graphql_type()
class StageConversion:
    """The moves from one stage to another."""

    to_stage: PipelineStage = to_one("to_stage_id")
    moves: int = column(doc="The number of moves.")
    rate: float = column(doc="The share of all moves out of the stage in the period, 0 to 1.")


@graphql_type()
class StageReport:
    """The moves into and out of one stage in the period. A deal that enters twice counts twice.

    Deals that are still in the stage add neither to the conversions nor to the time in stage; `stage { dealCount }` is
    their number.
    """

    stage: PipelineStage = to_one("stage_id")
    entered: int = column(doc="Moves into the stage, including new deals.")
    left: int = column(doc="Moves out of the stage.")
    median_days: float | None = column(
        doc="The median time in the stage of the deals that left it, in days of 24 hours. Null if none left."
    )
    p90_days: float | None = column(doc="The 90th percentile of that time, in days of 24 hours. Null if none left.")
    conversions: list[StageConversion] = _json_rows(
        "conversions",
        reports.CONVERSIONS,
        Order(("moves", "to_stage_id"), descending=True),
        doc="The stages that those deals went to, most frequent first.",
    )


@graphql_type()
class LostReason:
    """The number of deals that were lost for one reason."""

    reason: str | None = column(doc="The text as it was entered; null for deals without a reason.")
    deals: int = column(doc="The number of deals.")


@graphql_type()
class ClosedDeals:
    """The deals that were won or lost in the period and still are. Reopened deals don't count.

    Each deal counts once, at its latest change from open to closed, or between won and lost.
    """

    won: int = column(doc="The number of deals that were won.")
    lost: int = column(doc="The number of deals that were lost.")
    win_rate: float | None = column(doc="won / (won + lost), 0 to 1; null if no deal was closed.")
    won_totals: list[CurrencyAmount] = _json_rows(
        "won_totals", reports.TOTALS, BY_CURRENCY, doc="The amounts of the won deals, by currency."
    )
    lost_totals: list[CurrencyAmount] = _json_rows(
        "lost_totals", reports.TOTALS, BY_CURRENCY, doc="The amounts of the lost deals, by currency."
    )
    lost_reasons: list[LostReason] = _json_rows(
        "lost_reasons",
        reports.REASONS,
        Order(("deals", "reason"), descending=True),
        doc=f"The reasons of the lost deals, most frequent first. At most {reports.REASONS_MAX}.",
    )


@graphql_type()
class ReplyCount:
    """The number of contacts whose latest reply has one meaning."""

    status: enums.ReplyStatus = column()
    contacts: int = column(doc="The number of contacts.")


@graphql_type()
class Attribution:
    """The results that are credited to one e-mail of a campaign: to its step and variant, sent from one mailbox.

    A result is credited to the latest campaign e-mail before it that the contact received or wrote; a deal that names
    its campaign, to the latest e-mail of that campaign. Each result counts in one row, so rows can be added.
    Results that no campaign is credited for are in the row without a campaign.
    """

    campaign_id: str | None = column(doc="Null in the row for results without a campaign.")
    campaign_name: str | None = column(doc="Null if unknown.")
    step: str | None = column(doc="The step of the campaign's sequence; null if unknown.")
    variant: str | None = column(doc="The variant of the step, in an A/B test; null if unknown.")
    mailbox: str | None = column(doc="The address that sent the e-mail; null if unknown.")
    replies: int = column(
        doc="Contacts who wrote in the period, credited at the time of their latest e-mail in it. Contacts "
        "with the reply status OUT_OF_OFFICE don't count."
    )
    interested: int = column(doc="Contacts with the reply status INTERESTED whose reply was in the period.")
    meetings: int = column(doc="Contacts who arranged a meeting in the period, credited at the time of the first.")
    won: int = column(doc="Deals of this pipeline that were won in the period, counted as in `closed`.")


@graphql_type()
class PipelineReport:
    """A pipeline in a period, and its state now, over the deals and contacts that you may see.

    For a salesperson, these are their own and the unassigned pool. Deleted deals and contacts don't count, but erased
    contacts still do. Amounts in different currencies are never added.
    """

    pipeline: Pipeline = to_one("pipeline_id")
    since: datetime = column(graphql_name="from", doc="The start of the period.")
    until: datetime = column(graphql_name="to", doc="The end of the period, which excludes this time itself.")
    open: OpenDeals = summary(
        _in_scope(reports.open_deals), doc="The open deals, as they are now.", weight=Weight(points=35_000)
    )
    stages: list[StageReport] = derived(
        Source(None, _in_scope(reports.stages)),
        order=Order(("order_index", "stage_id")),
        doc="In board order, including deleted stages that a deal entered or left in the period.",
        weight=Weight(points=250_000),
    )
    closed: ClosedDeals = summary(
        _in_scope(reports.closed_deals),
        doc="The deals that were closed in the period.",
        weight=Weight(points=100_000),
    )
    replies_by_status: list[ReplyCount] = derived(
        Source(None, _recent_replies),
        order=Order(("contacts", "status"), descending=True),
        doc=f"Contacts whose latest reply is at most {REPLY_DAYS} days old, by its meaning. The pipeline and "
        "the period don't matter.",
        weight=Weight(points=10_000),
    )
    attribution: list[Attribution] = derived(
        Source(None, _in_scope(reports.attribution)),
        order=BY_SIZE,
        limit=lambda _site: ATTRIBUTION_MAX,
        doc=f"The results of campaigns in the period, most replies first. At most {ATTRIBUTION_MAX} rows.",
        weight=Weight(points=500_000, rows=100),
    )


@graphql_type()
class OwnerReport:
    """The figures of one owner, over all pipelines."""

    owner: Owner | None = to_one("owner_id", doc="Null for the unassigned pool.")
    open_count: int = column(doc="The number of their deals that are open now.")
    open_totals: list[AmountTotal] = _json_rows(
        "open_totals", reports.WEIGHTED_TOTALS, BY_CURRENCY, doc="The amounts of those deals, by currency."
    )
    won: int = column(doc="The number of their deals that were won in the period and still are.")
    lost: int = column(doc="The number of their deals that were lost in the period and still are.")
    win_rate: float | None = column(doc="won / (won + lost), 0 to 1; null if no deal was closed.")
    won_totals: list[CurrencyAmount] = _json_rows(
        "won_totals", reports.TOTALS, BY_CURRENCY, doc="The amounts of the won deals, by currency."
    )
    activities: int = column(
        doc="The timeline entries that they created in the period, such as notes, calls and e-mails. Edits "
        "and moves don't count."
    )
    replies: int = column(
        doc="Their contacts who wrote in the period. Contacts with the reply status OUT_OF_OFFICE don't count."
    )
    meetings: int = column(doc="Their contacts who arranged a meeting in the period.")
