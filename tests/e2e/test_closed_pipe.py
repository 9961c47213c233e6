"""Commands whose reader goes away, as in `crm-graph schema --events | head`."""

import os
import subprocess
from pathlib import Path

import pytest

from tests.support.commands import SCRIPT, Commands, clean_environment

SECRET = "a-secret-for-the-test-of-a-closed-pipe"


@pytest.mark.parametrize("arguments", [("schema", "--events"), ("token", "--owner", "ada@seller.com")])
def test_a_reader_that_closes_its_pipe_ends_a_command_silently(
    crm: Commands, data_dir: Path, tmp_path: Path, arguments: tuple[str, ...]
) -> None:
    """A long output fails while it is printed, a short one at the end."""
    environment = {"CRM_DATA_DIR": str(data_dir), "EMBEDDED_DATABASE": "true", "JWT_SECRET": SECRET}
    crm("migrate", **environment)
    crm("owner", "add", "--name", "Ada", "--email", "ada@seller.com", **environment)
    reader, writer = os.pipe()
    os.close(reader)
    try:
        done = subprocess.run(
            [SCRIPT, *arguments],
            env=clean_environment(**environment),
            cwd=tmp_path,
            stdout=writer,
            stderr=subprocess.PIPE,
            text=True,
        )
    finally:
        os.close(writer)
    assert (done.returncode, done.stderr) == (1, "")
