"""Which secrets are too weak to be used, why, and the line that replaces them."""

import base64
import binascii
import re
from collections.abc import Sequence
from itertools import pairwise

from pydantic import SecretStr

LENGTH_MIN = 32  # characters; as bytes also what RFC 7518, 3.2 asks of an HS256 key
DECODED_MIN = 24  # bytes after `whsec_`; Standard Webhooks 1.0.0, "signature scheme": 24 to 64
OLD_LENGTH_MIN = 8  # of an old secret that is accepted while it is being replaced
DIFFERENT_MIN = 8  # characters; 32 random hexadecimal digits have 14 different ones on average
LISTS = ("HMAC_SHARED_SECRET_INSTANTLY", "HMAC_SHARED_SECRET_CALCOM", "INSTANTLY_WEBHOOK_TOKEN")
SINGLES = ("JWT_SECRET", "METRICS_TOKEN")
_PLACEHOLDERS = re.compile(
    "changeme|changethis|changeit|pleasechange|replaceme|replacethis|placeholder|yoursecret|yourtoken|mysecret"
    "|supersecret|topsecret|insertsecret|examplesecret|password|qwerty|letmein|opensslrand|0123456789|123456789"
)
_VERSION = re.compile(r"v\d+a?", re.ASCII)  # what a Standard Webhooks signature starts with
_MAKE = "make one with: openssl rand -hex 32"
MISSING_KEY = f"JWT_SECRET is not set: it must have at least {LENGTH_MIN} bytes; {_MAKE}"


def problems(name: str, secrets: Sequence[str]) -> list[str]:
    """Why a setting's secrets are refused, a line each without the secret itself; empty if they are strong.

    Of a list, an old secret may be somewhat short: otherwise it could not be replaced without losing events.
    """
    found = _misread_list(name, secrets)
    return [found] if found else [_line(name, secrets, i) for i, it in enumerate(secrets) if _is_refused(it, i)]


def warnings(name: str, secrets: Sequence[str]) -> list[str]:
    """Which secrets of a list are weak and accepted only because a strong one stands before them."""
    if problems(name, secrets):
        return []
    return [_line(name, secrets, i) for i, secret in enumerate(secrets) if weakness(secret)]


def plain(secrets: Sequence[SecretStr] | SecretStr | None) -> tuple[str, ...]:
    """The secrets of a setting as text."""
    if isinstance(secrets, SecretStr):
        return (secrets.get_secret_value(),)
    return tuple(secret.get_secret_value() for secret in secrets or ())


def weakness(secret: str) -> str | None:
    """What makes a secret weak; None if nothing does."""
    encoded = secret.removeprefix("whsec_")
    if secret.startswith("whsec_"):
        try:
            if len(base64.b64decode(encoded, validate=True)) < DECODED_MIN:
                return f"is too short: it must have at least {DECODED_MIN} bytes of base64 after whsec_"
        except (binascii.Error, ValueError):
            return "is not base64 after whsec_"
    elif len(secret.encode()) < LENGTH_MIN:
        return f"is too short: it must have at least {LENGTH_MIN} bytes"
    return _guessable(encoded)


def _guessable(secret: str) -> str | None:
    letters = re.sub(r"[^a-z0-9]", "", secret.lower())
    if _PLACEHOLDERS.search(letters) or re.fullmatch(r"<.*>|\$[({].*[)}]", secret):
        return "is a placeholder"
    if any(secret[unit:] == secret[:-unit] for unit in range(1, len(secret) // 2 + 1)):
        return "repeats itself"
    if len(set(secret)) < DIFFERENT_MIN:
        return "has too few different characters"
    steps = [abs(ord(a) - ord(b)) <= 1 for a, b in pairwise(secret)]
    return "is a sequence of neighbouring characters" if sum(steps) * 2 > len(steps) else None


def _is_refused(secret: str, position: int) -> bool:
    return weakness(secret) is not None and not (position > 0 and _may_be_old(secret))


def _may_be_old(secret: str) -> bool:
    """Whether a weak secret may stand behind a new one: it is short, but neither tiny nor guessed at once."""
    return len(secret) >= OLD_LENGTH_MIN and _guessable(secret.removeprefix("whsec_")) != "is a placeholder"


def _misread_list(name: str, secrets: Sequence[str]) -> str | None:
    """What is wrong with a comma that separates no secrets."""
    parts = [part.strip() for secret in secrets for part in secret.split(",")]
    if len(parts) > 1 and any(map(_VERSION.fullmatch, parts)):
        return (
            f"{name} has a comma that separates no secrets: v1,... is how Standard Webhooks writes a signature; "
            "leave out `v1,` and set the secret alone, which starts with whsec_"
        )
    if name in SINGLES and len(parts) > 1:
        return f"{name} has a comma, but it is one secret and no list; {_MAKE}"
    return None


def _line(name: str, secrets: Sequence[str], position: int) -> str:
    secret = secrets[position]
    which = f" (number {position + 1} of its list)" if len(secrets) > 1 else ""
    why = f"{name}{which} {weakness(secret)}; {_MAKE}"
    if name == "JWT_SECRET":
        return f"{why}; after {name}=<new>, issue new tokens"
    if name in SINGLES or not _may_be_old(secret):
        return f"{why}; then set {name}=<new> here and where it is used at the same time"
    if position:
        return f"{why}; {name}=<new> as soon as the sender uses the new one"
    return f"{why}; to rotate it: {name}=<new>,<old> until the sender uses the new one, then {name}=<new>"
