"""Making folders and files: in one step, with exact modes, never through a link that somebody else put there."""

import os
import tempfile
from contextlib import suppress
from pathlib import Path
from typing import IO


def make_dir(path: Path, mode: int) -> None:
    """Make the folder if it is missing. One that exists stays as it is: its modes are its owner's decision."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with suppress(FileExistsError):
        path.mkdir(mode)
        path.chmod(mode)  # whatever the umask took


def write_whole(path: Path, text: str, mode: int) -> None:
    """Write all of it or nothing, never through a link."""
    handle, staging = tempfile.mkstemp(prefix=f"{path.name}.", dir=path.parent)
    with open(handle, "w", encoding="utf-8") as file:
        file.write(text)
        os.fchmod(handle, mode)
        file.flush()
        os.fsync(handle)
    os.replace(staging, path)
    sync_dir(path.parent)


def sync_dir(path: Path) -> None:
    """Make what was renamed in the folder survive a power cut."""
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def open_log(path: Path) -> IO[bytes]:
    """A new log for each start; the one before is kept for whoever asks why the server died."""
    with suppress(FileNotFoundError):
        os.replace(path, f"{path}.1")
    return open(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_APPEND, 0o600), "wb")


def last_lines(text: str) -> str:
    """The end of a program's output, indented, for an error message."""
    return "\n".join(f"  {line}" for line in text.strip().splitlines()[-8:])
