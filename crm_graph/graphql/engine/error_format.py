"""The message of an error, and the field that it is about, as the API shows them."""

from crm_graph.errors import CrmError
from crm_graph.graphql.engine.library_internals import camel_case


def describe_error(error: CrmError, field: str | None = None) -> tuple[str, str | None]:
    """The message and the field, as inputs spell it: the error's own, or `field`. The message always names it."""
    message = error.message
    if error.field:
        field = camel_case(error.field)
        message = message.replace(error.field, field)
    # n8n shows only the message.
    return (f"{field}: {message}" if field and field not in message else message), field
