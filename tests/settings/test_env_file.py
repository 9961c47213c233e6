"""`.env`: the lines that are refused, each with a line of its own and without its value."""

from pathlib import Path

import pytest

from crm_graph.errors import SettingsError
from crm_graph.settings import Settings, overview


def lines_for(tmp_path: Path, text: str) -> list[str]:
    (tmp_path / ".env").write_text(text, encoding="utf-8")
    try:
        Settings.load()
    except SettingsError as error:
        return list(error.problems)
    return []


@pytest.mark.parametrize(
    ("line", "problem"),
    [
        ("DATABSE_URL=hidden", "'DATABSE_URL' is not a setting; did you mean DATABASE_URL?"),
        ("PROT=1", "'PROT' is not a setting; did you mean PORT?"),
        ("export jwt-secret=hidden", "'JWT-SECRET' is not a setting; did you mean JWT_SECRET?"),
        ("JWT_SECRET='hidden", "JWT_SECRET can't be read; write NAME=value, and close every quote"),
        ("JWT_SECRET: hidden", "JWT_SECRET can't be read; write NAME=value, and close every quote"),
        ("hidden word", "it can't be read; write NAME=value, and close every quote"),
        ("JWT_SECRET", "JWT_SECRET has no = after it"),
        ('JWT_SECRET="hidden\nword"', "the quote after 'JWT_SECRET' is not closed in its line"),
        ('NOTE="hidden\nPG_HOST=word"', "the quote after 'NOTE' is not closed in its line"),
        ('NOTE="two\nlines"', None),
        ("N8N_PORTAL=hidden", None),
        ("FOO=bar", None),
        ("port=1", None),
        ("# JWT_SECRE=hidden", None),
    ],
)
def test_a_line_that_sets_nothing_is_refused_without_its_value(tmp_path: Path, line: str, problem: str | None) -> None:
    found = lines_for(tmp_path, f"\ufeffHOST=h\n\n\n{line}\nLOG_LEVEL=debug\n")
    assert found == ([f".env line 4: {problem}"] if problem else [])


def test_each_wrong_line_has_its_own_line(tmp_path: Path) -> None:
    found = lines_for(tmp_path, "PROT=1\nFOO=bar\nHOTS=h\nPORT=many\n")
    assert found == [
        ".env line 1: 'PROT' is not a setting; did you mean PORT?",
        ".env line 3: 'HOTS' is not a setting; did you mean HOST?",
        "PORT must be a whole number from 1 to 65535 (.env line 4)",
    ]


def test_a_setting_that_is_set_twice_is_refused(tmp_path: Path) -> None:
    assert lines_for(tmp_path, "PORT=1\nFOO=1\nFOO=2\n\nport=2\nPORT=3\nHOST=\nHOST=h\n") == [
        ".env line 5: PORT is set in line 1 already; delete one of the lines",
        ".env line 6: PORT is set in line 1 already; delete one of the lines",
        ".env line 8: HOST is set in line 7 already; delete one of the lines",
    ]


def test_a_wrong_value_is_reported_with_the_place_that_wins(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PORT", "many")
    assert lines_for(tmp_path, "\n# a port\nPORT=1\nLOG_LEVEL=loud\n") == [
        "LOG_LEVEL must be 'debug', 'info', 'warning' or 'error' (.env line 4)".replace("'", ""),
        "PORT must be a whole number from 1 to 65535 (in the environment)",
    ]


def test_a_misspelt_variable_of_the_environment_is_a_remark_without_its_value(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("JWT_SECERT", "hidden")
    monkeypatch.setenv("PGHOST", "hidden")
    monkeypatch.setenv("HOSTNAME", "hidden")
    Settings.load()
    assert overview.remarks(Settings.names()) == [
        "the variable 'JWT_SECERT' is not a setting; did you mean JWT_SECRET?"
    ]


def test_where_environment_and_file_differ_one_line_names_the_settings(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / ".env").write_text("PORT=1111\nhost=0.0.0.0\nLOG_LEVEL=debug\nCRM_ENV=\nFOO=1\n")
    for name, value in (("PORT", "2222"), ("HOST", "127.0.0.1"), ("LOG_LEVEL", "debug"), ("FOO", "2")):
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("CRM_ENV", "development")
    assert overview.remarks(Settings.names()) == ["the environment and .env differ, the environment wins: HOST, PORT"]
