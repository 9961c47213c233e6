"""Full-text search, and the indexes that filtered lists are read from in their order."""

import sqlalchemy as sa
from alembic import op

revision = "003"
down_revision = "002"

# The form in which texts are searched. Everything locale-dependent is spelled out, so that an index and a query agree
# on every server: under LC_CTYPE C, lower() and the text-search parser know no letters beyond ASCII, and under a
# Turkish one lower('I') is a dotless i. Both functions work whatever the search_path is, as they run under an empty
# one during CREATE INDEX and pg_restore; they set none themselves, as that costs as much as the folding.
CRM_FOLD = r"""
CREATE FUNCTION crm_fold(given text) RETURNS text LANGUAGE plpgsql IMMUTABLE STRICT PARALLEL SAFE AS $$
DECLARE
    folded text COLLATE "C" := given;
BEGIN
    IF octet_length(folded) = char_length(folded) THEN  -- ASCII: most texts, in a third of the time
        RETURN btrim(regexp_replace(lower(folded), '[^a-z0-9]+', ' ', 'g'));
    END IF;
    folded := normalize(folded, NFKD);
    -- Combining marks, variation selectors and invisible characters.
    folded := regexp_replace(
        folded,
        '[\u00ad\u0300-\u036f\u0483-\u0489\u0591-\u05bd\u05bf\u05c1\u05c2\u064b-\u065f\u0670\u1ab0-\u1aff\u1dc0-\u1dff'
        '\u200b-\u200f\u2060-\u2064\u20d0-\u20ff\ufe00-\ufe0f\ufe20-\ufe2f\ufeff]+',
        '',
        'g'
    );
    -- Letters that don't decompose: as they are typed on a keyboard that lacks them, and small.
    folded := translate(
        lower(folded),
        'ıøØłŁđĐðÐħĦŧŦŋŊəƏÆŒÞẞ'
        'ΑΒΓΔΕΖΗΘΙΚΛΜΝΞΟΠΡΣΤΥΦΧΨΩς'
        'АБВГДЕЖЗИКЛМНОПРСТУФХЦЧШЩЪЫЬЭЮЯЂЄЅІЈЉЊЋЏҐҒҖҘҚҜҠҢҪҰҮҲҶҸҺӘӨ',
        'ioollddddhhttnneeæœþß'
        'αβγδεζηθικλμνξοπρστυφχψωσ'
        'абвгдежзиклмнопрстуфхцчшщъыьэюяђєѕіјљњћџґғҗҙқҝҡңҫұүҳҷҹһәө'
    );
    folded := replace(replace(replace(replace(folded, 'ß', 'ss'), 'æ', 'ae'), 'œ', 'oe'), 'þ', 'th');
    -- Control characters, punctuation, symbols and emoji.
    RETURN btrim(regexp_replace(
        folded,
        '[\u0001-/:-@[-`{-\u00bf\u00d7\u00f7\u0589\u05be\u060c\u061b\u061f\u06d4\u0964\u0965\u1680\u2000-\u2bff'
        '\u2e00-\u2e7f\u3000-\u3004\u3008-\u3020\u3030\u303d-\u303f\ue000-\uf8ff\ufffc\ufffd\U0001f000-\U0001faff]+',
        ' ',
        'g'
    ));
END $$
"""

# The words of a search, each as the beginning of a word, all of them somewhere. The parser that cuts texts into words
# for the index cuts the search too. Without a word it asks for one that no folded text has: the empty tsquery would
# match nothing as well, but comes with a NOTICE.
CRM_QUERY = r"""
CREATE FUNCTION crm_query(given text) RETURNS tsquery LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE AS $$
DECLARE
    words text;
    terms text;
BEGIN
    SELECT string_agg(left(word, 64), ' ') INTO words
    FROM (SELECT word FROM string_to_table(public.crm_fold(left(given, 2000)), ' ') AS word LIMIT 8) AS searched;
    SELECT string_agg('''' || lexeme || ''':*', ' & ') INTO terms FROM unnest(to_tsvector('simple', words));
    RETURN coalesce(terms, '''.''')::tsquery;
END $$
"""

SEARCHED = {
    "companies": ("name", "domain", "industry", "location"),
    "contacts": ("full_name", "email", "title", "phone"),
    "deals": ("title",),
}
# `owner_id IS NULL` is no equality to the planner: behind it, a (owner_id, ...) index has no order that it could use.
IN_POOL = "owner_id IS NULL AND deleted_at IS NULL"
POOL = (
    ("contacts_pool_created_at_idx", "contacts", ["created_at", "id"], []),
    ("contacts_pool_updated_at_idx", "contacts", ["updated_at", "id"], []),
    ("deals_pool_board_idx", "deals", ["stage_id", "rank", "id"], ["amount", "currency"]),
    ("deals_pool_created_at_idx", "deals", ["created_at", "id"], []),
    ("deals_pool_updated_at_idx", "deals", ["updated_at", "id"], []),
)


def upgrade() -> None:
    for function in (CRM_FOLD, CRM_QUERY):
        op.execute(function)
    op.execute("GRANT EXECUTE ON FUNCTION crm_fold(text), crm_query(text) TO app_user, readonly")
    for table, columns in SEARCHED.items():
        words = " || ' ' || ".join(f"coalesce({column}, '')" for column in columns)
        document = sa.text(f"to_tsvector('simple'::regconfig, crm_fold(left({words}, 2000)))")
        op.create_index(f"{table}_search_idx", table, [document], unique=False, postgresql_using="gin")
    op.create_index("activities_occurred_at_id_idx", "activities", ["occurred_at", "id"], unique=False)
    op.create_index("companies_created_at_id_idx", "companies", ["created_at", "id"], unique=False)
    for table in ("contacts", "deals"):
        op.create_index(
            f"{table}_owner_id_updated_at_idx",
            table,
            ["owner_id", "updated_at", "id"],
            unique=False,
            postgresql_where=sa.text("deleted_at IS NULL"),
        )
        op.create_index(
            f"{table}_updated_at_id_idx",
            table,
            ["updated_at", "id"],
            unique=False,
            postgresql_where=sa.text("deleted_at IS NULL"),
        )
    op.create_index(
        "deals_campaign_id_idx",
        "deals",
        ["campaign_id"],
        unique=False,
        postgresql_where=sa.text("campaign_id IS NOT NULL"),
    )
    op.drop_index(op.f("deals_owner_id_idx"), table_name="deals")
    op.create_index("deals_owner_id_idx", "deals", ["owner_id", "created_at", "id"], unique=False)
    for name, table, columns, included in POOL:
        op.create_index(name, table, columns, postgresql_where=sa.text(IN_POOL), postgresql_include=included)
    op.drop_index("deals_owner_stage_amount_idx", table_name="deals")
    _index_board(["amount", "currency"])


def _index_board(included: list[str]) -> None:
    """A column's order, and its totals: one index for both is one less for every move of a deal to write."""
    for name, columns in (("deals_board_idx", ["owner_id", "stage_id"]), ("deals_stage_id_rank_idx", ["stage_id"])):
        op.drop_index(name, table_name="deals")
        where = sa.text("deleted_at IS NULL")
        op.create_index(name, "deals", [*columns, "rank", "id"], postgresql_where=where, postgresql_include=included)


def downgrade() -> None:
    _index_board([])
    op.create_index(
        "deals_owner_stage_amount_idx",
        "deals",
        ["owner_id", "stage_id"],
        postgresql_where=sa.text("deleted_at IS NULL"),
        postgresql_include=["amount"],
    )
    for name, table, _columns, _included in POOL:
        op.drop_index(name, table_name=table)
    op.drop_index("deals_owner_id_idx", table_name="deals")
    op.create_index(op.f("deals_owner_id_idx"), "deals", ["owner_id"], unique=False)
    op.drop_index("deals_campaign_id_idx", table_name="deals", postgresql_where=sa.text("campaign_id IS NOT NULL"))
    for table in ("deals", "contacts"):
        where = sa.text("deleted_at IS NULL")
        op.drop_index(f"{table}_updated_at_id_idx", table_name=table, postgresql_where=where)
        op.drop_index(f"{table}_owner_id_updated_at_idx", table_name=table, postgresql_where=where)
    op.drop_index("companies_created_at_id_idx", table_name="companies")
    op.drop_index("activities_occurred_at_id_idx", table_name="activities")
    for table in reversed(SEARCHED):
        op.drop_index(f"{table}_search_idx", table_name=table, postgresql_using="gin")
    op.execute("DROP FUNCTION crm_query(text)")
    op.execute("DROP FUNCTION crm_fold(text)")
