"""Intent: classifies a reply by documented rules, in the languages of `languages/`.

`classify` returns the reply's status, `visible_reply` its text without quoted history, `read_markup` the text of HTML,
`absence_until` the date in an out-of-office notice, `is_bounce` and `is_reaction` what is no reply of a person. Nothing
here uses a clock, a network or a database.
"""

from crm_graph.intent.absence import absence_until
from crm_graph.intent.bounces import is_bounce
from crm_graph.intent.markup import read as read_markup
from crm_graph.intent.quoting import visible_reply
from crm_graph.intent.reactions import is_reaction
from crm_graph.intent.rules import classify
from crm_graph.intent.verdict import CLOSING_THRESHOLD, REVIEW_THRESHOLD, Status, Verdict

__all__ = [
    "CLOSING_THRESHOLD",
    "REVIEW_THRESHOLD",
    "Status",
    "Verdict",
    "absence_until",
    "classify",
    "is_bounce",
    "is_reaction",
    "read_markup",
    "visible_reply",
]
