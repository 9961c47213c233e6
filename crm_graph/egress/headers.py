"""The static headers of an endpoint: which an operator may set, and which are ours."""

import re
from collections.abc import Mapping

from crm_graph.errors import ValidationFailed

HEADERS_MAX = 20
HEADER_VALUE_MAX = 4096
_TOKEN = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")  # RFC 9110, 5.6.2
_VALUE = re.compile(r"[\t\x20-\x7e\xa0-\xff]*")
_OUR_HEADERS = frozenset(
    (
        "accept-encoding",
        "connection",
        "content-encoding",
        "content-length",
        "content-type",
        "expect",
        "host",
        "keep-alive",
        "te",
        "traceparent",
        "tracestate",
        "trailer",
        "transfer-encoding",
        "upgrade",
        "user-agent",
    )
)
_OUR_PREFIXES = ("proxy-", "webhook-", "x-signature")


def check_headers(headers: Mapping[str, str]) -> dict[str, str]:
    """Check an endpoint's static headers and return them with lower-case names.

    Raises ValidationFailed with field `headers`; no message shows a value, since values are credentials.
    """
    if len(headers) > HEADERS_MAX:
        raise ValidationFailed(f"headers has more than {HEADERS_MAX} entries", field="headers")
    checked: dict[str, str] = {}
    for name, value in headers.items():
        key, value = name.lower(), value.strip(" \t")
        if not _TOKEN.fullmatch(name) or len(name) > 100:
            raise ValidationFailed(f"headers: {name[:100]!a} is not a valid header name", field="headers")
        if key in _OUR_HEADERS or key.startswith(_OUR_PREFIXES):
            raise ValidationFailed(f"headers: {key} is set by crm-graph itself; leave it out", field="headers")
        if key in checked:
            raise ValidationFailed(f"headers: {key} is given twice", field="headers")
        if len(value) > HEADER_VALUE_MAX or not _VALUE.fullmatch(value):
            message = f"headers: the value of {key} is too long, or not one line of Latin-1 text"
            raise ValidationFailed(message, field="headers")
        checked[key] = value
    return checked
