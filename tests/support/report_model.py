"""What reports must say of a team's data: every figure by the plainest code there is."""

import math
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

from crm_graph.models import Role
from tests.support.factories import Row
from tests.support.report_data import TEAM, ReportData

CENT = Decimal("0.01")
OUTCOMES = ("replies", "interested", "meetings", "won")


@dataclass(frozen=True)
class Credit:
    """Something that happened with a contact, and whom it belongs to."""

    kind: str
    contact_id: Any
    at: datetime
    campaign_id: str | None = None


class ExpectedReports:
    """The report of one caller."""

    def __init__(
        self, data: ReportData, who: str, since: datetime | None = None, until: datetime | None = None
    ) -> None:
        self.data, self.who = data, who
        self.until = until or data.now
        self.since = since or self.until - timedelta(days=90)
        self.stage = {row["id"]: row for row in data.stages}
        self.me = next(row["id"] for row in data.owners if row["email"] == who)
        self.deals = [row for row in data.deals if self.sees(row)]
        self.contacts = {row["id"]: row for row in data.contacts if self.sees(row)}

    def sees(self, row: Row) -> bool:
        is_mine = TEAM[self.who] is not Role.SALES or row["owner_id"] in (None, self.me)
        return is_mine and (row["deleted_at"] is None or row.get("erased_at") is not None)

    def within(self, time: datetime | None) -> bool:
        return time is not None and self.since <= time < self.until

    def pipeline_report(self, pipeline: Row) -> Row:
        """The answer to `pipelineReport`."""
        self.pipeline_id = pipeline["id"]
        return {
            "pipeline": {"name": pipeline["name"]},
            "open": self.open(),
            "stages": list(self.stages()),
            "closed": self.closed(),
            "repliesByStatus": self.replies_by_status(),
            "attribution": self.attribution(),
        }

    def of_pipeline(self) -> list[Row]:
        return [row for row in self.deals if row["pipeline_id"] == self.pipeline_id]

    def open(self) -> Row:
        deals = [row for row in self.of_pipeline() if row["status"] == "open"]
        months = {(month_of(row), row["currency"]) for row in deals}
        return {
            "count": len(deals),
            "totals": self.totals(deals, is_weighted=True),
            "forecast": [
                self.forecast(month, currency, [row for row in deals if month_of(row) == month])
                for month, currency in sorted(months, key=lambda found: (found[0] is None, found))
            ],
        }

    def forecast(self, month: str | None, currency: str, deals: list[Row]) -> Row:
        deals = [row for row in deals if row["currency"] == currency]
        return {
            "month": month,
            "currency": currency,
            "deals": len(deals),
            "amount": money(row["amount"] or Decimal(0) for row in deals),
            "weightedAmount": money(self.weighted(deals)),
        }

    def totals(self, deals: list[Row], *, is_weighted: bool = False) -> list[Row]:
        priced = [row for row in deals if row["amount"] is not None]
        found = []
        for currency in sorted({row["currency"] for row in priced}):
            mine = [row for row in priced if row["currency"] == currency]
            weighted = {"weightedAmount": money(self.weighted(mine))} if is_weighted else {}
            found.append({"currency": currency, "amount": money(row["amount"] for row in mine)} | weighted)
        return found

    def weighted(self, deals: list[Row]) -> Iterator[Decimal]:
        return ((row["amount"] or 0) * self.stage[row["stage_id"]]["probability"] for row in deals)

    def stages(self) -> Iterator[Row]:
        ids = {row["id"] for row in self.of_pipeline()}
        moves = [row for row in self.data.moves if row["deal_id"] in ids and self.within(row["moved_at"])]
        for stage in (row for row in self.data.stages if row["pipeline_id"] == self.pipeline_id):
            entered = [row for row in moves if row["to_stage_id"] == stage["id"]]
            left = [row for row in moves if row["from_stage_id"] == stage["id"]]
            if stage["deleted_at"] and not entered and not left:
                continue
            days = [(row["moved_at"] - self.before(row)) / timedelta(days=1) for row in left]
            ways = Counter(row["to_stage_id"] for row in left)
            yield {
                "stage": {"key": stage["key"]},
                "entered": len(entered),
                "left": len(left),
                "medianDays": percentile(days, 0.5),
                "p90Days": percentile(days, 0.9),
                "conversions": [
                    {"toStage": {"key": self.stage[to]["key"]}, "moves": n, "rate": n / len(left)}
                    for to, n in sorted(ways.items(), key=lambda way: (way[1], way[0]), reverse=True)
                ],
            }

    def before(self, move: Row) -> datetime:
        """When the deal had entered the stage that it left."""
        mine = [row for row in self.data.moves if row["deal_id"] == move["deal_id"]]
        earlier: Iterator[datetime] = (row["moved_at"] for row in mine)
        return max(time for time in earlier if time < move["moved_at"])

    def closed_at(self, deal: Row) -> datetime | None:
        """When a deal that is closed came to its kind of stage."""
        kind, closed_at = None, None
        mine = [row for row in self.data.moves if row["deal_id"] == deal["id"]]
        for move in sorted(mine, key=lambda row: row["moved_at"]):
            if self.stage[move["to_stage_id"]]["kind"] != kind:
                kind, closed_at = self.stage[move["to_stage_id"]]["kind"], move["moved_at"]
        return closed_at if deal["status"] != "open" else None

    def closings(self, deals: list[Row], status: str) -> list[Row]:
        return [row for row in deals if row["status"] == status and self.within(self.closed_at(row))]

    def closed(self) -> Row:
        won, lost = (self.closings(self.of_pipeline(), status) for status in ("won", "lost"))
        reasons = Counter(row["lost_reason"] for row in lost)
        # In descending order, PostgreSQL has null first.
        ordered = sorted(reasons.items(), key=lambda found: (found[1], found[0] is None, found[0] or ""), reverse=True)
        return {
            "won": len(won),
            "lost": len(lost),
            "winRate": rate(len(won), len(lost)),
            "wonTotals": self.totals(won),
            "lostTotals": self.totals(lost),
            "lostReasons": [{"reason": reason, "deals": count} for reason, count in ordered],
        }

    def replies_by_status(self) -> list[Row]:
        recent = self.data.now - timedelta(days=7)
        found = Counter(
            row["reply_status"].value
            for row in self.contacts.values()
            if row["reply_status"] and row["reply_status_at"] >= recent
        )
        ordered = sorted(found.items(), key=lambda item: (item[1], item[0]), reverse=True)
        return [{"status": status.upper(), "contacts": count} for status, count in ordered]

    def entries(self, contact_id: Any, *types: str) -> list[Row]:
        return [row for row in self.data.activities if row["contact_id"] == contact_id and row["type"] in types]

    def outcomes(self) -> Iterator[Credit]:
        for contact in self.contacts.values():
            wrote = self.times(contact, "email_in")
            if wrote and contact["reply_status"] != "out_of_office":
                yield Credit("replies", contact["id"], max(wrote))
            if contact["reply_status"] == "interested" and self.within(contact["reply_status_at"]):
                yield Credit("interested", contact["id"], contact["reply_status_at"])
            if met := self.times(contact, "meeting", "arranges"):
                yield Credit("meetings", contact["id"], min(met))

    def times(self, contact: Row, type_: str, *marks: str) -> list[datetime]:
        entries = [row for row in self.entries(contact["id"], type_) if all(mark in row["meta_json"] for mark in marks)]
        return [row["occurred_at"] for row in entries if self.within(row["occurred_at"])]

    def attribution(self) -> list[Row]:
        found: Counter[tuple[Any, ...]] = Counter()
        names: dict[tuple[Any, ...], str | None] = {}
        won = self.closings(self.of_pipeline(), "won")
        deals = [Credit("won", row["contact_id"], self.closed_at(row), row["campaign_id"]) for row in won]  # type: ignore[arg-type]
        for credit in [*self.outcomes(), *deals]:
            meta = self.touch(credit)
            key = (meta.get("campaign_id", credit.campaign_id), *map(text_of, map(meta.get, META)))
            found[key, credit.kind] += 1
            names[key] = max(filter(None, (names.get(key), meta.get("campaign_name"))), default=None)
        rows = [
            dict(zip(("campaignId", "step", "variant", "mailbox"), key, strict=True))
            | {"campaignName": names[key]}
            | {kind: found[key, kind] for kind in OUTCOMES}
            for key in names
        ]
        return sorted(rows, key=by_size, reverse=True)

    def touch(self, credit: Credit) -> Row:
        """What the e-mail says that gets the credit."""
        is_known = credit.contact_id in self.contacts
        entries = self.entries(credit.contact_id, "email_in", "email_out") if is_known else []
        named = [
            row
            for row in entries
            if row["occurred_at"] <= credit.at
            and "campaign_id" in row["meta_json"]
            and credit.campaign_id in (None, row["meta_json"]["campaign_id"])
        ]
        last = max(named, key=lambda row: (row["occurred_at"], row["id"]), default=None)
        return last["meta_json"] if last else {}

    def owner_report(self) -> list[Row]:
        """The answer to `ownerReport`."""
        owners = sorted(self.data.owners, key=lambda row: row["name"])
        rows = [(row["active"], self.of_owner(row["id"], row["name"])) for row in owners]
        is_idle = self.of_owner(object(), "")
        shown = [row for active, row in rows if active or {**row, "owner": is_idle["owner"]} != is_idle]
        return [*shown, self.of_owner(None, None)]

    def of_owner(self, owner_id: Any, name: str | None) -> Row:
        deals = [row for row in self.deals if row["owner_id"] == owner_id]
        open_deals = [row for row in deals if row["status"] == "open"]
        won, lost = (self.closings(deals, status) for status in ("won", "lost"))
        contacts = {row["id"] for row in self.contacts.values() if row["owner_id"] == owner_id}
        kinds = Counter(credit.kind for credit in self.outcomes() if credit.contact_id in contacts)
        made = [row for row in self.data.activities if row["created_by"] == owner_id and owner_id is not None]
        return {
            "owner": name and {"name": name},
            "openCount": len(open_deals),
            "openTotals": self.totals(open_deals, is_weighted=True),
            "won": len(won),
            "lost": len(lost),
            "winRate": rate(len(won), len(lost)),
            "wonTotals": self.totals(won),
            "activities": sum(row["type"] != "system" and self.within(row["occurred_at"]) for row in made),
            "replies": kinds["replies"],
            "meetings": kinds["meetings"],
        }


META = ("step", "variant", "email_account")


def text_of(value: Any) -> str | None:
    """A JSON value as PostgreSQL writes it."""
    if isinstance(value, bool):
        return str(value).lower()
    return None if value is None else str(value)


def by_size(row: Row) -> list[Any]:
    counts = [row[kind] for kind in ("replies", "won", "meetings", "interested")]
    return [*counts, *((row[name] is None, row[name] or "") for name in ("campaignId", "step", "variant", "mailbox"))]


def month_of(deal: Row) -> str | None:
    closes: date | None = deal["close_date"]
    return closes.replace(day=1).isoformat() if closes else None


def money(amounts: Iterable[Decimal]) -> str:
    return str(sum(amounts, Decimal("0.00")).quantize(CENT, ROUND_HALF_UP))


def rate(won: int, lost: int) -> float | None:
    return won / (won + lost) if won + lost else None


def percentile(values: list[float], share: float) -> float | None:
    """Linear interpolation between the two nearest values, as in PostgreSQL's percentile_cont."""
    if not values:
        return None
    place = share * (len(values) - 1)
    low, ordered = math.floor(place), sorted(values)
    high = min(low + 1, len(values) - 1)
    return ordered[low] + (place - low) * (ordered[high] - ordered[low])


def utc(text: str) -> datetime:
    return datetime.fromisoformat(text).astimezone(UTC)
