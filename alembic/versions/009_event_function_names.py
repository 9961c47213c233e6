"""The event functions get plain names: crm_deal_changed for crm_tell_of_deal, and so on. Events stay the same.

A server of the version before can go on meanwhile. The triggers keep their functions under new names, and of the
functions that such a server calls, crm_forget_events stays for one release.
"""

from pathlib import Path
from typing import Any

from alembic import op

revision = "009"
down_revision = "008"

SQL = Path(__file__).parents[1] / "sql"
RENAMED = {
    "crm_tell_of_deal": "crm_deal_changed",
    "crm_tell_of_contact": "crm_contact_changed",
    "crm_tell_of_activity": "crm_activity_created",
    "crm_tell_of_endpoint": "crm_endpoint_disabled",
}
# Called by nothing but those, and replaced by functions whose parameters have plain names, too.
DROPPED = (
    "crm_emit",
    "crm_joined",
    "crm_told_changes",
    "crm_told_value",
    "crm_told_owner",
    "crm_told_company",
    "crm_told_pipeline",
    "crm_told_stage",
    "crm_told_deal",
    "crm_told_contact",
)
CREATED = (
    "crm_forget_events",
    "crm_purge_events",
    "crm_test_endpoint",
    "crm_emit_event",
    "crm_json_concat",
    "crm_changed_columns",
    "crm_number_as_text",
    "crm_owner_snapshot",
    "crm_company_snapshot",
    "crm_pipeline_snapshot",
    "crm_stage_snapshot",
    "crm_deal_snapshot",
    "crm_contact_snapshot",
)


def upgrade() -> None:
    _run("009_lock_tables.sql")
    for old, new in RENAMED.items():
        op.execute(f"ALTER FUNCTION {old} RENAME TO {new}")
    _run("009_event_functions.sql")
    for name in DROPPED:
        op.execute(f"DROP FUNCTION {name}")


def _run(name: str) -> None:
    # Sent as it stands: a percent sign in it is no parameter.
    driver: Any = op.get_bind().connection.driver_connection
    driver.execute((SQL / name).read_text(encoding="utf-8"))


def downgrade() -> None:
    _run("009_lock_tables.sql")
    events: Any = op.get_context().script.get_revision("007").module
    for name, definition in events.TRIGGERS.items():
        op.execute(f"DROP TRIGGER {name} ON {definition.split()[3]}")
    for name in (*RENAMED.values(), *CREATED):
        op.execute(f"DROP FUNCTION {name}")
    events.upgrade()
