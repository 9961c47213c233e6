"""A valid value of each setting, as its text in the environment and as it is read."""

from datetime import UTC, datetime
from pathlib import Path

from crm_graph.settings import Settings

NAMES = {name.upper() for name in Settings.model_fields}


LONG = "a-secret-of-at-least-thirty-two-bytes"
OTHER = "another-secret-of-thirty-two-bytes"


GIVEN = {
    "CRM_ENV": ("development", "development"),
    "LOG_LEVEL": ("WARNING", "warning"),
    "LOG_FORMAT": ("text", "text"),
    "HOST": ("0.0.0.0", "0.0.0.0"),
    "PORT": ("8080", 8080),
    "PUBLIC_URL": ("https://crm.example.com", "https://crm.example.com"),
    "CRM_DATA_DIR": ("/srv/müşteri verisi", Path("/srv/müşteri verisi")),
    "EMBEDDED_DATABASE": ("false", False),
    "DATABASE_URL": ("postgresql://u:p@h/d", "postgresql://u:p@h/d"),
    "MIGRATION_DATABASE_URL": ("postgresql://a:p@h/d", "postgresql://a:p@h/d"),
    "PG_HOST": ("db.internal", "db.internal"),
    "PG_PORT": ("6543", 6543),
    "PG_DATABASE": ("sales", "sales"),
    "PG_USER": ("somebody", "somebody"),
    "PG_PASSWORD": ("p#a s$s'", "p#a s$s'"),
    "PG_SSLMODE": ("verify-full", "verify-full"),
    "JWT_SECRET": (LONG, LONG),
    "JWT_ISSUER": ("https://id.example.com", "https://id.example.com"),
    "JWT_AUDIENCE": ("crm", "crm"),
    "JWT_NOT_BEFORE": ("2026-01-05T10:00:00+01:00", datetime(2026, 1, 5, 9, tzinfo=UTC)),
    "HMAC_SHARED_SECRET_INSTANTLY": (f"{LONG}, {OTHER} ,", (LONG, OTHER)),
    "HMAC_SHARED_SECRET_CALCOM": (LONG, (LONG,)),
    "INSTANTLY_WEBHOOK_TOKEN": (f"{LONG},{OTHER}", (LONG, OTHER)),
    "DEV_SIGNATURE_BYPASS": ("true", True),
    "INTERNAL_DOMAINS": ("@Seller.com, seller.de", ("seller.com", "seller.de")),
    "CALCOM_EVENT_TYPES": ("demo,intro", ("demo", "intro")),
    "DEFAULT_CURRENCY": ("EUR", "EUR"),
    "ALLOWED_ORIGINS": ("https://Board.example.com/,http://[::1]:80", ("https://board.example.com", "http://[::1]:80")),
    "TRUSTED_PROXIES": ("127.0.0.1, 10.1.0.0/16,::1", ("127.0.0.1/32", "10.1.0.0/16", "::1/128")),
    "WORKER_INSIDE": ("false", False),
    "METRICS_TOKEN": (f"{LONG}-of-a-scraper", f"{LONG}-of-a-scraper"),
    "METRICS_PORT": ("9464", 9464),
    "METRICS_HOST": ("::1", "::1"),
    "OTEL_SDK_DISABLED": ("true", True),
    "OTEL_TRACES_EXPORTER": ("console", "console"),
    "OTEL_EXPORTER_OTLP_ENDPOINT": ("http://localhost:4318", "http://localhost:4318"),
    "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT": ("http://localhost:4318/v1/traces", "http://localhost:4318/v1/traces"),
    "OTEL_EXPORTER_OTLP_PROTOCOL": ("http/protobuf", "http/protobuf"),
    "OTEL_EXPORTER_OTLP_HEADERS": ("api-key=x,a=b", "api-key=x,a=b"),
    "OTEL_SERVICE_NAME": ("sales-crm", "sales-crm"),
    "OUTBOUND_ALLOWED_NETWORKS": (
        "10.1.0.0/16, 192.168.7.20:5678,[fd12:3456::/32]:*",
        ("10.1.0.0/16", "192.168.7.20/32:5678", "[fd12:3456::/32]:*"),
    ),
}
