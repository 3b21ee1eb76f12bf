"""The settings of mail: where signed checkpoints leave the machine to. Read with all others."""

from pathlib import Path
from typing import Literal

from pydantic import Field, SecretStr
from pydantic_settings import BaseSettings


class MailSettings(BaseSettings):
    """How checkpoints are posted; without ``audit_mail_to`` nothing is."""

    audit_mail_to: str = Field(
        default="",
        description="who is sent each signed checkpoint: addresses, separated by commas",
    )
    mail_from: str = Field(default="", description="address that mail comes from")
    mail_host: str = Field(default="", description="the office's mail server")
    mail_port: int = Field(default=587, ge=1, le=65535, description="port on which it answers")
    mail_security: Literal["starttls", "tls", "none"] = Field(
        default="starttls", description="how the way there is protected: starttls, tls or none"
    )
    mail_ca_file: Path | None = Field(
        default=None, description="certificate authority of the mail server; unset = the system's"
    )
    mail_user: str = Field(default="", description="account at the mail server; empty = none")
    mail_password: SecretStr = Field(
        default=SecretStr(""), description="password of the account at the mail server"
    )
    mail_timeout_s: int = Field(
        default=20, ge=1, le=120, description="how long the mail server may take to answer"
    )
