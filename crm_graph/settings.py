"""The settings, named like their environment variables. Nothing else reads the environment.

The first source with a value wins: the environment, `.env` in the working folder and, for the development commands, the
secrets that `demo` created in CRM_DATA_DIR.
"""

import logging
import os
import re
import secrets
from difflib import get_close_matches
from pathlib import Path
from typing import Annotated, Any, Literal, Self

from dotenv.parser import Binding, parse_stream
from iso4217 import Currency
from pydantic import AfterValidator, BeforeValidator, Field, SecretStr, ValidationError
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import ArgumentError

from crm_graph.egress.networks import Networks
from crm_graph.errors import SetupError
from crm_graph.telemetry.trace_export import TraceExport

logging.getLogger("dotenv").setLevel("ERROR")  # env_file_problems() reports more
JWT_SECRET_MIN_BYTES = 32  # RFC 7518, 3.2: a key at least as long as the hash
URL_FORM = "postgresql://user:password@host:5432/crm"
ENV_FILE = Path(".env")
_ORIGIN = re.compile(r"[a-z][a-z0-9+.-]*://([^\s/?#@:\[\]]+|\[[0-9a-f:.]+\])(:\d{1,5})?")
DEMO_SECRETS = (
    "JWT_SECRET",
    "HMAC_SHARED_SECRET_INSTANTLY",
    "HMAC_SHARED_SECRET_CALCOM",
    "INSTANTLY_WEBHOOK_TOKEN",
)


def _split(value: object) -> object:
    return tuple(part.strip() for part in value.split(",") if part.strip()) if isinstance(value, str) else value


def _lower(value: object) -> object:
    return value.lower() if isinstance(value, str) else value


def _currency(code: str) -> str:
    try:
        return Currency(code).code
    except ValueError:
        raise ValueError("must be an ISO 4217 code in capitals, such as EUR") from None


def _public_url(url: str) -> str:
    if not re.match(r"https?://[^/\s]", url):
        raise ValueError("must be a full URL, such as https://crm.example.com")
    return url


def _origins(values: tuple[str, ...]) -> tuple[str, ...]:
    origins = tuple(origin.lower().rstrip("/") for origin in values)
    if not all(_ORIGIN.fullmatch(origin) for origin in origins):
        raise ValueError("each must be scheme://host or scheme://host:port without a path: https://board.example.com")
    return origins


def _domains(values: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(domain.removeprefix("@").lower() for domain in values)


def _networks(values: tuple[str, ...]) -> tuple[str, ...]:
    try:
        return tuple(map(str, Networks.of(values).allowed))
    except ValueError:
        raise ValueError("each must be a network or an address: 10.1.0.0/16, 192.168.7.20, fd12:3456::/32") from None


CommaList = Annotated[tuple[str, ...], NoDecode, BeforeValidator(_split)]
SecretList = Annotated[tuple[SecretStr, ...], NoDecode, BeforeValidator(_split)]


def _default_data_dir() -> Path:
    return Path("/var/lib/crm-graph") if os.geteuid() == 0 else Path(".crm-graph")


class Settings(BaseSettings):
    """All settings. `.env.example` lists the same names, each with one line of help."""

    model_config = SettingsConfigDict(
        env_file=ENV_FILE, env_file_encoding="utf-8-sig", env_ignore_empty=True, extra="ignore", frozen=True
    )

    crm_env: Literal["production", "development"] = "production"
    log_level: Annotated[Literal["debug", "info", "warning", "error"], BeforeValidator(_lower)] = "info"
    log_format: Literal["json", "text"] | None = None
    host: str = "127.0.0.1"
    port: int = Field(default=8000, ge=1, le=65535)
    public_url: Annotated[str, AfterValidator(_public_url)] | None = None

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
    hmac_shared_secret_instantly: SecretList = ()
    hmac_shared_secret_calcom: SecretList = ()
    instantly_webhook_token: SecretList = ()
    dev_signature_bypass: bool = False

    internal_domains: Annotated[CommaList, AfterValidator(_domains)] = ()
    calcom_event_types: CommaList = ()
    default_currency: Annotated[str, AfterValidator(_currency)] = "USD"
    allowed_origins: Annotated[CommaList, AfterValidator(_origins)] = ()
    worker_inside: bool = True
    outbound_allowed_networks: Annotated[CommaList, AfterValidator(_networks)] = ()

    metrics_token: SecretStr | None = None
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
        if ENV_FILE.is_dir():
            raise SetupError(f"{ENV_FILE} is a folder: the settings are read from a file of that name")
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
        return settings

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


def env_file_problems() -> list[str]:
    """A message for each line of `.env` that looks like a setting but sets none. Messages never contain values."""
    if not ENV_FILE.is_file():  # nor if it is a pipe, which can be read only once
        return []
    with ENV_FILE.open(encoding="utf-8-sig") as file:
        found = [(binding, _env_line_problem(binding)) for binding in parse_stream(file)]
    return [f"{ENV_FILE} line {_line_number(binding)}: {problem}" for binding, problem in found if problem]


def _env_line_problem(binding: Binding) -> str | None:
    names = [name.upper() for name in Settings.model_fields]
    if binding.error:
        word = re.match(r"\s*(?:export\s+)?(\w+)", binding.original.string)
        name = word[1].upper() if word and word[1].upper() in names else "it"
        return f"{name} can't be read; write NAME=value, and close every quote"
    key = (binding.key or "").upper()
    close = get_close_matches(key, names, n=1, cutoff=0.8)
    if not close or (key in names and binding.value is not None):
        return None
    return f"{key} has no = after it" if key in names else f"{key!a} is not a setting; did you mean {close[0]}?"


def _line_number(binding: Binding) -> int:
    """The number of its first line: python-dotenv counts the empty lines before it as its own."""
    text = binding.original.string
    return binding.original.line + text[: len(text) - len(text.lstrip())].count("\n")


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


def _secrets_file(data_dir: Path) -> Path:
    return data_dir / "demo-secrets.env"


def read_demo_secrets(data_dir: Path) -> dict[str, str]:
    """The secrets that `demo` created in this data folder; empty if there are none or they can't be read."""
    try:
        lines = _secrets_file(data_dir).read_text().splitlines()
    except OSError:
        return {}
    return dict(line.split("=", 1) for line in lines if "=" in line)


def make_demo_secrets(data_dir: Path) -> dict[str, str]:
    """Create the demo's secrets, once per data folder and readable only by its owner, and return them."""
    path = _secrets_file(data_dir)
    created = {name: secrets.token_hex(32) for name in DEMO_SECRETS}
    draft = path.with_name(f"{path.name}.{os.getpid()}")
    draft.touch(mode=0o600)
    draft.write_text("".join(f"{name}={value}\n" for name, value in created.items()))
    try:
        os.link(draft, path)  # fails, unlike rename, if another process was first
    except FileExistsError:
        pass
    finally:
        draft.unlink()
    return read_demo_secrets(data_dir)
