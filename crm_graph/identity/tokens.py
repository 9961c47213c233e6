"""Bearer tokens: JSON Web Tokens, signed with JWT_SECRET (HS256)."""

from dataclasses import dataclass
from datetime import datetime, timedelta

import jwt

from crm_graph.errors import Unauthenticated
from crm_graph.values import utc_now

ALGORITHM = "HS256"  # fixed here, never taken from a token's header (RFC 8725, 3.1)
LEEWAY = timedelta(seconds=30)
TOKEN_MAX = 8_192
SUBJECT_MAX = 320
EXP_MAX = 253_402_300_799  # the last second of the year 9999


@dataclass(frozen=True, slots=True)
class Claims:
    """The claims of a valid token: its subject, and how many seconds it stays valid."""

    subject: str
    seconds_left: float


@dataclass(frozen=True, slots=True)
class Tokens:
    """Issues and verifies tokens with one key and, if set, one issuer and one audience."""

    key: bytes
    issuer: str | None = None
    audience: str | None = None

    def issue(self, subject: str, ttl: timedelta, now: datetime) -> str:
        """A bearer token for an owner (`subject` is the id or e-mail), valid for `ttl` from `now`."""
        claims: dict[str, object] = {"sub": subject, "iat": int(now.timestamp()), "exp": int((now + ttl).timestamp())}
        claims |= {"iss": self.issuer} if self.issuer else {}
        claims |= {"aud": self.audience} if self.audience else {}
        return jwt.encode(claims, self.key, algorithm=ALGORITHM)

    def verify(self, token: str) -> Claims:
        """The claims of a valid token. Raises Unauthenticated; only the holder of a token that we signed learns why."""
        required = ["exp", "sub"] + ["iss"] * bool(self.issuer) + ["aud"] * bool(self.audience)
        try:
            if "crit" in jwt.get_unverified_header(token):  # RFC 7515, 4.1.11: we support no extension
                raise Unauthenticated
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
        except (jwt.PyJWTError, ValueError, TypeError, OverflowError, RecursionError):
            raise Unauthenticated from None
        subject = claims["sub"]
        # PyJWT accepts "9999999999" and 1e30 as times; RFC 7519 requires a number, and ours are integers.
        are_integers = all(type(claims[name]) is int for name in ("exp", "nbf", "iat") if name in claims)
        if (
            not are_integers
            or claims["exp"] > EXP_MAX
            or not isinstance(subject, str)
            or not 0 < len(subject) <= SUBJECT_MAX
        ):
            raise Unauthenticated
        return Claims(subject, claims["exp"] + LEEWAY.total_seconds() - utc_now().timestamp())


def read_bearer(authorization: list[str]) -> str:
    """The bearer token in a request's only Authorization header; raises Unauthenticated."""
    if len(authorization) != 1:
        raise Unauthenticated
    scheme, _, token = authorization[0].partition(" ")
    if scheme.lower() != "bearer" or not token.isascii() or len(token) > TOKEN_MAX:
        raise Unauthenticated
    return token.strip()
