"""npm packages in their cache: whole or absent, also when two installs run at once, and one line when npm can't."""

import json
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from bench.node import NodeMissing, npm_packages


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("CRM_CACHE_DIR", str(tmp_path / "cache"))
    monkeypatch.setenv("npm_config_cache", str(tmp_path / "npm"))
    monkeypatch.setenv("npm_config_registry", "http://127.0.0.1:1")
    monkeypatch.setenv("npm_config_fetch_retries", "0")
    return tmp_path / "cache"


def locked(folder: Path, dependencies: dict[str, str]) -> Path:
    """A folder with a manifest and its lock."""
    folder.mkdir()
    packages = {"": {"name": folder.name, "dependencies": dependencies}} | {
        f"node_modules/{name}": {"version": version} for name, version in dependencies.items()
    }
    (folder / "package.json").write_text(json.dumps(packages[""]))
    lock = {"name": folder.name, "lockfileVersion": 3, "requires": True, "packages": packages}
    (folder / "package-lock.json").write_text(json.dumps(lock))
    return folder


def test_at_once(cache: Path, tmp_path: Path) -> None:
    folder = locked(tmp_path / "empty", {})
    with ThreadPoolExecutor() as threads:
        first, second = threads.map(npm_packages, [folder, folder])
    assert first == second
    assert list(cache.iterdir()) == [first]
    assert (first / "package-lock.json").read_bytes() == (folder / "package-lock.json").read_bytes()


def test_a_registry_out_of_reach(cache: Path, tmp_path: Path) -> None:
    folder = locked(tmp_path / "rival", {"is-number": "7.0.0"})
    with pytest.raises(NodeMissing, match=r"^npm can't install the packages of rival: .*ECONNREFUSED.*$"):
        npm_packages(folder)
    assert not list(cache.iterdir())
