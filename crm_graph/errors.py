"""The errors that callers can see: code, HTTP status, and a message that says what to do.

    CrmError
    |- BadRequest            the request itself is malformed
    |  |- PayloadTooLarge      the body is larger than the endpoint accepts
    |  |- HeadersTooLarge      the headers are larger, or more, than the server accepts
    |  |- UnsupportedMedia     the media type or content encoding is not supported
    |  |- QueryTooComplex      a GraphQL document that costs too much
    |- Unauthenticated       no valid bearer token
    |- Forbidden             the role may not do this
    |- NotFound              no such object, or not visible to the caller: the response is the same
    |- ValidationFailed      a value is not acceptable; `field` names it
    |- Conflict              the current state does not allow it
    |  |- VersionConflict      the row changed since the caller read it; `details` has the current version
    |  |- IdempotencyMismatch  the idempotency key was used with another input
    |- LimitReached          too many of something at once; retry after `retry_after` seconds
    |- Unavailable           the database can't be reached in time; retry
    |  |- LostRace             too many concurrent changes of the same rows; retry
    |- SignatureMissing, SignatureInvalid, SecretNotConfigured, KeyReused, ApplyFailed   (ingest)

    SetupError               the operator must fix something first
    |- SettingsError           settings are wrong; one line for each problem

A class's docstring is its default message; `details` are for programs. GraphQL shows `code` in upper case, REST in
lower case.
"""

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

RETRY_AFTER_SECONDS = 5


class CrmError(Exception):
    """something went wrong inside crm-graph; the log has the cause under the request id"""

    code: ClassVar[str] = "INTERNAL"
    status: ClassVar[int] = 500
    retry_after: int | None = None  # seconds, for the header Retry-After (RFC 9110, 10.2.3)

    def __init__(
        self, message: str | None = None, *, field: str | None = None, details: Mapping[str, Any] | None = None
    ) -> None:
        self.message = message or (type(self).__doc__ or "")
        self.field = field
        self.details = details or {}
        super().__init__(self.message)


class BadRequest(CrmError):
    """the request is malformed"""

    code, status = "BAD_REQUEST", 400


class PayloadTooLarge(BadRequest):
    """the request body is larger than this endpoint accepts"""

    code, status = "PAYLOAD_TOO_LARGE", 413


class HeadersTooLarge(BadRequest):
    """the request's headers are too large"""

    code, status = "HEADERS_TOO_LARGE", 431


class UnsupportedMedia(BadRequest):
    """this media type or content encoding is not supported here"""

    code, status = "UNSUPPORTED_MEDIA_TYPE", 415


class QueryTooComplex(BadRequest):
    """the query asks for too much at once; ask for fewer fields or levels"""

    code = "QUERY_TOO_COMPLEX"


class Unauthenticated(CrmError):
    """a valid bearer token is required"""

    code, status = "UNAUTHENTICATED", 401


class Forbidden(CrmError):
    """your role may not do this"""

    code, status = "FORBIDDEN", 403


class NotFound(CrmError):
    """not found"""

    code, status = "NOT_FOUND", 404


class ValidationFailed(CrmError):
    """a value is not acceptable"""

    code, status = "VALIDATION", 422


class Conflict(CrmError):
    """the current state does not allow this"""

    code, status = "CONFLICT", 409


class VersionConflict(Conflict):
    """it was changed since you read it; read it again, then decide"""

    code = "VERSION_CONFLICT"


class IdempotencyMismatch(Conflict):
    """this idempotency key was used with another input; use a new key for a new call"""

    code = "IDEMPOTENCY_MISMATCH"


class LimitReached(CrmError):
    """there are too many of these at once; end one, or try again later"""

    code, status = "LIMIT_REACHED", 429

    def __init__(self, message: str | None = None, *, retry_after: int = RETRY_AFTER_SECONDS) -> None:
        super().__init__(message)
        self.retry_after = retry_after


class Unavailable(CrmError):
    """the database can't be reached or is too busy; a change that was not confirmed was not made: retry in a moment"""

    code, status = "UNAVAILABLE", 503
    retry_after = RETRY_AFTER_SECONDS


class LostRace(Unavailable):
    """too many changes of the same rows at once; nothing was changed: retry in a moment"""


class SignatureMissing(CrmError):
    """the request carries no signature or token that this endpoint knows; docs/webhooks.md says how to set it up"""

    code, status = "SIGNATURE_MISSING", 401


class SignatureInvalid(CrmError):
    """the signature or token does not match the body; sign the exact bytes with the configured secret"""

    code, status = "SIGNATURE_INVALID", 401


class SecretNotConfigured(CrmError):
    """no secret is configured for this provider, so nothing it sends can be verified"""

    code, status = "SECRET_NOT_CONFIGURED", 503


class KeyReused(CrmError):
    """this idempotency key already belongs to an event with another body; the new body is kept as quarantined"""

    code, status = "KEY_REUSED", 422


class ApplyFailed(CrmError):
    """the event is stored but could not be applied; send it again with the same key, or replay it"""

    code, status = "APPLY_FAILED", 500


class SetupError(Exception):
    """The operator must fix something before the command can run; the message is printed as one line."""


class SettingsError(SetupError):
    """Settings are wrong. `problems` has one line for each problem, without values."""

    def __init__(self, problems: Sequence[str]) -> None:
        self.problems = tuple(problems)
        super().__init__("; ".join(problems))
