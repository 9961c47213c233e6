"""Servers for other people's programs to talk to: the installed script on a port and a PostgreSQL of its own."""

from tests.support.commands import crm, data_dir

__all__ = ["crm", "data_dir"]  # the fixtures
