"""File locks, which end with the process that holds them, however it ends."""

import fcntl
import os
import time
from pathlib import Path


def open_lock(path: Path) -> int:
    """The descriptor of a lock file, made when it is missing, but not locked yet."""
    return os.open(path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW, 0o600)


def try_lock(lock: int, how: int) -> bool:
    """Lock it now, as fcntl.LOCK_SH or LOCK_EX; False if somebody else's lock is in the way."""
    try:
        fcntl.flock(lock, how | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def lock_within(lock: int, seconds: float) -> bool:
    """Lock it exclusively, waiting at most so long; False if it stays locked."""
    deadline = time.monotonic() + seconds
    while not try_lock(lock, fcntl.LOCK_EX):
        if time.monotonic() > deadline:
            return False
        time.sleep(0.02)
    return True


def unlock(lock: int) -> None:
    """Give up the lock and its descriptor."""
    fcntl.flock(lock, fcntl.LOCK_UN)  # closing isn't enough while a forked child still has a copy
    os.close(lock)
