"""The options of initdb and the server that do not depend on the machine."""

ROLES = ("postgres", "app_admin", "app_user", "readonly")
PORT = "5432"  # only a part of the socket's file name: there is no TCP listener

INITDB = (
    "--username=postgres",
    "--encoding=UTF8",
    "--locale=C",
    "--locale-provider=builtin",
    "--builtin-locale=C.UTF-8",
    "--auth-local=peer",
    "--auth-host=reject",
)
SETTINGS = {
    "listen_addresses": "",
    "unix_socket_permissions": "0700",
    "max_connections": "100",
    "shared_buffers": "128MB",
    "max_wal_size": "512MB",
    "jit": "off",  # costs short statements more than it saves
    "max_parallel_workers_per_gather": "0",  # small machines, and many containers have only 64 MB of /dev/shm
    "timezone": "UTC",
    "log_timezone": "UTC",
    # A small log without personal data: no statements, no 'Key (email)=(...) already exists'.
    "log_min_messages": "warning",
    "log_min_error_statement": "panic",
    "log_error_verbosity": "terse",
    "log_checkpoints": "off",
    "log_autovacuum_min_duration": "-1",
}
NOT_DURABLE = {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off"}
