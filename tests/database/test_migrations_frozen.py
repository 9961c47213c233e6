"""Recorded migrations and the SQL that they run never change: databases have run them as they were."""

from hashlib import sha256

from tests.support.paths import PROJECT

RECORDED = PROJECT / "tests" / "database" / "recorded_migrations.txt"  # sha256 and path, as sha256sum prints them


def test_recorded_migrations_are_as_they_were() -> None:
    lines = (line.split(maxsplit=1) for line in RECORDED.read_text(encoding="ascii").splitlines())
    recorded = {path: digest for digest, path in lines}
    files = [*(PROJECT / "alembic" / "versions").glob("*.py"), *(PROJECT / "alembic" / "sql").glob("*.sql")]
    present = {str(file.relative_to(PROJECT)): sha256(file.read_bytes()).hexdigest() for file in files}

    changed = {path for path in recorded if present.get(path) != recorded[path]}
    assert not changed, "a recorded migration never changes: put it back, and write a new revision"
    assert not present.keys() - recorded.keys(), f"record the new files in {RECORDED.name}: sha256sum FILE"
