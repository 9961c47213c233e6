"""Absence: the date in an out-of-office notice, in the languages of `languages/`.

A date counts only next to a word that says that the absence ends there ("until", "back on", "kadar", "döneceğim"), or
as the end of a range. Days come before months ("03/04" is 3 April), unless one date of the notice can only have its
month first.
"""

import re
from collections.abc import Iterator, Sequence
from datetime import date, datetime, timedelta
from typing import NamedTuple

from crm_graph.intent.folding import fold
from crm_graph.intent.languages import alternatives, numbered
from crm_graph.intent.quoting import visible_reply

_MAX_TEXT = 5_000
_HORIZON = timedelta(days=400)  # a leave that ends later than this is a misread date

_MONTHS = {name: number + 1 for name, number in numbered("MONTHS").items()}
_WEEKDAYS = numbered("WEEKDAYS")
_MONTH = "|".join(sorted(_MONTHS, key=len, reverse=True))
_WEEKDAY = "|".join(sorted(_WEEKDAYS, key=len, reverse=True))
_CASE = r"(?:n?[dt][ae]n?|y?[aeiu]|n[iu]n)?"  # Ocak-ta, Ocak-tan, Ocak-a, pazartesi-ye
_DATE = re.compile(
    r"(?<![\d.,/:])(?:"
    r"(?P<iso>\d{4}-\d\d-\d\d)"
    r"|(?P<day>\d\d?)[./-](?P<month>\d\d?)(?:[./-](?P<year>\d{4}|\d\d)|(?<=[./]\d)|(?<=[./]\d\d))"
    rf"|(?P<day_first>\d\d?)(?:st|nd|rd|th)?\.?(?: of)? ?(?P<its_month>{_MONTH}){_CASE}\b\.?"
    r"(?:,? (?P<its_year>20\d\d))?"
    rf"|\b(?P<month_first>{_MONTH})\.? (?P<its_day>\d\d?)(?:st|nd|rd|th)?\b(?:,? (?P<that_year>20\d\d))?"
    rf"|(?P<week>\b(?:{alternatives('NEXT_WEEK')}) )?\b(?P<weekday>{_WEEKDAY}){_CASE}\b"
    r"|\b(?P<of_month>\d\d?)(?:st|nd|rd|th|[a-z]{0,3}n[dt][ae]n?)\b|\bayin (?P<its_of_month>\d\d?)[a-z]{0,6}\b"
    rf"|\b(?P<tomorrow>{alternatives('TOMORROW')})\b"
    r")(?![\d/:-]|\.\d)"
)
_ENDS_BEFORE = re.compile(
    rf"(?:\b(?:{alternatives('ENDS_BEFORE')})"
    r"\W*(?:(?:and including|including|on|in|from|as of|around|the|next|this|work|office|again|end of|"
    rf"{_WEEKDAY})\W+)*)$"
)
_RANGE_BEFORE = re.compile(r"(?:\bto|-|–|\buntil|\bthrough|\bbetween\b.{1,30}\band)(?: the| [a-z]+day,?)? ?$")
_BARE_RANGE_BEFORE = re.compile(r"\b\d{1,2}(?:st|nd|rd|th)? ?(?:to|and|-|–|ile|ve)(?: the)? ?$")  # "from 3 to" 14 March
_ENDS_AFTER = re.compile(rf"\A\W*+(?:\w++ ){{0,3}}?(?:{alternatives('ENDS_AFTER')})")
_ENDS = re.compile(r"[!?\n]|\.\s")


class _End(NamedTuple):
    day: date
    exact: bool  # written with its month, not as a weekday


def absence_until(text: str, now: datetime) -> date | None:
    """The last day of absence or the day of return, whichever is later; None without a date, or if it has passed."""
    plain = fold(visible_reply(text)[:_MAX_TEXT] or text[:_MAX_TEXT]).replace("'", "")
    today = now.date()
    ends = [end for end in _ends(plain, today) if today <= end.day <= today + _HORIZON]
    exact = [end for end in ends if end.exact]
    return max((end.day for end in exact or ends), default=None)


def _ends(text: str, today: date) -> Iterator[_End]:
    matches = list(_DATE.finditer(text))
    read = _Reader(today, has_months_first=_has_months_first(matches))
    previous, start = -100, None  # where the date before ended, and which it was: "from 3 March to 14 March"
    for match in matches:
        before = _ENDS.split(text[max(0, match.start() - 60) : match.start()])[-1]
        after = _ENDS.split(text[match.end() : match.end() + 60])[0]
        in_range = match.start() - previous < 20 and _RANGE_BEFORE.search(before)
        day = read.day(match.groupdict())
        if in_range and day and start and day < start:
            day = None if _has_year(match) else _valid(day.year + 1, day.month, day.day)
        in_range = in_range or _BARE_RANGE_BEFORE.search(before)
        if day and (_ENDS_BEFORE.search(before) or _ENDS_AFTER.match(after) or in_range):
            yield _End(day, not (match["weekday"] or match["tomorrow"]))
        previous, start = match.end(), day


def _has_months_first(matches: Sequence[re.Match[str]]) -> bool:
    """Whether the notice writes months first ("12/20/2025"): one date that can be nothing else decides for all."""
    pairs = [(int(match["day"]), int(match["month"])) for match in matches if match["day"] and match["month"]]
    days_first = any(first > 12 for first, _ in pairs)
    return not days_first and any(second > 12 for _, second in pairs)


def _has_year(match: re.Match[str]) -> bool:
    return any(match[name] for name in ("iso", "year", "its_year", "that_year"))


class _Reader(NamedTuple):
    """Reads dates as one notice writes them."""

    today: date
    has_months_first: bool

    def day(self, parts: dict[str, str | None]) -> date | None:
        """The day of a match, by the names of its groups."""
        if parts["iso"]:
            return _valid(*(int(part) for part in parts["iso"].split("-")))
        if parts["tomorrow"]:
            return self.today + timedelta(days=1)
        if parts["weekday"]:
            return _weekday(_WEEKDAYS[parts["weekday"]], bool(parts["week"]), self.today)
        if of_month := parts["of_month"] or parts["its_of_month"]:
            return _of_month(int(of_month), self.today)
        if parts["day"] and parts["month"]:
            return self._numeric(int(parts["day"]), int(parts["month"]), parts["year"])
        named, year = parts["its_month"] or parts["month_first"] or "", parts["its_year"] or parts["that_year"]
        return _in_year(int(parts["day_first"] or parts["its_day"] or 0), _MONTHS[named], year, self.today)

    def _numeric(self, day: int, month: int, year: str | None) -> date | None:
        if self.has_months_first or month > 12 >= day:
            day, month = month, day
        return _in_year(day, month, year, self.today)


def _valid(year: int, month: int, day: int) -> date | None:
    try:
        return date(year, month, day)
    except ValueError:
        return None


def _in_year(day: int, month: int, year: str | None, today: date) -> date | None:
    """The date in its year; without a year, the next such day."""
    if year:
        return _valid(int(year) % 100 + 2000, month, day)
    this = _valid(today.year, month, day)
    return this if this and this >= today else _valid(today.year + 1, month, day)


def _weekday(weekday: int, next_week: bool, today: date) -> date:
    monday = today - timedelta(days=today.weekday())
    if next_week:
        return monday + timedelta(days=7 + weekday)
    return today + timedelta(days=(weekday - today.weekday() - 1) % 7 + 1)


def _of_month(day: int, today: date) -> date | None:
    this = _valid(today.year, today.month, day)
    if this and this >= today:
        return this
    return _valid(today.year + today.month // 12, today.month % 12 + 1, day)
