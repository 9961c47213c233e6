"""Settings: where they are read from, what is refused, and that no message shows a secret."""

import os
import re
import stat
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr

from crm_graph.database.engine import place
from crm_graph.errors import SettingsError, SetupError
from crm_graph.settings import Settings
from crm_graph.settings.demo_secrets import DEMO_SECRETS, make_demo_secrets
from tests.support.paths import PROJECT
from tests.support.settings_values import GIVEN, LONG, NAMES

EXAMPLE = PROJECT / ".env.example"


def plain(value: Any) -> Any:
    if isinstance(value, tuple):
        return tuple(plain(part) for part in value)
    return value.get_secret_value() if isinstance(value, SecretStr) else value


def refused(**environment: str) -> list[str]:
    """The lines with which wrong settings are refused."""
    with pytest.MonkeyPatch.context() as patch:
        for name, value in environment.items():
            patch.setenv(name, value)
        with pytest.raises(SetupError) as error:
            Settings.load()
    lines = error.value.problems if isinstance(error.value, SettingsError) else (str(error.value),)
    assert "\n" not in "".join(lines)
    return list(lines)


def test_the_table_above_is_complete() -> None:
    assert set(GIVEN) == NAMES


@pytest.mark.parametrize("name", GIVEN)
def test_from_the_environment(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    monkeypatch.setenv("CRM_ENV", "development")
    monkeypatch.setenv("DATABASE_URL", GIVEN["DATABASE_URL"][0])  # which MIGRATION_DATABASE_URL needs
    raw, value = GIVEN[name]
    monkeypatch.setenv(name, raw)
    assert plain(getattr(Settings.load(), name.lower())) == value


def test_from_a_file(tmp_path: Path) -> None:
    lines = (f"{name}={raw!r}" if "'" not in raw else f'{name}="{raw}"' for name, (raw, _) in GIVEN.items())
    text = "\ufeff# written on Windows\n" + "\n".join(lines)
    (tmp_path / ".env").write_text(text, encoding="utf-8")
    settings = Settings.load()
    assert {name: plain(getattr(settings, name.lower())) for name in GIVEN} == {n: v for n, (_, v) in GIVEN.items()}


def test_the_environment_wins_over_the_file(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / ".env").write_text("PORT=1111\nHOST=0.0.0.0\nUNKNOWN=is fine\n")
    monkeypatch.setenv("PORT", "2222")
    settings = Settings.load()
    assert (settings.port, settings.host) == (2222, "0.0.0.0")


def test_defaults(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PORT", "")  # an empty value counts as not set
    settings = Settings.load()
    assert (settings.crm_env, settings.host, settings.port) == ("production", "127.0.0.1", 8000)
    assert settings.server_url() is settings.migration_url() is None
    assert settings.crm_data_dir == Path("/var/lib/crm-graph" if os.geteuid() == 0 else ".crm-graph")
    assert not settings.dev_signature_bypass


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("CRM_ENV", "prodution-typo"),
        ("LOG_LEVEL", "loud-typo"),
        ("LOG_FORMAT", "xml-typo"),
        ("OTEL_TRACES_EXPORTER", "zipkin"),
        ("OTEL_EXPORTER_OTLP_PROTOCOL", "grpc"),
        ("PORT", "not-a-port"),
        ("PORT", "65536"),
        ("PORT", "0"),
        ("PUBLIC_URL", "crm.example.org"),
        ("PUBLIC_URL", "https://crm.example.org/base"),
        ("PUBLIC_URL", "https://crm.example.org?a=b"),
        ("PUBLIC_URL", "https://user@crm.example.org"),
        ("INTERNAL_DOMAINS", "ada@seller.com"),
        ("INTERNAL_DOMAINS", "https://seller.com"),
        ("INTERNAL_DOMAINS", "seller.com;other.com"),
        ("INTERNAL_DOMAINS", "seller"),
        ("CRM_DATA_DIR", "~/crm"),
        ("ALLOWED_ORIGINS", "board.example.org"),
        ("ALLOWED_ORIGINS", "https://board.example.org/path"),
        ("ALLOWED_ORIGINS", "https://good.example.org,https://board.example.org:port"),
        ("ALLOWED_ORIGINS", "*"),
        ("OUTBOUND_ALLOWED_NETWORKS", "n8n.internal"),
        ("OUTBOUND_ALLOWED_NETWORKS", "10.1.2.3/16"),
        ("OUTBOUND_ALLOWED_NETWORKS", "10.0.0.0/33"),
        ("TRUSTED_PROXIES", "proxy.internal"),
        ("TRUSTED_PROXIES", "10.1.2.3/16"),
        ("TRUSTED_PROXIES", "*"),
        ("TRUSTED_PROXIES", "10.0.0.1,::/0"),
        ("PG_PORT", "-17"),
        ("PG_SSLMODE", "sometimes"),
        ("DEV_SIGNATURE_BYPASS", "perhaps"),
        ("DEFAULT_CURRENCY", "usd"),
        ("DEFAULT_CURRENCY", "XQX"),
        ("EMBEDDED_DATABASE", "perhaps"),
        ("JWT_NOT_BEFORE", "2026-02-03T09:00:00"),
        ("JWT_NOT_BEFORE", "1767600000"),
        ("JWT_NOT_BEFORE", "yesterday-typo"),
        ("JWT_NOT_BEFORE", "9999-12-31T23:59:59-23:59"),
        ("DATABASE_URL", "not-a-url"),
        ("DATABASE_URL", "mysql://user:hidden-word@host/crm"),
        ("DATABASE_URL", "sqlite:///hidden-word.db"),
        ("DATABASE_URL", "postgresql://user:hidden-word@host:port/crm"),
        ("DATABASE_URL", "postgresql://user:hidden@word@host/crm"),
        ("DATABASE_URL", "postgresql://user:hidden/word@host/crm"),
        ("DATABASE_URL", "postgresql://user:hidden#word@host:5432/crm"),
        ("DATABASE_URL", "postgresql://user:hidden@wo/rd@host/crm"),
        ("MIGRATION_DATABASE_URL", "oracle://user:hidden-word@host/crm"),
    ],
)
def test_a_wrong_value_is_named_and_not_shown(name: str, value: str) -> None:
    (line,) = refused(**{name: value})
    assert line.startswith(f"{name} ")
    assert value not in line.replace(name, "")
    assert not re.search("hidden|word|typo", line.replace("password", ""))


@pytest.mark.parametrize(
    ("name", "form"),
    [
        ("CRM_ENV", "must be production or development"),
        ("LOG_LEVEL", "must be debug, info, warning or error"),
        ("PG_PORT", "must be a whole number from 1 to 65535"),
        ("WORKER_INSIDE", "must be true or false"),
        ("EMBEDDED_DATABASE", "must be true or false"),
        ("PUBLIC_URL", "must be a URL without a path, such as https://crm.example.com"),
        ("OTEL_EXPORTER_OTLP_PROTOCOL", "must be http/protobuf"),
    ],
)
def test_a_line_says_the_form_of_the_value(name: str, form: str) -> None:
    assert refused(**{name: "2.5"}) == [f"{name} {form} (in the environment)"]


def test_every_wrong_value_has_a_line(tmp_path: Path) -> None:
    (tmp_path / ".env").write_text("PROT=1\n")
    assert [line.split()[0] for line in refused(PORT="x", LOG_LEVEL="y", PG_PORT="z")] == [
        ".env",
        "LOG_LEVEL",
        "PORT",
        "PG_PORT",
    ]


def test_a_file_that_is_not_text(tmp_path: Path) -> None:
    (tmp_path / ".env").write_bytes(b"PG_PASSWORD=gizli-\xfe\xff")
    assert refused() == ["can't read the settings in .env: it is not UTF-8"]


def test_a_file_that_is_a_folder(tmp_path: Path) -> None:
    (tmp_path / ".env").mkdir()
    assert refused() == [".env is a folder: the settings are read from a file of that name"]


def test_jwt_secret_must_be_set_and_strong() -> None:
    with pytest.raises(SetupError, match=r"^JWT_SECRET is not set: it must have at least 32 bytes"):
        Settings.load().jwt_key()
    with pytest.raises(SetupError, match=r"^JWT_SECRET is too short: it must have at least 32 bytes"):
        Settings.load(jwt_secret=LONG[:31]).jwt_key()
    assert len(Settings.load(jwt_secret="şğüöçıâîû and-the-rests").jwt_key()) == 32  # bytes count, not letters


def test_unsigned_events_are_for_development() -> None:
    (line,) = refused(DEV_SIGNATURE_BYPASS="true")
    assert "DEV_SIGNATURE_BYPASS" in line
    assert "development" in line


@pytest.mark.parametrize("scheme", ["postgres", "postgresql", "postgresql+psycopg", "postgresql+asyncpg"])
def test_forms_of_a_database_url(monkeypatch: pytest.MonkeyPatch, scheme: str) -> None:
    monkeypatch.setenv("DATABASE_URL", f"{scheme}://user:p%40ss@db.internal:6543/sales?sslmode=require")
    url = Settings.load().server_url()
    assert url is not None
    assert (url.drivername, url.host, url.port, url.database) == ("postgresql+psycopg", "db.internal", 6543, "sales")
    assert (url.username, url.password, dict(url.query)) == ("user", "p@ss", {"sslmode": "require"})


def test_the_parts_make_the_same_url(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("PG_HOST", "PG_PORT", "PG_DATABASE", "PG_USER", "PG_PASSWORD", "PG_SSLMODE"):
        monkeypatch.setenv(name, GIVEN[name][0])
    url = Settings.load().server_url()
    assert url is not None
    assert (url.host, url.port, url.database, url.username) == ("db.internal", 6543, "sales", "somebody")
    assert (url.password, dict(url.query)) == ("p#a s$s'", {"sslmode": "verify-full"})


def test_a_socket_folder_as_host() -> None:
    url = Settings.load(pg_host="/run/postgresql", pg_port=5433).server_url()
    assert url is not None
    assert (url.host, url.query["host"], url.port) == (None, "/run/postgresql", 5433)
    assert place(url) == "app_user@/run/postgresql:5433/crm"


def test_the_url_wins_over_its_parts_and_migrations_may_have_their_own(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PG_HOST", "one")
    monkeypatch.setenv("DATABASE_URL", "postgresql://two/crm")
    settings = Settings.load()
    assert settings.server_url() == settings.migration_url()
    monkeypatch.setenv("MIGRATION_DATABASE_URL", "postgresql://app_admin@two/crm")
    urls = Settings.load().server_url(), Settings.load().migration_url()
    assert [url and (url.username, url.host) for url in urls] == [(None, "two"), ("app_admin", "two")]


def test_secrets_are_hidden_wherever_settings_are_printed() -> None:
    settings = Settings.load(jwt_secret=LONG, pg_password=LONG, hmac_shared_secret_calcom=LONG, pg_host="h")
    assert LONG not in f"{settings!r} {settings} {settings.model_dump()} {settings.server_url()}"
    url = Settings.load(database_url=f"postgresql://u:{LONG}@h/d?password={LONG}").server_url()
    assert url is not None
    assert place(url) == "u@h:5432/d"


def test_demo_secrets_are_made_once_and_only_fill_gaps(tmp_path: Path) -> None:
    made = make_demo_secrets(tmp_path)
    assert make_demo_secrets(tmp_path) == made
    assert set(made) == set(DEMO_SECRETS)
    assert len(set(made.values())) == len(made)
    files = list(tmp_path.iterdir())
    assert [stat.S_IMODE(file.stat().st_mode) for file in files] == [0o600]
    settings = Settings.load(crm_data_dir=tmp_path, hmac_shared_secret_calcom="the operator's").with_demo_secrets()
    assert settings.jwt_key().decode() == made["JWT_SECRET"]
    assert plain(settings.hmac_shared_secret_calcom) == ("the operator's",)


def test_without_a_demo_nothing_is_filled_in(tmp_path: Path) -> None:
    with pytest.raises(SetupError, match="JWT_SECRET is not set"):
        Settings.load(crm_data_dir=tmp_path / "nowhere").with_demo_secrets().jwt_key()


def test_the_example_lists_every_setting_with_a_line_of_help() -> None:
    lines = EXAMPLE.read_text().splitlines()
    names = [line.partition("=")[0] for line in lines if re.match(r"[A-Z_]+=", line)]
    assert sorted(names) == sorted(NAMES)
    for before, line in pairwise(lines):
        assert before.startswith("# ") or not re.match(r"[A-Z_]+=", line), f"{line} has no help"


def test_the_example_changes_nothing(tmp_path: Path) -> None:
    before = Settings.load()
    (tmp_path / ".env").write_text(EXAMPLE.read_text())
    assert Settings.load().model_dump() == before.model_dump()


@pytest.mark.parametrize(
    ("environment", "endpoint"),
    [
        ({}, None),
        ({"OTEL_SERVICE_NAME": "crm"}, None),
        ({"OTEL_EXPORTER_OTLP_ENDPOINT": "http://otel:4318/"}, "http://otel:4318/v1/traces"),
        ({"OTEL_EXPORTER_OTLP_TRACES_ENDPOINT": "http://otel/x"}, "http://otel/x"),
        ({"OTEL_EXPORTER_OTLP_ENDPOINT": "http://a", "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT": "http://b"}, "http://b"),
        ({"OTEL_EXPORTER_OTLP_ENDPOINT": "http://otel:4318", "OTEL_TRACES_EXPORTER": "none"}, None),
        ({"OTEL_EXPORTER_OTLP_ENDPOINT": "http://otel:4318", "OTEL_SDK_DISABLED": "true"}, None),
    ],
    ids=str,
)
def test_traces_are_sent_only_where_the_settings_say(
    monkeypatch: pytest.MonkeyPatch, environment: dict[str, str], endpoint: str | None
) -> None:
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    target = Settings.load().traces()
    assert (target.endpoint if target else None) == endpoint


def test_the_log_is_json_in_production_and_text_in_development() -> None:
    assert Settings.load().log_form() == "json"
    assert Settings.load(crm_env="development").log_form() == "text"
    assert Settings.load(crm_env="development", log_format="json").log_form() == "json"
