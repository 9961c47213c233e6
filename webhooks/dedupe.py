"""Dedupe keys: 64 characters that identify an event or an effect, whatever its fields contain."""

import hashlib
from collections.abc import Mapping


def key_of(*parts: str) -> str:
    """The key of these texts."""
    return hashlib.sha256("|".join(parts).encode("utf-8", "surrogatepass")).hexdigest()


def body_key(body: bytes) -> str:
    """The key of the exact bytes of a body."""
    return hashlib.sha256(body).hexdigest()


def key_part(payload: Mapping[str, object], name: str) -> str:
    """A value as text, for keys only; "" for an object, a list or null."""
    value = payload.get(name)
    return str(value) if isinstance(value, str | int | float) else ""
