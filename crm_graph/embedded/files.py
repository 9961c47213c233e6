"""Creates folders and files atomically, with exact modes, and never through a link that another user placed."""

import os
import tempfile
from contextlib import suppress
from pathlib import Path
from typing import IO


def make_dir(path: Path, mode: int) -> None:
    """Create a folder if it is missing. An existing folder keeps its mode, which its owner may have chosen."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with suppress(FileExistsError):
        path.mkdir(mode)
        path.chmod(mode)  # whatever the umask is


def make_data_dir(path: Path) -> None:
    """Create a data folder if it is missing; root's server runs as another user, who must be able to pass through."""
    make_dir(path, 0o711 if os.geteuid() == 0 else 0o700)


def write_atomically(path: Path, text: str, mode: int) -> None:
    """Write a file completely or not at all, never through a link."""
    handle, staging = tempfile.mkstemp(prefix=f"{path.name}.", dir=path.parent)
    with open(handle, "w", encoding="utf-8") as file:
        file.write(text)
        os.fchmod(handle, mode)
        file.flush()
        os.fsync(handle)
    os.replace(staging, path)
    sync_dir(path.parent)


def sync_dir(path: Path) -> None:
    """Make renames in the folder survive a power cut."""
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def open_log(path: Path) -> IO[bytes]:
    """Open a new log; the previous one is kept as `.1`, to show why the last server died."""
    with suppress(FileNotFoundError):
        os.replace(path, f"{path}.1")
    return open(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_APPEND, 0o600), "wb")


def last_lines(text: str) -> str:
    """The end of a program's output, indented, for an error message."""
    return "\n".join(f"  {line}" for line in text.strip().splitlines()[-8:])
