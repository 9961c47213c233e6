"""Absence: the date in an out-of-office notice, in English or Turkish.

A date counts only next to a word that says that the absence ends there ("until", "back on", "kadar", "döneceğim"), or
as the end of a range. Days come before months ("03/04" is 3 April) unless that is not a valid date.
"""

import re
from collections.abc import Iterator
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
    previous = -100  # where the date before ended: "from 3 March to 14 March"
    for match in _DATE.finditer(text):
        before = _ENDS.split(text[max(0, match.start() - 60) : match.start()])[-1]
        after = _ENDS.split(text[match.end() : match.end() + 60])[0]
        in_range = match.start() - previous < 20 and _RANGE_BEFORE.search(before)
        in_range = in_range or _BARE_RANGE_BEFORE.search(before)
        if _ENDS_BEFORE.search(before) or _ENDS_AFTER.match(after) or in_range:
            day = _day(match.groupdict(), today)
            if day:
                yield _End(day, not (match["weekday"] or match["tomorrow"]))
        previous = match.end()


def _day(parts: dict[str, str | None], today: date) -> date | None:
    if parts["iso"]:
        return _valid(*(int(part) for part in parts["iso"].split("-")))
    if parts["tomorrow"]:
        return today + timedelta(days=1)
    if parts["weekday"]:
        return _weekday(_WEEKDAYS[parts["weekday"]], bool(parts["week"]), today)
    if of_month := parts["of_month"] or parts["its_of_month"]:
        return _of_month(int(of_month), today)
    if parts["day"] and parts["month"]:
        return _numeric(int(parts["day"]), int(parts["month"]), parts["year"], today)
    named = parts["its_month"] or parts["month_first"] or ""
    return _in_year(
        int(parts["day_first"] or parts["its_day"] or 0), _MONTHS[named], parts["its_year"] or parts["that_year"], today
    )


def _valid(year: int, month: int, day: int) -> date | None:
    try:
        return date(year, month, day)
    except ValueError:
        return None


def _numeric(day: int, month: int, year: str | None, today: date) -> date | None:
    if month > 12 >= day:
        day, month = month, day
    return _in_year(day, month, year, today)


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
