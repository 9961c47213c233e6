"""Data folders: made, moved, and looked at to see that nothing changed."""

import os
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path


def make_folder() -> Path:
    """A folder that another user may enter, unlike pytest's tmp_path under root."""
    folder = Path(tempfile.mkdtemp(prefix="crm-graph-test-", dir="/tmp"))
    folder.chmod(0o755)
    return folder.resolve()


@contextmanager
def moved(data_dir: Path, place: Path) -> Iterator[Path]:
    place.parent.mkdir(parents=True, exist_ok=True)
    data_dir.rename(place)
    try:
        yield place
    finally:
        place.rename(data_dir)


def fake_cluster(data_dir: Path, owner: int) -> Path:
    cluster = data_dir / "cluster"
    cluster.mkdir(parents=True)
    os.chown(cluster, owner, -1)
    return cluster


def modes(paths: Iterable[Path]) -> dict[Path, tuple[int, int, int]]:
    return {path: (path.stat().st_mode, path.stat().st_uid, path.stat().st_gid) for path in paths}


def snapshot(folder: Path) -> dict[Path, tuple[int, int, int]]:
    return {
        path: (path.lstat().st_mode, path.lstat().st_mtime_ns, path.lstat().st_size)
        for path in (folder, *folder.rglob("*"))
    }
