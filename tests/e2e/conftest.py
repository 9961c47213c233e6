"""The installed script as operators run it, with a PostgreSQL of its own, and other people's programs against it."""

from tests.support.commands import crm, data_dir

__all__ = ["crm", "data_dir"]  # the fixtures
