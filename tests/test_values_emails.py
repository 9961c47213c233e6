"""The normal form of e-mail addresses."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from crm_graph import values
from crm_graph.errors import ValidationFailed

anything = st.text(st.characters(), max_size=60)  # surrogates and control characters included
local = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=30)
domain = st.one_of(
    st.from_regex(r"[A-Za-z0-9]([A-Za-z0-9-]{0,8}[A-Za-z0-9])?(\.[A-Za-z]{2,5}){1,2}\.?", fullmatch=True),
    st.text(st.characters(categories=["L", "M", "N"]), min_size=1, max_size=60).map(lambda name: f"{name}.example"),
    st.text(st.characters(categories=["L"]), min_size=120, max_size=200).map(
        lambda n: ".".join(n[i : i + 20] for i in range(0, len(n), 20))
    ),
)
address = st.builds(
    lambda a, b, pad: f"{pad}{a}@{b}{pad}", local, domain, st.sampled_from(["", " ", "\t", "\ufeff", "\u200b"])
)


def accepted(raw: str) -> str | None:
    try:
        return values.normal_email(raw)
    except ValidationFailed:
        return None


@pytest.mark.parametrize(
    ("raw", "normal"),
    [
        ("ada@example.com", "ada@example.com"),
        ("  Ada@EXAMPLE.Com\t", "ada@example.com"),
        ("\ufeffada@example.com\u200b", "ada@example.com"),
        ("ada@example.com.", "ada@example.com"),
        ("INFO@firma.com.tr", "info@firma.com.tr"),
        ("IŞIL@firma.com.tr", "iŞil@firma.com.tr"),
        ("İnfo@firma.com.tr", "İnfo@firma.com.tr"),
        ("ada+crm@example.com", "ada+crm@example.com"),
        ("o'neil.x_y-z@example.co.uk", "o'neil.x_y-z@example.co.uk"),
        ("jose\u0301@example.com", "jos\u00e9@example.com"),
        ("ada@MÜNCHEN.example", "ada@xn--mnchen-3ya.example"),
        ("ada@mu\u0308nchen.example", "ada@xn--mnchen-3ya.example"),
        ("ada@faß.example", "ada@xn--fa-hia.example"),
        ("ada@xn--mnchen-3ya.example", "ada@xn--mnchen-3ya.example"),
        ("ada@İstanbul.example", "ada@xn--istanbul-o0e.example"),
        ("ada@localhost", "ada@localhost"),
        ("a" * 64 + "@example.com", "a" * 64 + "@example.com"),
    ],
)  # fmt: skip
def test_an_address_has_one_normal_form(raw: str, normal: str) -> None:
    assert values.normal_email(raw) == normal


@pytest.mark.parametrize(
    "raw",
    [
        "", " ", "ada", "@example.com", "ada@", "ada@@example.com", "a@b@example.com", "ada lovelace@example.com",
        "ada@exa mple.com", "ada@-example.com", "ada@example-.com", "ada@.com", "ada@example..com", "ada@exam_ple.com",
        "ada@example.com\r\nBcc: all@example.com", "ada\n@example.com", "ada@example.com\x00", "a\x00da@example.com",
        "a\u202eda@example.com", "a\u200bda@example.com", "\ud800@example.com", "ada@\ud800.com", "a\ue000@example.com",
        '"ada"@example.com', "<ada@example.com>", "Ada <ada@example.com>", "ada,bob@example.com", "a(x)@example.com",
        "ada@[127.0.0.1]", "ada@" + "a" * 64 + "." + "b" * 250, "a" * 10_000 + "@example.com", "a" * 250 + "@b.com",
        "a" * 150 + "@" + ".".join(["ü" * 20] * 4),
    ],
    ids=ascii,
)  # fmt: skip
def test_an_invalid_address_is_refused_with_its_field(raw: str) -> None:
    with pytest.raises(ValidationFailed) as refused:
        values.normal_email(raw, field="contact_email")
    assert refused.value.field == "contact_email"


@given(address | anything)
@settings(max_examples=60, deadline=None)
def test_a_normal_address_is_its_own_normal_form(raw: str) -> None:
    if (normal := accepted(raw)) is not None:
        assert values.normal_email(normal) == normal
        assert len(normal) <= values.EMAIL_MAX


@given(st.lists(address, min_size=1, max_size=50))
@settings(max_examples=20, deadline=None)
def test_normal_addresses_have_no_upper_case_ascii_and_an_ascii_domain(raw: list[str]) -> None:
    for normal in filter(None, map(accepted, raw)):
        assert not any("A" <= letter <= "Z" for letter in normal)
        assert normal.rpartition("@")[2].isascii()


async def test_normal_addresses_meet_the_databases_check(sql: AsyncConnection) -> None:
    samples: list[str] = []

    @given(address)
    @settings(max_examples=150, deadline=None)
    def collect(raw: str) -> None:
        if (normal := accepted(raw)) is not None:
            samples.append(normal)

    collect()
    check = await sql.scalar(
        text(
            "SELECT pg_get_expr(conbin, conrelid) FROM pg_constraint WHERE conname = 'contacts_email_normal_form_check'"
        )
    )
    query = text(
        f'SELECT email FROM (SELECT unnest(CAST(:samples AS text[])) COLLATE "C" AS email) x WHERE NOT ({check})'
    )
    assert len(samples) > 30
    assert list(await sql.scalars(query, {"samples": samples})) == []


@pytest.mark.parametrize(
    ("email", "company"),
    [
        ("ada@acme.example", "acme.example"),
        ("ada@gmail.com", None),
        ("ada@yahoo.com.tr", None),
        ("ada@localhost", None),
    ],
)
def test_a_free_mail_host_identifies_no_company(email: str, company: str | None) -> None:
    assert values.company_domain(email) == company
