"""Intent: classifies a reply in English or Turkish by documented rules.

`classify` returns the reply's status, `visible_reply` its text without quoted history, `absence_until` the date in an
out-of-office notice. Nothing here uses a clock, a network or a database.
"""

from crm_graph.intent.absence import absence_until
from crm_graph.intent.quoting import visible_reply
from crm_graph.intent.rules import classify
from crm_graph.intent.verdict import REVIEW_THRESHOLD, Status, Verdict

__all__ = ["REVIEW_THRESHOLD", "Status", "Verdict", "absence_until", "classify", "visible_reply"]
