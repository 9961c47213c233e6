"""Containers, where a process sees fewer other processes than usual."""

import shutil
import subprocess
from pathlib import Path

import pytest

from tests.support.postgres_processes import as_root, child, leave, servers, start, the_server


@as_root
@pytest.mark.skipif(not shutil.which("setpriv"), reason="setpriv is not installed")
def test_root_in_a_container_that_may_not_inspect_processes_still_finds_the_server(data_dir: Path) -> None:
    missing = "-sys_ptrace,-sys_admin"
    like_docker = ("setpriv", f"--bounding-set={missing}", f"--inh-caps={missing}", "--groups=0,4")
    with child(data_dir, *like_docker) as first:
        server = the_server(data_dir)
        groups = subprocess.run(["ps", "-o", "supgid=", str(server.pid)], capture_output=True, text=True).stdout
        assert not {"0", "4"} & set(groups.strip().split(","))
        first.kill()
        first.wait()
        with child(data_dir, *like_docker) as second:
            assert the_server(data_dir) == server
            assert leave(second) == 0
    assert servers(data_dir) == []


@as_root
@pytest.mark.skipif(not shutil.which("unshare"), reason="unshare is not installed")
def test_a_server_in_another_pid_namespace_is_never_taken_for_dead(data_dir: Path) -> None:
    apart = ("unshare", "--pid", "--fork", "--mount-proc")
    if subprocess.run([*apart, "true"], capture_output=True).returncode:
        pytest.skip("no namespaces may be made here")
    with start(data_dir) as postgres:
        before = the_server(data_dir)
        Path(postgres.conninfo("app_user")["host"], ".s.PGSQL.5432").unlink()  # as if it were in the other's /tmp
        with child(data_dir, *apart) as elsewhere:
            assert "a server that this process can't see" in elsewhere.first_line
        assert the_server(data_dir) == before
        assert (data_dir / "cluster" / "postmaster.pid").read_text().startswith(f"{before.pid}\n")
    assert servers(data_dir) == []
