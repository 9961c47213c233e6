"""Who may connect and who may run the server, and the errors for everybody else."""

import os
import pwd
import subprocess
import warnings
from contextlib import suppress
from pathlib import Path

import pytest

from crm_graph.embedded import EmbeddedError
from tests.support.data_folders import fake_cluster, modes
from tests.support.postgres_processes import Made, as_plain_user, as_root, ask, servers, start, the_server


def test_only_our_os_user_may_connect_and_only_through_the_socket(data_dir: Path) -> None:
    us = pwd.getpwuid(os.geteuid()).pw_name
    with start(data_dir) as postgres:
        rules = "SELECT type, database, user_name, auth_method, options FROM pg_hba_file_rules"
        assert ask(postgres, rules, user="postgres") == [("local", ["all"], ["all"], "peer", ["map=crm_graph"])]
        mapped = ask(postgres, "SELECT sys_name, pg_username FROM pg_ident_file_mappings", user="postgres")
        assert sorted(mapped) == [(us, "app_admin"), (us, "app_user"), (us, "postgres"), (us, "readonly")]
        assert ask(postgres, "SHOW listen_addresses") == [("",)]
        assert the_server(data_dir).net_connections(kind="inet") == []
    by_hand = (data_dir / "cluster" / "pg_hba.conf").read_text().splitlines()
    assert {line.split()[-1] for line in by_hand if line and not line.startswith("#")} == {"peer", "reject"}


@as_root
def test_another_os_user_is_refused_even_the_one_that_runs_the_server(data_dir: Path) -> None:
    with start(data_dir) as postgres:
        server = the_server(data_dir)
        host = postgres.conninfo("postgres")["host"]
        command = [
            str(Path(server.exe()).with_name("psql")),
            "-h",
            host,
            "-U",
            "postgres",
            "-d",
            "crm",
            "-c",
            "SELECT 1",
        ]
        runner = subprocess.run(command, user=server.username(), cwd="/", capture_output=True, text=True)
        assert "Peer authentication failed" in runner.stderr
        stranger = subprocess.run(command, user="daemon", cwd="/", capture_output=True, text=True)
        assert "Permission denied" in stranger.stderr


@as_root
def test_root_lets_an_unprivileged_user_run_it_and_changes_no_folder_of_others(made: Made) -> None:
    with start(made.data_dir):
        server = the_server(made.data_dir)
        assert {tuple(process.uids()) for process in servers(made.data_dir)} == {(server.uids().real,) * 3}
        assert server.username() in ("postgres", "nobody")
        assert (made.data_dir / "cluster").stat().st_uid == server.uids().real
    assert modes(made.modes_before) == made.modes_before


@as_root
def test_the_cluster_of_another_user_is_refused(folder: Path) -> None:
    fake_cluster(folder / "data", owner=pwd.getpwnam("daemon").pw_uid)
    with pytest.raises(EmbeddedError, match=r"belongs to uid \d+: run crm-graph as that user"):
        start(folder / "data").__enter__()


@as_plain_user
def test_a_data_folder_that_we_may_not_write_is_one_clear_line(folder: Path) -> None:
    (folder / "data").mkdir(0o500)
    with pytest.raises(EmbeddedError, match=r"can't run in .*Permission denied"):
        start(folder / "data").__enter__()


@as_root
def test_a_uid_without_a_name_gets_a_clear_error(folder: Path) -> None:
    (folder / "data").mkdir()
    os.chown(folder / "data", 54321, 54321)
    reader, writer = os.pipe()
    with warnings.catch_warnings(action="ignore", category=DeprecationWarning):
        pid = os.fork()  # this interpreter may lie where that uid can't start it
    if not pid:
        with suppress(BaseException):
            os.setgroups([])
            os.setgid(54321)
            os.setuid(54321)
            try:
                start(folder / "data").__enter__()
            except EmbeddedError as error:
                os.write(writer, str(error).encode())
        os._exit(0)
    os.close(writer)
    with open(reader) as pipe:
        assert "PostgreSQL needs a name for the user with uid 54321, and /etc/passwd has none" in pipe.read()
    os.waitpid(pid, 0)
