"""The settings, named like their environment variables. Nothing else reads the environment.

The first source with a value wins: the environment, `.env` in the working folder and, in development, the secrets that
`demo` created in CRM_DATA_DIR.
"""

import os
from datetime import datetime
from pathlib import Path
from typing import Annotated, Any, Literal, Self

from pydantic import AfterValidator, BeforeValidator, Field, SecretStr, ValidationError
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict
from sqlalchemy.engine import URL

from crm_graph.egress.networks import Networks
from crm_graph.errors import SettingsError, SetupError
from crm_graph.settings import database_urls, env_file, overview, secret_strength, value_forms, wrong_values
from crm_graph.settings.demo_secrets import DEMO_SECRETS, is_made_by_demo, read_demo_secrets
from crm_graph.telemetry.trace_export import TraceExport

PostgresUrl = Annotated[SecretStr, AfterValidator(database_urls.checked)]
CommaList = Annotated[tuple[str, ...], NoDecode, BeforeValidator(value_forms.split)]
SecretList = Annotated[tuple[SecretStr, ...], NoDecode, BeforeValidator(value_forms.split)]


def _default_data_dir() -> Path:
    return Path("/var/lib/crm-graph") if os.geteuid() == 0 else Path(".crm-graph")


class Settings(BaseSettings):
    """All settings. `.env.example` lists the same names, each with one line of help."""

    model_config = SettingsConfigDict(
        env_file=env_file.ENV_FILE,
        env_file_encoding=env_file.ENCODING,
        env_ignore_empty=True,
        extra="ignore",
        frozen=True,
    )

    crm_env: Literal["production", "development"] = "production"
    log_level: Annotated[Literal["debug", "info", "warning", "error"], BeforeValidator(value_forms.lower)] = "info"
    log_format: Literal["json", "text"] | None = None
    host: str = "127.0.0.1"
    port: int = Field(default=8000, ge=1, le=65535)
    public_url: Annotated[str, AfterValidator(value_forms.public_url)] | None = None

    crm_data_dir: Annotated[Path, BeforeValidator(value_forms.folder)] = Field(default_factory=_default_data_dir)
    embedded_database: bool | None = None
    database_url: PostgresUrl | None = None
    migration_database_url: PostgresUrl | None = None
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

        Raises SettingsError with a line for every wrong line of `.env` and every wrong variable.
        """
        if env_file.ENV_FILE.is_dir():
            raise SetupError(f"{env_file.ENV_FILE} is a folder: the settings are read from a file of that name")
        problems: list[str] = []
        try:
            if "_env_file" not in overrides:
                problems += env_file.problems(cls.names())
            settings = cls(**overrides)
            problems += settings._contradictions()
        except ValidationError as error:
            problems += wrong_values.problems(error, cls.model_fields, overview.source)
        except (OSError, UnicodeDecodeError) as error:
            problem = getattr(error, "strerror", None) or "it is not UTF-8"
            raise SetupError(f"can't read the settings in {env_file.ENV_FILE}: {problem}") from None
        if problems:
            raise SettingsError(problems)
        return settings

    @classmethod
    def names(cls) -> list[str]:
        """The names of all settings, as they are written in the environment."""
        return [name.upper() for name in cls.model_fields]

    @classmethod
    def secret_names(cls) -> frozenset[str]:
        """The names of the settings whose values are never shown."""
        return frozenset(name.upper() for name, field in cls.model_fields.items() if "Secret" in str(field.annotation))

    @classmethod
    def defaults(cls) -> dict[str, str]:
        """Each setting's default as it would be written in the environment; empty for none."""
        values = {
            name.upper(): field.get_default(call_default_factory=True) for name, field in cls.model_fields.items()
        }
        return {name: value_forms.text(value) for name, value in values.items()}

    def _contradictions(self) -> list[str]:
        found = []
        if self.dev_signature_bypass and self.crm_env == "production":
            found.append("DEV_SIGNATURE_BYPASS works in development only: unset it, or set CRM_ENV=development")
        named = [n for n in ("DATABASE_URL", "PG_HOST", "MIGRATION_DATABASE_URL") if getattr(self, n.lower())]
        if self.metrics_port == self.port:
            found.append(f"METRICS_PORT and PORT are both {self.port}: the metrics need a port of their own")
        if self.metrics_port and not value_forms.is_loopback(self.metrics_host) and self.metrics_token is None:
            found.append("METRICS_HOST lets other machines read the metrics: set METRICS_TOKEN too")
        if self.embedded_database and named:
            found.append(
                f"EMBEDDED_DATABASE=true contradicts {named[0]}, which names another database: unset one of them"
            )
        elif named == ["MIGRATION_DATABASE_URL"]:
            found.append("MIGRATION_DATABASE_URL needs DATABASE_URL or PG_HOST: the database that the server uses")
        return found

    def secret_problems(self) -> list[str]:
        """A line for each secret that is set and too weak to be used."""
        return [line for name, secrets in self._secrets() for line in secret_strength.problems(name, secrets)]

    def secret_warnings(self) -> list[str]:
        """A line for each weak secret that is accepted only while it is being replaced."""
        return [line for name, secrets in self._secrets() for line in secret_strength.warnings(name, secrets)]

    def _secrets(self) -> list[tuple[str, tuple[str, ...]]]:
        names = (*secret_strength.SINGLES, *secret_strength.LISTS)
        return [(name, secret_strength.plain(getattr(self, name.lower()))) for name in names]

    def database_problem(self) -> str | None:
        """Why no database can be used; None if one can: the server that is named, or the embedded PostgreSQL."""
        if self.server_url() is not None:
            return None
        is_demo = is_made_by_demo(self.crm_data_dir)
        if self.embedded_database is False or (self.embedded_database is None and self.crm_env == "production"):
            made = f"; {self.crm_data_dir} is the demo's, for CRM_ENV=development" if is_demo else ""
            return (
                "no database is set: set DATABASE_URL or PG_HOST to use your PostgreSQL, or EMBEDDED_DATABASE=true to "
                f"run one in CRM_DATA_DIR ({self.crm_data_dir}); to try crm-graph, run crm-graph demo{made}"
            )
        if is_demo and self.crm_env == "production":
            return (
                f"CRM_DATA_DIR ({self.crm_data_dir}) was made by crm-graph demo, and production must not use it: set "
                "another CRM_DATA_DIR, or CRM_ENV=development"
            )
        return None

    def serving_problems(self) -> list[str]:
        """A line for everything for which `serve` would refuse these settings."""
        missing = None if self.jwt_secret else secret_strength.MISSING_KEY
        others = (missing, self.public_url_problem(), self.database_problem())
        return [*self.secret_problems(), *filter(None, others)]

    def for_data_folder(self) -> Self:
        """These settings, completed for a data folder that `demo` made: commands need no settings beside a demo.

        A folder that no setting contradicts makes it development, under no PUBLIC_URL, as in the demo itself. In
        development, the demo's secrets are used where none are set; in production, never.
        """
        is_free = self.server_url() is None and self.embedded_database is None
        if is_free and "crm_env" not in self.model_fields_set and is_made_by_demo(self.crm_data_dir):
            return self._with(crm_env="development", public_url=None).with_demo_secrets()
        return self.with_demo_secrets() if self.crm_env == "development" else self

    def with_demo_secrets(self) -> Self:
        """These settings, with the secrets that `demo` created in CRM_DATA_DIR where the operator set none."""
        demo = read_demo_secrets(self.crm_data_dir)
        missing = {
            name.lower(): demo[name] for name in DEMO_SECRETS if name in demo and not getattr(self, name.lower())
        }
        return self._with(**missing)

    def _with(self, **changes: Any) -> Self:
        return self.load(**{name: getattr(self, name) for name in self.model_fields_set} | changes)

    def jwt_key(self) -> bytes:
        """The HS256 key. Raises SetupError when it is missing or too weak to be safe."""
        if self.jwt_secret is None:
            raise SetupError(secret_strength.MISSING_KEY)
        for problem in secret_strength.problems("JWT_SECRET", secret_strength.plain(self.jwt_secret)):
            raise SetupError(problem)
        return self.jwt_secret.get_secret_value().encode()

    def public_url_problem(self) -> str | None:
        """Why production can't do without PUBLIC_URL, which tells the original from a copy; None if it is set."""
        if self.public_url is not None or self.crm_env != "production":
            return None
        return "PUBLIC_URL is not set: set it to where others reach this server: https://crm.example.com"

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
            return database_urls.postgres_url(self.database_url)
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
            return database_urls.postgres_url(self.migration_database_url)
        return self.server_url()
