"""`crm-graph settings`: where each value comes from, nothing secret, and every problem."""

import pytest

from crm_graph.settings import Settings
from tests.support.commands import Commands
from tests.support.settings_values import LONG

pytestmark = pytest.mark.slow

GOOD = {
    "DATABASE_URL": "postgresql://app_user:hidden-word@db.internal/crm",
    "JWT_SECRET": LONG,
    "PUBLIC_URL": "https://crm.example.com",
}


def shown(printed: str) -> dict[str, list[str]]:
    return {line.split("\t")[0]: line.split("\t")[1:] for line in printed.splitlines()}


def test_every_setting_is_listed_with_its_source_and_secrets_are_masked(crm: Commands) -> None:
    file = crm.folder / ".env"
    file.write_text(f"PORT=8001\nHMAC_SHARED_SECRET_CALCOM={LONG}\nLOG_LEVEL=\n")
    try:
        done = crm("settings", **GOOD, HOST="0.0.0.0")
    finally:
        file.unlink()
    found = shown(done.out)
    assert (done.code, done.err) == (0, "")
    assert list(found) == Settings.names()
    assert found["PORT"] == ["8001", ".env"]
    assert found["HOST"] == ["0.0.0.0", "environment"]
    assert found["LOG_LEVEL"] == ["info", "default"]
    assert found["DATABASE_URL"] == ["********", "environment"]
    assert found["HMAC_SHARED_SECRET_CALCOM"] == ["********", ".env"]
    assert found["METRICS_TOKEN"] == ["", "default"]
    assert "hidden-word" not in done.out
    assert LONG not in done.out


def test_everything_that_serve_would_refuse_is_reported(crm: Commands) -> None:
    done = crm("settings", HMAC_SHARED_SECRET_CALCOM="cal-secret", METRICS_TOKEN="a" * 40)
    assert done.code == 1
    assert len(shown(done.out)) == len(Settings.names())
    assert [line.removeprefix("crm-graph: ").split()[0] for line in done.err.splitlines()] == [
        "METRICS_TOKEN",
        "HMAC_SHARED_SECRET_CALCOM",
        "JWT_SECRET",
        "PUBLIC_URL",
        "no",
    ]
    assert "cal-secret" not in done.out + done.err


def test_a_wrong_value_hides_no_weak_secret(crm: Commands) -> None:
    done = crm("settings", **GOOD, PORT="many", INSTANTLY_WEBHOOK_TOKEN="v1,whsec_hidden", DATABSE_URL="hidden")
    assert done.code == 1
    assert [line.partition("; ")[0] for line in done.err.splitlines()] == [
        "crm-graph: the variable 'DATABSE_URL' is not a setting",
        "crm-graph: PORT must be a whole number from 1 to 65535 (in the environment)",
        "crm-graph: INSTANTLY_WEBHOOK_TOKEN has a comma that separates no secrets: "
        "v1,... is how Standard Webhooks writes a signature",
    ]
    assert "hidden" not in done.out + done.err
