"""How the API tells of a failure: its field as inputs spell it, and a message that names it."""

from crm_graph.errors import CrmError
from crm_graph.graphql.engine.library_internals import camel_case


def describe_error(failure: CrmError, field: str | None = None) -> tuple[str, str | None]:
    """The message, and the field: the failure's own, else `field`."""
    message = failure.message
    if failure.field:
        field = camel_case(failure.field)
        message = message.replace(failure.field, field)
    # n8n shows nothing but the message
    return (f"{field}: {message}" if field and field not in message else message), field
