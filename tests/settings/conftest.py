"""No settings but those of a test."""

import os
from pathlib import Path

import pytest

from tests.support.settings_values import NAMES


@pytest.fixture(autouse=True)
def _nothing_is_set(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Neither the environment variables nor the .env of the person who runs the tests."""
    for name in os.environ:
        if name.upper() in NAMES:
            monkeypatch.delenv(name)
    monkeypatch.chdir(tmp_path)
