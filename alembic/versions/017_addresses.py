"""People are found by further addresses and by telephone numbers; a contact's primary address can change.

A server of the version before can go on meanwhile: it neither searches in these ways nor changes addresses.
"""

from pathlib import Path
from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "017"
down_revision = "016"

SQL = Path(__file__).parents[1] / "sql"


def upgrade() -> None:
    _run("017_addresses.sql")
    key = sa.text("crm_phone_key(phone)")
    op.create_index("contacts_phone_key_idx", "contacts", [key], postgresql_where=sa.text("phone IS NOT NULL"))
    document = sa.text("to_tsvector('simple'::regconfig, crm_fold(left(coalesce(email, ''), 2000)))")
    op.create_index("contact_emails_search_idx", "contact_emails", [document], postgresql_using="gin")


def _run(name: str) -> None:
    # Sent as it stands: a percent sign in it is no parameter.
    driver: Any = op.get_bind().connection.driver_connection
    driver.execute((SQL / name).read_text(encoding="utf-8"))


def downgrade() -> None:
    op.drop_index("contact_emails_search_idx", table_name="contact_emails")
    op.drop_index("contacts_phone_key_idx", table_name="contacts")
    for trigger in ("crm_address_of_new_is_free", "crm_address_is_free"):
        op.execute(f"DROP TRIGGER {trigger} ON contacts")
    op.execute("DROP FUNCTION crm_address_is_free, crm_phone_keys, crm_phone_key")
    _run("009_event_functions.sql")
    _run("014_sizes.sql")
    _run("016_deal_members.sql")
