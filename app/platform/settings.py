"""Settings: environment variables `COMPTOIR_*`, over a TOML file (`COMPTOIR_SETTINGS`), over these defaults."""

from __future__ import annotations

import os
from email.utils import parseaddr
from ipaddress import ip_network
from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import Field, SecretStr, field_validator, model_validator
from pydantic_settings import (
    BaseSettings,
    NoDecode,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
    TomlConfigSettingsSource,
)

# Where nobody listens in on a connection.
LOOPBACK = ("127.0.0.1", "::1", "localhost")
DEFAULT_SENDER = "Comptoir <comptoir@localhost>"


def _said(secret: SecretStr | None) -> str:
    return secret.get_secret_value().strip() if secret is not None else ""


class Settings(BaseSettings):
    """Everything an operator may set. Units are the last word of a name."""

    # What is wrong with a setting is told without the settings: some are secrets.
    model_config = SettingsConfigDict(env_prefix="COMPTOIR_", extra="ignore", frozen=True, hide_input_in_errors=True)

    data: Path = Field(Path("comptoir-data"), description="folder for the SQLite database, secrets and backups")
    database_url: str | None = Field(
        None, description="postgresql://user:password@host/name; without it, SQLite in the data folder"
    )
    base_url: str = Field("http://127.0.0.1:8000", description="the address people type and QR codes carry")
    host: str = Field("127.0.0.1", description="the address to listen on")
    port: int = Field(8000, description="the port to listen on")
    workers: int = Field(1, ge=1, le=64, description="API processes; more than one needs PostgreSQL")
    payments: Literal["none", "sandbox", "stripe", "mollie"] = Field("none", description="online top-up provider")
    stripe_key: SecretStr | None = Field(None, description="Stripe's secret or restricted key (sk_..., rk_...)")
    stripe_webhook_secret: SecretStr | None = Field(
        None, description="of Stripe's webhook endpoint (whsec_...); two, with a comma, while it changes"
    )
    stripe_url: str = Field("https://api.stripe.com", description="Stripe's API")
    mollie_key: SecretStr | None = Field(None, description="Mollie's API key (live_..., test_...)")
    mollie_url: str = Field("https://api.mollie.com", description="Mollie's API")
    mail: Literal["none", "sandbox", "smtp"] = Field("none", description="who carries e-mail")
    mail_from: str = Field("", description="the sender of e-mail: bonjour@example.org, or Name <bonjour@example.org>")
    smtp_host: str = Field("", description="the mail server")
    smtp_port: int = Field(587, ge=1, le=65535, description="its port; 465 where TLS comes first")
    smtp_tls: Literal["starttls", "tls", "none"] = Field(
        "starttls", description="TLS after STARTTLS, from the first byte, or none: only to this machine"
    )
    smtp_user: str = Field("", description="to sign in at the mail server, where it asks for that")
    smtp_password: SecretStr | None = Field(None, description="its password")
    webhooks_private: bool = Field(
        False, description="webhooks may lead to private addresses, and over plain http to this machine"
    )
    trusted_proxies: Annotated[tuple[str, ...], NoDecode] = Field(
        (), description="addresses whose X-Forwarded-For is believed, separated by commas"
    )
    require_second_factor: bool = Field(
        False, description="whoever moves money, or lets others in, needs a second factor"
    )
    log_level: Literal["debug", "info", "warning", "error"] = Field("info", description="the least that is logged")
    body_limit_bytes: int = Field(1024 * 1024, description="larger request bodies are refused with 413")
    queue_limit: int = Field(2000, ge=1, description="operations waiting to be booked; beyond it, 503 at once")
    batch_limit: int = Field(500, ge=1, description="operations booked in one database transaction at most")

    @field_validator("trusted_proxies", mode="before")
    @classmethod
    def _addresses(cls, value: object) -> object:
        """ "10.0.0.1, 2001:db8::/32" from the environment, or a list from the file."""
        proxies = value.split(",") if isinstance(value, str) else value
        if not isinstance(proxies, list | tuple):
            return value
        found = [str(proxy).strip() for proxy in proxies if str(proxy).strip()]
        for proxy in found:
            ip_network(proxy, strict=False)
        return found

    @model_validator(mode="after")
    def _provider_has_its_keys(self) -> Self:
        keys = {"stripe": ("stripe_key", "stripe_webhook_secret"), "mollie": ("mollie_key",)}
        needed = keys.get(self.payments, ())
        missing = [f"COMPTOIR_{it.upper()}" for it in needed if not _said(getattr(self, it))]
        if missing:
            raise ValueError(f"COMPTOIR_PAYMENTS={self.payments} needs {' and '.join(missing)}")
        return self

    @model_validator(mode="after")
    def _mail_has_its_server(self) -> Self:
        if self.mail == "smtp":
            missing = [f"COMPTOIR_{it.upper()}" for it in ("smtp_host", "mail_from") if not getattr(self, it).strip()]
            if missing:
                raise ValueError(f"COMPTOIR_MAIL=smtp needs {' and '.join(missing)}")
            if self.smtp_tls == "none" and self.smtp_host not in LOOPBACK:
                raise ValueError("COMPTOIR_SMTP_TLS=none is for a mail server on this machine only")
            if bool(self.smtp_user) != bool(_said(self.smtp_password)):
                raise ValueError("COMPTOIR_SMTP_USER and COMPTOIR_SMTP_PASSWORD go together")
        if self.mail != "none" and "@" not in parseaddr(self.mail_from or DEFAULT_SENDER)[1]:
            raise ValueError("COMPTOIR_MAIL_FROM is no e-mail address")
        return self

    @property
    def sender(self) -> str:
        """Of e-mail; the sandbox needs none."""
        return self.mail_from or DEFAULT_SENDER

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        file = os.environ.get("COMPTOIR_SETTINGS")
        sources = (init_settings, env_settings)
        return (*sources, TomlConfigSettingsSource(settings_cls, Path(file))) if file else sources

    @property
    def payment_key(self) -> str:
        """That of the provider in use."""
        return _said({"stripe": self.stripe_key, "mollie": self.mollie_key}.get(self.payments))

    @property
    def stripe_webhook_secrets(self) -> list[str]:
        return [it.strip() for it in _said(self.stripe_webhook_secret).split(",") if it.strip()]

    @property
    def sqlite_path(self) -> Path:
        return self.data / "comptoir.sqlite3"

    @property
    def sqlalchemy_url(self) -> str:
        """The database's address for SQLAlchemy's async engines, whichever spelling the operator used."""
        if self.database_url is None:
            return f"sqlite+aiosqlite:///{self.sqlite_path}"
        scheme, _, rest = self.database_url.partition("://")
        if scheme.split("+")[0] in {"postgres", "postgresql"}:
            return f"postgresql+asyncpg://{rest}"
        if scheme.split("+")[0] == "sqlite":
            return f"sqlite+aiosqlite://{rest}"
        raise ValueError(f"COMPTOIR_DATABASE_URL: {scheme!r} is neither postgresql nor sqlite")
