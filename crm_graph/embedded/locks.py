"""File locks. A lock ends with the process that holds it, even if that is killed."""

import fcntl
import os
import time
from pathlib import Path


def open_lock(path: Path) -> int:
    """Open a lock file, creating it if it is missing; returns its descriptor, not locked yet."""
    return os.open(path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW, 0o600)


def try_lock(lock: int, mode: int) -> bool:
    """Lock without waiting, as fcntl.LOCK_SH or LOCK_EX; returns False if another lock is in the way."""
    try:
        fcntl.flock(lock, mode | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def lock_within(lock: int, seconds: float) -> bool:
    """Lock exclusively, waiting at most `seconds`; returns False on timeout."""
    deadline = time.monotonic() + seconds
    while not try_lock(lock, fcntl.LOCK_EX):
        if time.monotonic() > deadline:
            return False
        time.sleep(0.02)
    return True


def unlock(lock: int) -> None:
    """Unlock and close the descriptor."""
    fcntl.flock(lock, fcntl.LOCK_UN)  # closing isn't enough while a forked child still has a copy
    os.close(lock)
