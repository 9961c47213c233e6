"""Which names are taken for misspelt settings, and which are left alone."""

import pytest

from crm_graph.settings import Settings
from crm_graph.settings.similar_names import meant

OTHERS = """
    FOO PATH HOME LANG TERM HOSTNAME HOSTTYPE LOGNAME NODE_ENV PGHOST PGPORT PGUSER PGPASSWORD PGDATABASE PGSSLMODE
    OTEL_EXPORTER_OTLP_METRICS_ENDPOINT OTEL_SERVICE_NAMES DB_PASSWORD DB_DATABASE POSTGRES_USER POSTGRES_PASSWORD
    DATABASE_USER DATABASE_HOST DATABASE_NAME SHADOW_DATABASE_URL TEST_DATABASE_URL DATABASE_URL_UNPOOLED REDIS_URL
    SMTP_PORT SMTP_HOST HTTP_PORT APP_PORT APP_ENV APP_SECRET RAILS_ENV LOG_FILE LOG_DIR ALLOWED_HOSTS WEB_CONCURRENCY
    N8N_HOST N8N_PORT PUBLIC_DIR API_TOKEN DATA_DIR COMPOSE_PROJECT_NAME SECRET_KEY PORTS
"""


@pytest.mark.parametrize(
    ("name", "setting"),
    [
        ("PROT", "PORT"),
        ("PORTT", "PORT"),
        ("HOTS", "HOST"),
        ("JWT_SECERT", "JWT_SECRET"),
        ("JWTSECRET", "JWT_SECRET"),
        ("SECRET_JWT", "JWT_SECRET"),
        ("DATABSE_URL", "DATABASE_URL"),
        ("DATABASEURL", "DATABASE_URL"),
        ("EMBEDED_DATABASE", "EMBEDDED_DATABASE"),
        ("PG_PASS", "PG_PASSWORD"),
        ("PG_USERNAME", "PG_USER"),
        ("PG_HOSTS", "PG_HOST"),
        ("CRM_ENVIRONMENT", "CRM_ENV"),
        ("HMAC_SECRET_CALCOM", "HMAC_SHARED_SECRET_CALCOM"),
        ("HMAC_SHARED_SECRET_CAL_COM", "HMAC_SHARED_SECRET_CALCOM"),
        ("INSTANTLY_TOKEN", "INSTANTLY_WEBHOOK_TOKEN"),
        ("METRIC_TOKEN", "METRICS_TOKEN"),
        ("PUBLIC_URI", "PUBLIC_URL"),
        ("TRUSTED_PROXY", "TRUSTED_PROXIES"),
        ("INTERNAL_DOMAIN", "INTERNAL_DOMAINS"),
    ],
)
def test_a_misspelt_setting_is_recognised(name: str, setting: str) -> None:
    assert meant(name, Settings.names()) == setting


@pytest.mark.parametrize("name", OTHERS.split())
def test_another_programs_name_is_left_alone(name: str) -> None:
    assert meant(name, Settings.names()) is None


def test_settings_are_not_mistaken_for_each_other() -> None:
    assert [name for name in Settings.names() if meant(name, Settings.names())] == []
