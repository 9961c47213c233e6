"""The settings, named like their environment variables. Nothing else reads the environment.

The first source with a value wins: the environment, `.env` in the working folder and, for the development commands, the
secrets that `demo` created in CRM_DATA_DIR.
"""

import os
from datetime import datetime
from pathlib import Path
from typing import Annotated, Any, Literal, Self

from pydantic import AfterValidator, BeforeValidator, Field, SecretStr, ValidationError
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import ArgumentError

from crm_graph.egress.networks import Networks
from crm_graph.errors import SetupError
from crm_graph.settings import env_file, value_forms
from crm_graph.settings.demo_secrets import DEMO_SECRETS, read_demo_secrets
from crm_graph.telemetry.trace_export import TraceExport

JWT_SECRET_MIN_BYTES = 32  # RFC 7518, 3.2: a key at least as long as the hash
URL_FORM = "postgresql://user:password@host:5432/crm"
CommaList = Annotated[tuple[str, ...], NoDecode, BeforeValidator(value_forms.split)]
SecretList = Annotated[tuple[SecretStr, ...], NoDecode, BeforeValidator(value_forms.split)]


def _default_data_dir() -> Path:
    return Path("/var/lib/crm-graph") if os.geteuid() == 0 else Path(".crm-graph")


class Settings(BaseSettings):
    """All settings. `.env.example` lists the same names, each with one line of help."""

    model_config = SettingsConfigDict(
        env_file=env_file.ENV_FILE, env_file_encoding="utf-8-sig", env_ignore_empty=True, extra="ignore", frozen=True
    )

    crm_env: Literal["production", "development"] = "production"
    log_level: Annotated[Literal["debug", "info", "warning", "error"], BeforeValidator(value_forms.lower)] = "info"
    log_format: Literal["json", "text"] | None = None
    host: str = "127.0.0.1"
    port: int = Field(default=8000, ge=1, le=65535)
    public_url: Annotated[str, AfterValidator(value_forms.public_url)] | None = None

    crm_data_dir: Path = Field(default_factory=_default_data_dir)
    database_url: SecretStr | None = None
    migration_database_url: SecretStr | None = None
    pg_host: str | None = None
    pg_port: int = Field(default=5432, ge=1, le=65535)
    pg_database: str = "crm"
    pg_user: str = "app_user"
    pg_password: SecretStr | None = None
    pg_sslmode: Literal["disable", "allow", "prefer", "require", "verify-ca", "verify-full"] | None = None

    jwt_secret: SecretStr | None = None
    jwt_issuer: str | None = None
    jwt_audience: str | None = None
    jwt_not_before: Annotated[datetime, BeforeValidator(value_forms.past_time)] | None = None
    hmac_shared_secret_instantly: SecretList = ()
    hmac_shared_secret_calcom: SecretList = ()
    instantly_webhook_token: SecretList = ()
    dev_signature_bypass: bool = False

    internal_domains: Annotated[CommaList, AfterValidator(value_forms.domains)] = ()
    calcom_event_types: CommaList = ()
    default_currency: Annotated[str, AfterValidator(value_forms.currency)] = "USD"
    allowed_origins: Annotated[CommaList, AfterValidator(value_forms.origins)] = ()
    trusted_proxies: Annotated[CommaList, AfterValidator(value_forms.proxies)] = ()
    worker_inside: bool = True
    outbound_allowed_networks: Annotated[CommaList, AfterValidator(value_forms.networks)] = ()

    metrics_token: SecretStr | None = None
    metrics_port: int | None = Field(default=None, ge=1, le=65535)
    metrics_host: str = "127.0.0.1"
    # OpenTelemetry reads its other variables itself, from the environment only.
    otel_sdk_disabled: bool = False
    otel_traces_exporter: Literal["otlp", "console", "none"] | None = None
    otel_exporter_otlp_endpoint: str | None = None
    otel_exporter_otlp_traces_endpoint: str | None = None
    otel_exporter_otlp_protocol: Literal["http/protobuf"] = "http/protobuf"
    otel_exporter_otlp_headers: SecretStr | None = None
    otel_service_name: str | None = None

    @classmethod
    def load(cls, **overrides: Any) -> Self:
        """Read and check the settings.

        Raises SetupError with one line that names every wrong variable.
        """
        if env_file.ENV_FILE.is_dir():
            raise SetupError(f"{env_file.ENV_FILE} is a folder: the settings are read from a file of that name")
        try:
            settings = cls(**overrides)
        except ValidationError as error:
            problems = (
                f"{'.'.join(map(str, e['loc'])).upper()}: {e['msg'].removeprefix('Value error, ')}"
                for e in error.errors()
            )
            raise SetupError("wrong setting: " + "; ".join(problems)) from None
        except (OSError, UnicodeDecodeError) as error:
            problem = getattr(error, "strerror", None) or "it is not UTF-8"
            raise SetupError(f"can't read the settings in .env: {problem}") from None
        if settings.dev_signature_bypass and settings.crm_env == "production":
            raise SetupError("DEV_SIGNATURE_BYPASS works in development only: unset it, or set CRM_ENV=development")
        settings._check_metrics_listener()
        return settings

    def _check_metrics_listener(self) -> None:
        if self.metrics_port is None:
            return
        if self.metrics_port == self.port:
            raise SetupError(f"METRICS_PORT and PORT are both {self.port}: the metrics need a port of their own")
        if not value_forms.is_loopback(self.metrics_host) and self.metrics_token is None:
            raise SetupError("METRICS_HOST lets other machines read the metrics: set METRICS_TOKEN too")

    @classmethod
    def env_file_problems(cls) -> list[str]:
        """A message for each line of `.env` that looks like a setting but sets none."""
        return env_file.problems([name.upper() for name in cls.model_fields])

    def with_demo_secrets(self) -> Self:
        """These settings, with the secrets that `demo` created in CRM_DATA_DIR where the operator set none."""
        demo = read_demo_secrets(self.crm_data_dir)
        missing = {
            name.lower(): demo[name] for name in DEMO_SECRETS if name in demo and not getattr(self, name.lower())
        }
        return self.load(**{name: getattr(self, name) for name in self.model_fields_set} | missing)

    def jwt_key(self) -> bytes:
        """The HS256 key. Raises SetupError when it is missing or too short to be safe."""
        key = self.jwt_secret.get_secret_value().encode() if self.jwt_secret else b""
        if len(key) < JWT_SECRET_MIN_BYTES:
            state = "is too short" if key else "is not set"
            raise SetupError(
                f"JWT_SECRET {state}: it must have at least {JWT_SECRET_MIN_BYTES} bytes; "
                "make one with: openssl rand -hex 32"
            )
        return key

    def check_public_url(self) -> None:
        """Raises SetupError when PUBLIC_URL is missing in production, where it tells the original from a copy."""
        if self.public_url is None and self.crm_env == "production":
            raise SetupError("PUBLIC_URL is not set: set it to where others reach this server: https://crm.example.com")

    def networks(self) -> Networks:
        """The networks that may be called besides public addresses; in development, this machine is one of them."""
        return Networks.of(self.outbound_allowed_networks, loopback=self.crm_env == "development")

    def log_form(self) -> Literal["json", "text"]:
        """LOG_FORMAT; by default JSON in production and text in development."""
        return self.log_format or ("json" if self.crm_env == "production" else "text")

    def traces(self) -> TraceExport | None:
        """Where traces are sent; None unless an OTEL_* setting asks for traces."""
        base, own = self.otel_exporter_otlp_endpoint, self.otel_exporter_otlp_traces_endpoint
        exporter = self.otel_traces_exporter or ("otlp" if base or own else "none")
        if self.otel_sdk_disabled or exporter == "none":
            return None
        headers = self.otel_exporter_otlp_headers
        return TraceExport(
            endpoint=own or (f"{base.rstrip('/')}/v1/traces" if base else None),
            headers=headers.get_secret_value() if headers else None,
            service_name=self.otel_service_name,
            is_console=exporter == "console",
        )

    def server_url(self) -> URL | None:
        """The URL of the server's database; None for the embedded PostgreSQL in CRM_DATA_DIR."""
        if self.database_url:
            return _postgres_url("DATABASE_URL", self.database_url)
        if self.pg_host is None:
            return None
        return URL.create(
            "postgresql+psycopg",
            username=self.pg_user,
            password=self.pg_password.get_secret_value() if self.pg_password else None,
            host=None if self.pg_host.startswith("/") else self.pg_host,
            port=self.pg_port,
            database=self.pg_database,
            query={
                **({"host": self.pg_host} if self.pg_host.startswith("/") else {}),
                **({"sslmode": self.pg_sslmode} if self.pg_sslmode else {}),
            },
        )

    def migration_url(self) -> URL | None:
        """The same with a user that may change the schema; None for the embedded PostgreSQL."""
        if self.migration_database_url:
            return _postgres_url("MIGRATION_DATABASE_URL", self.migration_database_url)
        return self.server_url()


def _postgres_url(name: str, value: SecretStr) -> URL:
    try:
        url = make_url(value.get_secret_value())
    except (ArgumentError, ValueError):
        raise SetupError(f"{name} is not a URL; expected {URL_FORM}") from None
    if url.get_backend_name() not in ("postgresql", "postgres"):
        raise SetupError(f"{name} must start with postgresql://: crm-graph runs on PostgreSQL only")
    if "@" in (url.host or ""):  # the part after the first @ belongs to the password, and hosts are printed
        raise SetupError(f"{name} has more than one @: write those in its password as %40; expected {URL_FORM}")
    return url.set(drivername="postgresql+psycopg")
