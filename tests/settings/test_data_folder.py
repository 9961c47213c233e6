"""Which database the settings choose: a named one, the embedded one, or the demo's; and what is refused."""

from pathlib import Path
from typing import Any

import pytest

from crm_graph.errors import SettingsError
from crm_graph.settings import Settings
from crm_graph.settings.demo_secrets import DEMO_MARK, make_demo_secrets, mark_as_made_by_demo, read_demo_secrets
from tests.support.settings_values import LONG

SERVER = "postgresql://app_user@db.internal/crm"


def problem(**given: Any) -> str:
    return Settings.load(**given).database_problem() or ""


def test_production_runs_the_embedded_database_only_when_told(tmp_path: Path) -> None:
    both_ways = "set DATABASE_URL or PG_HOST to use your PostgreSQL, or EMBEDDED_DATABASE=true"
    assert both_ways in problem(crm_data_dir=tmp_path)
    assert both_ways in problem(crm_data_dir=tmp_path, embedded_database=False)
    assert problem(crm_data_dir=tmp_path, embedded_database=True) == ""
    assert problem(crm_data_dir=tmp_path, database_url=SERVER) == ""
    assert problem(crm_data_dir=tmp_path, pg_host="db.internal", embedded_database=False) == ""


def test_development_runs_the_embedded_database_unless_another_one_is_named(tmp_path: Path) -> None:
    assert problem(crm_data_dir=tmp_path, crm_env="development") == ""
    assert "no database is set" in problem(crm_data_dir=tmp_path, crm_env="development", embedded_database=False)


@pytest.mark.parametrize(
    "given", [{"database_url": SERVER}, {"pg_host": "db.internal"}, {"migration_database_url": SERVER}], ids=str
)
def test_two_databases_are_refused(given: dict[str, str]) -> None:
    name = next(iter(given)).upper()
    with pytest.raises(
        SettingsError, match=f"^EMBEDDED_DATABASE=true contradicts {name}, which names another database"
    ):
        Settings.load(embedded_database=True, **given)


def test_a_database_for_migrations_alone_is_refused() -> None:
    with pytest.raises(SettingsError, match=r"^MIGRATION_DATABASE_URL needs DATABASE_URL or PG_HOST"):
        Settings.load(crm_env="development", migration_database_url=SERVER)


def test_production_refuses_the_demos_folder(tmp_path: Path) -> None:
    mark_as_made_by_demo(tmp_path)
    assert "was made by crm-graph demo" in problem(crm_data_dir=tmp_path, embedded_database=True)
    assert "is the demo's, for CRM_ENV=development" in problem(crm_data_dir=tmp_path)
    assert problem(crm_data_dir=tmp_path, crm_env="development") == ""
    assert problem(crm_data_dir=tmp_path, database_url=SERVER) == "", "its folder is not used"


def test_commands_take_the_demos_folder_as_development_with_its_secrets(tmp_path: Path) -> None:
    mark_as_made_by_demo(tmp_path)
    made = make_demo_secrets(tmp_path)
    found = Settings.load(crm_data_dir=tmp_path, public_url="https://crm.example.com").for_data_folder()
    assert (found.crm_env, found.public_url, found.database_problem()) == ("development", None, None)
    assert found.jwt_key().decode() == made["JWT_SECRET"]


def test_a_folder_of_an_earlier_demo_has_no_mark_and_counts(tmp_path: Path) -> None:
    make_demo_secrets(tmp_path)
    assert not (tmp_path / DEMO_MARK).exists()
    assert Settings.load(crm_data_dir=tmp_path).for_data_folder().crm_env == "development"


@pytest.mark.parametrize(
    "given",
    [{"crm_env": "production"}, {"database_url": SERVER}, {"pg_host": "db.internal"}, {"embedded_database": True}],
    ids=str,
)
def test_the_demos_secrets_never_get_into_a_servers_set_up(tmp_path: Path, given: dict[str, Any]) -> None:
    mark_as_made_by_demo(tmp_path)
    make_demo_secrets(tmp_path)
    found = Settings.load(crm_data_dir=tmp_path, **given).for_data_folder()
    assert (found.crm_env, found.jwt_secret, found.hmac_shared_secret_calcom) == ("production", None, ())


def test_in_development_the_operators_secrets_win_over_the_demos(tmp_path: Path) -> None:
    made = make_demo_secrets(tmp_path)
    given = {"crm_env": "development", "database_url": SERVER, "jwt_secret": LONG}
    found = Settings.load(crm_data_dir=tmp_path, **given).for_data_folder()
    assert found.jwt_key().decode() == LONG
    assert [s.get_secret_value() for s in found.instantly_webhook_token] == [made["INSTANTLY_WEBHOOK_TOKEN"]]
    assert read_demo_secrets(tmp_path / "nowhere") == {}
