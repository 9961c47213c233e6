"""Reports: what a sales lead looks at on Monday, each figure with the words that define it."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from datetime import date, datetime
from decimal import Decimal
from typing import Annotated, Any

import strawberry
from sqlalchemy import ColumnElement, Select, cast, literal_column, select

from crm_graph import models, reports
from crm_graph.database.statements import recordset
from crm_graph.graphql.engine.bindings import Order, Source, column, derived, graphql_type, summary, to_one
from crm_graph.graphql.engine.field_site import NOW, Arguments, FieldSite
from crm_graph.graphql.schema import enums
from crm_graph.graphql.schema.types import BY_CURRENCY, AmountTotal, Owner, Pipeline, PipelineStage
from crm_graph.models.columns import Time

ATTRIBUTION_MAX = 500
REPLY_DAYS = 7
BY_MONTH = Order(("month", "currency"), null_as=date.max)
BY_SIZE = Order(
    ("replies", "won", "meetings", "interested", "campaign_id", "step", "variant", "mailbox"), descending=True
)

From = Annotated[
    datetime | None,
    strawberry.argument(name="from", description=f"Default: {reports.PERIOD.days} days before `to`."),
]
To = Annotated[datetime | None, strawberry.argument(description="What happened before it counts. Default: now.")]


def pipeline_report_args(
    pipeline_id: Annotated[
        uuid.UUID | None, strawberry.argument(description="Without it, the default pipeline.")
    ] = strawberry.UNSET,
    from_: From = strawberry.UNSET,
    to: To = strawberry.UNSET,
) -> None:
    """The arguments of `pipelineReport`."""


def owner_report_args(from_: From = strawberry.UNSET, to: To = strawberry.UNSET) -> None:
    """The arguments of `ownerReport`."""


def reported_pipeline(site: FieldSite) -> Select[Any]:
    """The row that a report hangs on: the pipeline and the period."""
    pipelines = site.read(models.Pipeline, "id", "is_default")
    is_asked_for: ColumnElement[bool] = pipelines.c.is_default
    if site.args.get("pipelineId") is not None:
        is_asked_for = pipelines.c.id == site.value(lambda args: args["pipelineId"], None)
    since, until = _period(site)
    return select(
        pipelines.c.id.label("pipeline_id"), cast(since, Time).label("since"), cast(until, Time).label("until")
    ).where(is_asked_for)


def reported_owners(site: FieldSite) -> Select[Any]:
    """The rows of the owners' report; raises Forbidden for anyone but an admin."""
    site.principal.must_be_admin()
    return reports.owners(reports.Scope(site.read, *_period(site)))


def _period(site: FieldSite) -> tuple[ColumnElement[Any], ColumnElement[Any]]:
    def read(args: Arguments, now: datetime) -> tuple[datetime, datetime]:
        return reports.period(args.get("from"), args.get("to"), now)

    return site.time(lambda args, now: read(args, now)[0]), site.time(lambda args, now: read(args, now)[1])


def _recent_replies(site: FieldSite) -> Select[Any]:
    return reports.replies(site.read, cast(NOW, Time) - literal_column(f"interval '{REPLY_DAYS} days'"))


def _carried(name: str, columns: reports.Columns, order: Order, *, doc: str | None = None) -> Any:
    """A list that was computed together with its parent, and is carried by it."""
    return derived(Source(None, lambda site: select(*recordset(site.parent.c[name], columns).c)), order=order, doc=doc)


def _over(query: Callable[[reports.Scope], Select[Any]]) -> Callable[[FieldSite], Select[Any]]:
    """A query over the period and the pipeline of the report that the field belongs to."""

    def scoped(site: FieldSite) -> Select[Any]:
        row = site.parent.c
        return query(reports.Scope(site.read, row.since, row.until, row.pipeline_id, site.share))

    return scoped


@graphql_type()
class CurrencyAmount:
    """A sum of amounts in one currency; deals without an amount add nothing."""

    amount: Decimal = column()
    currency: str = column(doc="ISO 4217.")


@graphql_type()
class ForecastMonth:
    """Open deals that are expected to close in one month, in one currency."""

    month: date | None = column(
        doc="Its first day; null for deals without a close date. In a month that is over are deals that missed theirs."
    )
    currency: str = column(doc="ISO 4217.")
    deals: int = column(doc="How many, those without an amount included.")
    amount: Decimal = column()
    weighted_amount: Decimal = column(doc="Each amount times the probability of the deal's stage: what to expect.")


@graphql_type()
class OpenDeals:
    """The deals that are open now, whatever the period of the report."""

    count: int = column()
    totals: list[AmountTotal] = _carried("totals", reports.WEIGHTED_TOTALS, BY_CURRENCY, doc="What they amount to.")
    forecast: list[ForecastMonth] = _carried("forecast", reports.FORECAST, BY_MONTH, doc="When they should close.")


@graphql_type()
class StageConversion:
    """Where deals went from one stage."""

    to_stage: PipelineStage = to_one("to_stage_id")
    moves: int = column()
    rate: float = column(doc="Its share of all the moves out of the stage in the period, 0 to 1.")


@graphql_type()
class StageReport:
    """What happened in one stage in the period, counted by moves: a deal that comes twice counts twice.

    Deals that are still there haven't decided anything yet, and add neither to the conversion nor to the time in stage;
    `stage { dealCount }` says how many they are.
    """

    stage: PipelineStage = to_one("stage_id")
    entered: int = column(doc="Moves into it, new deals included.")
    left: int = column(doc="Moves out of it.")
    median_days: float | None = column(
        doc="How long the deals that left had been there, in days of 24 hours: half of them no longer than this."
    )
    p90_days: float | None = column(doc="The same for nine of ten.")
    conversions: list[StageConversion] = _carried(
        "conversions", reports.CONVERSIONS, Order(("moves", "to_stage_id"), descending=True), doc="Most frequent first."
    )


@graphql_type()
class LostReason:
    """How often deals were lost for one reason."""

    reason: str | None = column(doc="As it was written; null where none was given.")
    deals: int = column()


@graphql_type()
class ClosedDeals:
    """The deals that were won or lost in the period, and are so still; a deal that was reopened isn't closed.

    Each counts once, at its last change from open to closed (or between won and lost).
    """

    won: int = column()
    lost: int = column()
    win_rate: float | None = column(doc="won / (won + lost), 0 to 1; null when none was closed.")
    won_totals: list[CurrencyAmount] = _carried("won_totals", reports.TOTALS, BY_CURRENCY)
    lost_totals: list[CurrencyAmount] = _carried("lost_totals", reports.TOTALS, BY_CURRENCY)
    lost_reasons: list[LostReason] = _carried(
        "lost_reasons",
        reports.REASONS,
        Order(("deals", "reason"), descending=True),
        doc=f"Most frequent first, at most {reports.REASONS_MAX}.",
    )


@graphql_type()
class ReplyCount:
    """How many contacts' last reply that counts means the same."""

    status: enums.ReplyStatus = column()
    contacts: int = column()


@graphql_type()
class Attribution:
    """What is credited to one e-mail of a campaign: its step and variant, as one mailbox sent it.

    Credit goes to the last e-mail of a campaign, up to then, that the contact got or wrote; for a deal that names its
    campaign, to the last e-mail of that campaign. So everything counts in one row, and rows can be added up. What no
    campaign can be credited for is in the row without one.
    """

    campaign_id: str | None = column()
    campaign_name: str | None = column()
    step: str | None = column()
    variant: str | None = column()
    mailbox: str | None = column(doc="The address that sent it.")
    replies: int = column(
        doc="Contacts that wrote in the period, credited at their last e-mail in it; not those only known to be away."
    )
    interested: int = column(doc="Contacts that are interested, and said so in the period.")
    meetings: int = column(doc="Contacts that arranged a meeting in the period, credited at the first.")
    won: int = column(doc="Deals of this pipeline that were won in the period, as in `closed`.")


@graphql_type()
class PipelineReport:
    """A pipeline in a period, and as it stands now, over the deals and contacts that you may see.

    A salesperson's report is about their own and the unassigned pool. Deleted deals and contacts don't count; a person
    who was erased still does. Amounts of different currencies are never added up.
    """

    pipeline: Pipeline = to_one("pipeline_id")
    since: datetime = column(graphql_name="from")
    until: datetime = column(graphql_name="to", doc="The period ends before it.")
    open: OpenDeals = summary(_over(reports.open_deals))
    stages: list[StageReport] = derived(
        Source(None, _over(reports.stages)),
        order=Order(("order_index", "stage_id")),
        doc="In board order, with deleted stages that a deal entered or left in the period.",
    )
    closed: ClosedDeals = summary(_over(reports.closed_deals))
    replies_by_status: list[ReplyCount] = derived(
        Source(None, _recent_replies),
        order=Order(("contacts", "status"), descending=True),
        doc=f"Contacts whose last reply that counts came in the last {REPLY_DAYS} days, whatever the pipeline.",
    )
    attribution: list[Attribution] = derived(
        Source(None, _over(reports.attribution)),
        order=BY_SIZE,
        limit=lambda _site: ATTRIBUTION_MAX,
        doc=f"What campaigns brought in the period, most replies first, at most {ATTRIBUTION_MAX} rows.",
    )


@graphql_type()
class OwnerReport:
    """What one owner has to show, over all pipelines."""

    owner: Owner | None = to_one("owner_id", doc="Null for the unassigned pool.")
    open_count: int = column(doc="Their deals that are open now.")
    open_totals: list[AmountTotal] = _carried("open_totals", reports.WEIGHTED_TOTALS, BY_CURRENCY)
    won: int = column(doc="Their deals that were won in the period, and still are.")
    lost: int = column(doc="Their deals that were lost in the period, and still are.")
    win_rate: float | None = column(doc="won / (won + lost), 0 to 1; null when none was closed.")
    won_totals: list[CurrencyAmount] = _carried("won_totals", reports.TOTALS, BY_CURRENCY)
    activities: int = column(doc="What they put on a timeline in the period: notes, calls, e-mails; no edits or moves.")
    replies: int = column(doc="Their contacts that wrote in the period; not those only known to be away.")
    meetings: int = column(doc="Their contacts that arranged a meeting in the period.")
