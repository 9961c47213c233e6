"""The error of the embedded PostgreSQL."""

import errno
from pathlib import Path

from crm_graph.errors import SetupError

_FULL = (errno.ENOSPC, errno.EDQUOT)
_FULL_MESSAGES = ("No space left on device", "Disk quota exceeded")  # libc's, which PostgreSQL repeats


class EmbeddedError(SetupError):
    """The embedded PostgreSQL can't run until the operator changes something; the message says what."""


def is_disk_full(cause: BaseException | str) -> bool:
    """Whether an exception, or what a program printed in English, says that the disk is full."""
    text = str(cause)
    return getattr(cause, "errno", None) in _FULL or any(message in text for message in _FULL_MESSAGES)


def disk_full(folder: Path) -> EmbeddedError:
    """The error for a disk, or a user's share of it, without room for the database."""
    return EmbeddedError(
        f"the disk of {folder} is full: make room there, or choose another CRM_DATA_DIR; then try again"
    )
