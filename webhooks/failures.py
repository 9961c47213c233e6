"""Why an event could not be applied: the reason that an admin may read, and the details that go into the log."""

import logging
import uuid

import psycopg
from sqlalchemy.exc import DBAPIError

from crm_graph.database.engine import sqlstate
from crm_graph.errors import CrmError, ValidationFailed
from crm_graph.models import WebhookStatus

log = logging.getLogger(__name__)

DatabaseError = (DBAPIError, psycopg.Error)  # as SQLAlchemy raises it, and the driver


class NotApplied(Exception):
    """An event can't be applied. Its transaction is rolled back; `status` and `reason` are recorded in another one."""

    def __init__(self, status: WebhookStatus, reason: str) -> None:
        self.status, self.reason = status, reason
        super().__init__(reason)


def not_applied(webhook_id: uuid.UUID, error: Exception) -> NotApplied:
    """Log what failed, and turn it into the status and reason to record."""
    if isinstance(error, ValidationFailed):
        log.warning("event quarantined", extra={"details": {"webhook_id": webhook_id, "reason": error.message}})
        return NotApplied(WebhookStatus.QUARANTINED, error.message)
    reason = _reason(error)
    _log_error(webhook_id, reason, error)
    return NotApplied(WebhookStatus.ERROR, reason)


def _log_error(webhook_id: uuid.UUID, reason: str, error: Exception) -> None:
    details: dict[str, object] = {"webhook_id": webhook_id, "reason": reason}
    if isinstance(error, DatabaseError):
        # Without the error's text: PostgreSQL's DETAIL quotes the row, and so what somebody wrote to us.
        diagnosis = getattr(getattr(error, "orig", None) or error, "diag", None)
        details |= {"sqlstate": sqlstate(error), "constraint": getattr(diagnosis, "constraint_name", None)}
        log.error("event not applied", extra={"details": details})
    else:
        log.error("event not applied", exc_info=error, extra={"details": details})


def _reason(error: Exception) -> str:
    """The reason in our own words: never SQL, values or paths."""
    if isinstance(error, CrmError):
        return error.message
    if isinstance(error, DatabaseError):
        return f"database error {sqlstate(error) or type(error).__name__}; the log has the cause"
    return f"{type(error).__name__}; the log has the cause under this webhook's id"
