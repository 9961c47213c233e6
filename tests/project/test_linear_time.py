"""What reads outside text takes linear time, for texts made to be hard; 1 MB each in `make fuzz`."""

import os
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime
from time import thread_time

import pytest

from crm_graph import values
from crm_graph.errors import CrmError
from crm_graph.import_export import formula_escaping
from crm_graph.intent import absence_until, classify, visible_reply
from crm_graph.intent.folding import fold
from webhooks import extract
from webhooks.mentions import mentioned

SIZE = 1_000_000
pytestmark = pytest.mark.skipif("FUZZ_EXAMPLES" not in os.environ, reason="takes a minute: see make fuzz")
NOW = datetime(2026, 1, 5, tzinfo=UTC)
FUNCTIONS: dict[str, Callable[[str], object]] = {
    "visible_reply": visible_reply,
    "classify": classify,
    "absence_until": lambda text: absence_until(text, NOW),
    "fold": fold,
    "mentioned": lambda text: mentioned([text, f"{text} @ a@b.example"]),
    "normal_email": values.normal_email,
    "normal_domain": values.normal_domain,
    "clean_line": values.clean_line,
    "clean_text": values.clean_text,
    "name_key": values.name_key,
    "parse_time": lambda text: values.parse_time(text, now=NOW),
    "check_name": values.check_name,
    "check_url": lambda text: values.check_url(f"https://{text}", field="url"),
    "html": lambda text: extract.text({"body_html": text}, "body_html"),
    "escape": formula_escaping.escape,
}
# Repeated to SIZE: one letter, what starts and never ends, accents that have to be sorted, one that becomes 18 letters.
UNITS: tuple[str, ...] = (
    "a",
    " ",
    "\n",
    "1",
    "a ",
    "@",
    "a@",
    "<",
    "<br ",
    "&amp",
    "-",
    "=",
    "'",
    "(",
    ".",
    "x.y",
    "https://",
    "\u0f73",
)
UNITS += ("\u0301\u0323", "\ufdfa", "On 1 Max <max@a.b>\n", "wrote: ", "from: x\n", "until 3 march ", "interested? ")
UNITS += ("1 Ocak 2026 tarihinde ", "Thanks,\n\n", "not interested but ", "+1 (", "sent from my iphone ")


@pytest.mark.parametrize("name", FUNCTIONS)
def test_hard_texts_take_a_fraction_of_a_second(name: str) -> None:
    classify("to compile the phrases, once")
    slow = {}
    for unit in UNITS:
        body = unit * (SIZE // len(unit))
        for text in (f"{body} @", f"hi{body}x"):
            started = thread_time()
            with suppress(CrmError):  # refused, and not late
                FUNCTIONS[name](text)
            if (seconds := thread_time() - started) > (10 if name == "fold" else 1):
                slow[text[:30]] = seconds

    assert not slow
