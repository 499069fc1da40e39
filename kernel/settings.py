"""
Settings: declared once, read from the environment (prefix FAZHI_), secrets also from files (R53).

For every secret `FAZHI_X` there is `FAZHI_X_FILE`, whose content is used instead. Only composition reads
settings; a test compares this class with docs/settings.md.
"""

import os
from pathlib import Path
from typing import Any, Literal, Self
from urllib.parse import urlsplit

from pydantic import Field, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from kernel.access.files import is_open, is_open_key

_SECRETS = ("database_url", "owner_url", "broker_url", "opensearch_url", "blobs_url", "partner_brokers")
_KEY_FILES = (
    "identity_key_file",
    "partner_key_file",
    "ledger_key_file",
    "publication_key_file",
    "audit_key_file",
    "source_key_file",
)
_GUESSED_FIRST = {
    "",
    "guest",
    "admin",
    "postgres",
    "rabbitmq",
    "password",
    "changeme",
    "secret",
    "123456",
    "fazhi",
}


class Settings(BaseSettings):
    """Everything an installation can choose; the defaults are the embedded form."""

    model_config = SettingsConfigDict(
        env_prefix="FAZHI_", extra="ignore", frozen=True, hide_input_in_errors=True
    )

    data: Path = Field(Path("data"), description="Folder for everything the embedded form keeps.")
    production: bool = Field(default=False, description="Refuse weak settings instead of warning of them.")
    log_level: str = Field("INFO", description="DEBUG, INFO, WARNING or ERROR.")
    database_url: str = Field(
        "",
        description="PostgreSQL URL; {service} in it is replaced by the service's name. Empty: SQLite in data.",
    )
    owner_url: str = Field(
        "",
        description="PostgreSQL URL of a role that may become the owner, for migrate and maintain; {service} as above. "
        "Empty: the service's role owns its tables.",
    )
    database_pool: int = Field(5, description="Pooled database connections of a process.", ge=0, le=100)
    outbox_days: int = Field(
        90, description="Days that told facts are kept; then their month is dropped (PostgreSQL).", ge=90
    )
    broker_url: str = Field("", description="RabbitMQ URL. Empty: the in-process bus.")
    opensearch_url: str = Field("", description="OpenSearch URL. Empty: the embedded index.")
    blobs_url: str = Field(
        "",
        description="S3 for evidence: https://KEY:SECRET@host/bucket/prefix, or s3://bucket/prefix with AWS_* "
        "variables. Empty: a folder in data, for one machine only.",
    )
    catalog: Path = Field(
        Path(__file__).resolve().parent.parent / "catalog",
        description="Folder of frameworks, codes, calendars.",
    )
    console: Path = Field(
        Path(__file__).resolve().parent.parent / "console" / "dist",
        description="Folder of the built console.",
    )
    host: str = Field("127.0.0.1", description="Address to serve on.")
    port: int = Field(8000, description="HTTP port.", ge=0, le=65535)
    grpc_port: int = Field(0, description="gRPC port. 0: the port after HTTP's.", ge=0, le=65535)
    cookie_secure: bool = Field(default=True, description="Send session cookies over HTTPS only.")
    identity_key_file: Path | None = Field(
        None,
        description="Ed25519 private keys (PEM) that sign tokens; the gateway's only; followed while running. "
        "Empty: made in data.",
    )
    identity_public_key_file: Path | None = Field(
        None,
        description="Public keys (PEM) that check tokens; followed while running. "
        "Empty: derived from the private keys in data.",
    )
    partner_key_file: Path | None = Field(
        None,
        description="32 random bytes, or several times 32, newest first, that seal partners' secrets and second "
        "factors; the gateway's only. Empty: made in data.",
    )
    second_factor: Literal["required", "optional"] = Field(
        "required",
        description="Whether reviewers, inspectors and administrators must enrol a second factor; optional only where "
        "certificates sign people in before the platform is reached.",
    )
    audit_key_file: Path | None = Field(
        None,
        description="Ed25519 private key (PEM) that signs checkpoints of the audit log; each worker its service's. "
        "Empty: made in data, or in production nothing is sealed.",
    )
    source_key_file: Path | None = Field(
        None,
        description="Ed25519 private keys (PEM) by which a service signs its scored events; {service} as above; both "
        "processes of a service its own; followed while running. Empty: made in data.",
    )
    source_public_keys: Path | None = Field(
        None,
        description="Folder of the sources' public keys, source-NAME.pub.pem each; assessment's processes and who "
        "verifies; followed while running. Empty: those in data.",
    )
    metrics_networks: str = Field(
        "127.0.0.0/8,::1/128,10.0.0.0/8,172.16.0.0/12,192.168.0.0/16,fc00::/7",
        description="Networks that may read /metrics.",
    )
    partner_brokers: str = Field(
        "", description="Partner virtual hosts the gateway serves: petition=amqp://…,hotline=amqp://…"
    )

    ledger_origin: str = Field(
        "fazhi.local/assessment",
        description="Name of the ledger in its checkpoints; a ledger begun anew takes another.",
        pattern=r"^[^\s+]{1,200}$",
    )
    ledger_key_file: Path | None = Field(
        None,
        description="Ed25519 private key (PEM) that signs checkpoints; assessment's worker only. "
        "Empty: made in data.",
    )
    publication_key_file: Path | None = Field(
        None,
        description="Ed25519 private key (PEM) that signs published rankings; assessment's worker only. "
        "Empty: made in data.",
    )
    ledger_public_keys: str = Field(
        "",
        description="Keys (name+id+base64, comma between) whose checkpoints are good: this ledger's, earlier "
        "ones too. Empty: the key that signs.",
    )
    publication_public_key: str = Field(
        "", description="Key (name+id+base64) that signs published rankings. Empty: the key that signs."
    )
    ledger_witnesses: str = Field(
        "", description="Witnesses of the ledger: their key, a space, their address; comma between."
    )
    ledger_witnesses_needed: int | None = Field(
        None,
        description="Witnesses that must have signed before anything is published. Empty: two in production, "
        "else one.",
        ge=0,
        le=20,
    )

    @model_validator(mode="before")
    @classmethod
    def _left_empty(cls, values: dict[str, Any]) -> dict[str, Any]:
        """A variable without a value leaves empty what may be left empty; a path would be the working folder."""
        unset = {name for name, field in cls.model_fields.items() if field.default is None}
        return {name: value for name, value in values.items() if not (name in unset and value == "")}

    @model_validator(mode="before")
    @classmethod
    def _secrets_from_files(cls, values: dict[str, Any]) -> dict[str, Any]:
        for name in _SECRETS:
            path = os.environ.get(f"FAZHI_{name.upper()}_FILE")
            if path:
                values[name] = read_secret(Path(path))
        return values

    @model_validator(mode="after")
    def _nothing_weak_in_production(self) -> Self:
        if self.production and (weak := self._weaknesses()):
            raise ValueError("正式环境不接受以下设置 / refused in production: " + "; ".join(weak))
        return self

    def _weaknesses(self) -> list[str]:
        """What an installation that holds real cases must not have; no value is repeated."""
        weak = []
        urls = [(name, getattr(self, name)) for name in _SECRETS if name != "partner_brokers"]
        urls += [("partner_brokers", one.partition("=")[2]) for one in self.partner_brokers.split(",")]
        for name, address in urls:
            url = urlsplit(address.strip())
            # No password means a certificate signs in, except on plain AMQP, where it means guest:guest.
            password = "guest" if url.password is None and url.scheme == "amqp" else url.password
            if password is not None and password.lower() in {*_GUESSED_FIRST, url.username}:
                weak.append(f"FAZHI_{name.upper()}: 口令为空、默认或与用户名相同")
        if not self.cookie_secure:
            weak.append("FAZHI_COOKIE_SECURE: 会话 Cookie 必须只走 HTTPS")
        if any(network.strip() in ("0.0.0.0/0", "::/0") for network in self.metrics_networks.split(",")):
            weak.append("FAZHI_METRICS_NETWORKS: 指标不得对所有网络开放")
        if self.witnesses_needed < 2:
            weak.append("FAZHI_LEDGER_WITNESSES_NEEDED: 至少要有两个见证方")
        for name in _KEY_FILES:
            path = getattr(self, name)
            if path is not None and path.exists() and is_open_key(path):
                weak.append(f"FAZHI_{name.upper()}: 密钥文件他人可读，请执行 chmod 600")
        return weak

    @property
    def witnesses_needed(self) -> int:
        """How many witnesses must have signed before anything is published."""
        if self.ledger_witnesses_needed is None:
            return 2 if self.production else 1
        return self.ledger_witnesses_needed

    def database_url_of(self, service: str) -> str:
        """Where a service keeps its things."""
        if self.database_url:
            return self.database_url.replace("{service}", service)
        return f"sqlite:///{self.data / f'{service}.db'}"

    def owner_url_of(self, service: str) -> str:
        """Where a service's database is migrated and kept, as its owner; "" when nobody but the service owns it."""
        return self.owner_url.replace("{service}", service)

    def source_key_file_of(self, service: str) -> Path | None:
        """The private keys by which a service signs its scored events; None: made in data."""
        given = self.source_key_file
        return given and Path(str(given).replace("{service}", service))

    @property
    def rpc_port(self) -> int:
        """The gRPC port in force."""
        return self.grpc_port or self.port + 1


def read_secret(path: Path) -> str:
    """A secret from a file; raises PermissionError when others may read the file."""
    if is_open(path):
        raise PermissionError(f"{path} can be read or changed by others; run: chmod 640 {path}")
    return path.read_text().strip()
