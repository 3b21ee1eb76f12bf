"""The settings of directory sign-in. `recorder/settings.py` reads them with all others."""

from pathlib import Path

from pydantic import Field, SecretStr
from pydantic_settings import BaseSettings


class DirectorySettings(BaseSettings):
    """Where the office's directory and its OpenID provider are; nothing set = neither is asked."""

    ldap_servers: str = Field(
        default="",
        description="the directory's servers, asked in turn: ldaps://… or ldap://… with StartTLS",
    )
    ldap_ca_file: Path | None = Field(
        default=None, description="certificate authority of the directory; unset = the system's"
    )
    ldap_bind_dn: str = Field(default="", description="account that looks names up in it")
    ldap_bind_password: SecretStr = Field(default=SecretStr(""), description="its password")
    ldap_base: str = Field(default="", description="where in the directory people are")
    ldap_name_attribute: str = Field(
        default="sAMAccountName",
        pattern="^[A-Za-z][A-Za-z0-9-]*$",
        description="attribute that holds a person's name in the directory",
    )
    ldap_filter: str = Field(
        default="(objectClass=person)",
        pattern=r"^\(.*\)$",
        description="who of them may sign in at all",
    )
    ldap_timeout_s: int = Field(
        default=5, ge=1, le=60, description="how long one server may take to answer"
    )
    oidc_issuer: str = Field(default="", description="issuer of the OpenID provider, https://…")
    oidc_client_id: str = Field(default="", description="what the provider calls this service")
    oidc_client_secret: SecretStr = Field(
        default=SecretStr(""), description="its secret there; empty = a public client with PKCE"
    )
    oidc_ca_file: Path | None = Field(
        default=None, description="certificate authority of the provider; unset = the system's"
    )
    oidc_plain_loopback: bool = Field(
        default=False, description="whether http://127.0.0.1 is a provider, for a trial"
    )
