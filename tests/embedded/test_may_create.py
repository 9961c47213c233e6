"""Only who may create a cluster does."""

from pathlib import Path

import pytest

from crm_graph.embedded import EmbeddedError, EmbeddedPostgres
from tests.support.postgres_processes import ask

pytestmark = pytest.mark.slow


def test_without_leave_a_missing_cluster_is_not_created_and_nothing_is_left(folder: Path) -> None:
    (folder / "empty").mkdir()
    for data_dir in (folder / "missing", folder / "empty"):
        with pytest.raises(EmbeddedError, match=f"^there is no database in {data_dir}: run crm-graph migrate"):
            EmbeddedPostgres(data_dir, may_create=False).__enter__()
    assert [path.name for path in folder.rglob("*")] == ["empty"]


def test_a_pointer_without_its_cluster_creates_none(folder: Path) -> None:
    (folder / "cluster.path").write_text("/nowhere")
    with pytest.raises(EmbeddedError):
        EmbeddedPostgres(folder, may_create=False).__enter__()
    assert not (folder / "cluster").exists()


def test_an_existing_cluster_is_started(data_dir: Path) -> None:
    with EmbeddedPostgres(data_dir, durable=False, may_create=False) as postgres:
        assert ask(postgres, "SELECT 1") == [(1,)]
