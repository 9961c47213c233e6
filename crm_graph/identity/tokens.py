"""Bearer tokens: JSON Web Tokens, signed with JWT_SECRET (HS256)."""

import logging
import re
import uuid
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Self

import jwt

from crm_graph.errors import Unauthenticated, ValidationFailed
from crm_graph.settings import Settings
from crm_graph.values import utc_now

log = logging.getLogger(__name__)
ALGORITHM = "HS256"  # fixed here, never taken from a token's header (RFC 8725, 3.1)
LEEWAY = timedelta(seconds=30)
TOKEN_MAX = 8_192
SUBJECT_MAX = 320
EXP_MAX = 253_402_300_799  # the last second of the year 9999
TTL_MAX = timedelta(days=400)
# RFC 6750, 2.1, with the three parts of a signed token, without padding. PyJWT refuses other spellings of their bytes.
_BEARER = re.compile(r"bearer +([\w-]+\.[\w-]+\.[\w-]+)", re.ASCII | re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Claims:
    """The claims of a valid token: its subject, how many seconds it stays valid, and its id if that is a UUID."""

    subject: str
    seconds_left: float
    token_id: uuid.UUID | None = None


@dataclass(frozen=True, slots=True)
class Tokens:
    """Issues and verifies tokens with one key and, if set, one issuer and one audience.

    Tokens that were issued before `not_before` are refused, and those that don't say when.
    """

    key: bytes
    issuer: str | None = None
    audience: str | None = None
    not_before: datetime | None = None

    @classmethod
    def of(cls, settings: Settings) -> Self:
        """As the settings say. Raises SetupError without a safe JWT_SECRET."""
        return cls(settings.jwt_key(), settings.jwt_issuer, settings.jwt_audience, settings.jwt_not_before)

    def issue(self, subject: str, ttl: timedelta, now: datetime, *, token_id: uuid.UUID | None = None) -> str:
        """A bearer token for an owner (`subject` is the id or e-mail), valid for `ttl` from `now`.

        Raises ValidationFailed for a `ttl` above TTL_MAX, or when JWT_NOT_BEFORE would refuse the token.
        """
        if ttl > TTL_MAX:
            raise ValidationFailed(f"a token is valid for at most {TTL_MAX.days} days", field="ttl")
        if self.not_before is not None and now < self.not_before:
            raise ValidationFailed(f"JWT_NOT_BEFORE is in the future ({self.not_before}): it refuses every token")
        claims: dict[str, object] = {"sub": subject, "iat": int(now.timestamp()), "exp": int((now + ttl).timestamp())}
        claims |= {"jti": str(token_id)} if token_id else {}
        claims |= {"iss": self.issuer} if self.issuer else {}
        claims |= {"aud": self.audience} if self.audience else {}
        return jwt.encode(claims, self.key, algorithm=ALGORITHM)

    def verify(self, token: str) -> Claims:
        """The claims of a valid token. Raises Unauthenticated; only the holder of a token that we signed learns why."""
        required = ["exp", "sub"] + ["iss"] * bool(self.issuer) + ["aud"] * bool(self.audience)
        required += ["iat"] * (self.not_before is not None)
        try:
            if "crit" in jwt.get_unverified_header(token):  # RFC 7515, 4.1.11: we support no extension
                raise _refused("it has the header crit")
            claims = jwt.decode(
                token,
                self.key,
                algorithms=[ALGORITHM],
                leeway=LEEWAY,
                issuer=self.issuer,
                audience=self.audience,
                options={"require": required, "strict_aud": True, "enforce_minimum_key_length": True},
            )
        except jwt.ExpiredSignatureError:  # raised after the signature was verified
            raise Unauthenticated("the token has expired; get a new one") from None
        except (jwt.PyJWTError, ValueError, TypeError, OverflowError, RecursionError) as error:
            raise _refused(_reason(error)) from None
        subject = claims["sub"]
        # PyJWT accepts "9999999999" and 1e30 as times; RFC 7519 requires a number, which some libraries write as 1e9.
        if not all(_is_whole(claims[name]) for name in ("exp", "nbf", "iat") if name in claims):
            raise _refused("exp, nbf and iat must be whole numbers of seconds")
        if claims["exp"] > EXP_MAX:
            raise _refused("exp is after the year 9999")
        if not isinstance(subject, str) or not 0 < len(subject) <= SUBJECT_MAX:
            raise _refused(f"sub must be a text of at most {SUBJECT_MAX} characters")
        if self.not_before is not None and claims["iat"] < int(self.not_before.timestamp()):
            raise Unauthenticated("the token was revoked; get a new one")
        seconds_left = claims["exp"] + LEEWAY.total_seconds() - utc_now().timestamp()
        return Claims(subject, seconds_left, _token_id(claims.get("jti")))


def _is_whole(time: object) -> bool:
    return type(time) is int or (type(time) is float and time.is_integer())


def _refused(reason: str) -> Unauthenticated:
    """The refusal of a token that we did not sign, or not like this: only the log says why."""
    log.info("token refused: %s", reason)
    return Unauthenticated()


def _reason(error: Exception) -> str:
    """Why PyJWT refuses a token, without what the token says."""
    match error:
        case jwt.InvalidSignatureError():
            return "it was signed with another key than JWT_SECRET"
        case jwt.MissingRequiredClaimError():
            return f"it has no claim {error.claim}"
        case jwt.InvalidAlgorithmError():
            return f"its algorithm is not {ALGORITHM}"
        case jwt.InvalidIssuerError():
            return "its issuer is not JWT_ISSUER"
        case jwt.InvalidAudienceError():
            return "its audience is not JWT_AUDIENCE"
        case jwt.ImmatureSignatureError():
            return "it is not valid yet: compare the clocks"
    return "it is malformed"


def _token_id(jti: object) -> uuid.UUID | None:
    """The id of a token; None for one that was made elsewhere, whose id has another form or is missing."""
    try:
        return uuid.UUID(jti) if isinstance(jti, str) else None
    except ValueError:
        return None


def read_bearer(authorization: list[str]) -> str:
    """The bearer token in a request's only Authorization header; raises Unauthenticated."""
    if len(authorization) != 1 or len(authorization[0]) > TOKEN_MAX:
        raise Unauthenticated
    found = _BEARER.fullmatch(authorization[0])
    if found is None:
        raise Unauthenticated
    return found[1]
