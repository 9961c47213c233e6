"""One finished data folder for all tests here, and a watch over the servers that they leave."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from crm_graph.embedded import runner
from tests.support.data_folders import make_folder, modes
from tests.support.postgres_processes import Made, servers, start


@pytest.fixture(scope="session")
def system_dir() -> Iterator[Path]:
    folder = make_folder()
    yield folder / "var"
    shutil.rmtree(folder)


@pytest.fixture(scope="session")
def made(system_dir: Path) -> Iterator[Made]:
    folder = make_folder()
    data_dir = folder / "Müşteri 数据" / 'it\'s "$HOME" `x` \\ %41'
    half_an_initdb = data_dir / "cluster.new-killed"
    half_an_initdb.mkdir(parents=True)
    (half_an_initdb / "PG_VERSION").write_text("18\n")
    data_dir.parent.chmod(0o751)
    modes_before = modes([data_dir, *data_dir.parents])
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(runner, "SYSTEM_DIR", system_dir)
        with start(data_dir):
            pass
    yield Made(data_dir, half_an_initdb, modes_before)
    shutil.rmtree(folder)


@pytest.fixture(scope="session")
def data_dir(made: Made) -> Path:
    """One finished data folder for all tests, which leave it whole: initdb takes a second."""
    return made.data_dir


@pytest.fixture
def folder() -> Iterator[Path]:
    path = make_folder()
    yield path
    shutil.rmtree(path)


@pytest.fixture(autouse=True)
def _no_server_is_left(
    system_dir: Path, data_dir: Path, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[None]:
    monkeypatch.setattr(runner, "SYSTEM_DIR", system_dir)
    yield
    left = [process for place in (system_dir, data_dir, folder) for process in servers(place)]
    for process in left:
        process.kill()
    assert not left, "the test left a server running"
