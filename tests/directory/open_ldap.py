"""A real OpenLDAP on a folder and a port of its own, with people in it."""

import os
import shutil
import signal
import socket
import subprocess
import time
from dataclasses import dataclass, field
from pathlib import Path

import pytest

BASE = "dc=office,dc=example"
FINDER, FINDER_PASSWORD = f"cn=finder,{BASE}", "finder's own 7"
PASSWORD = "zielony parasol w kącie"
HERE = "127.0.0.1"
CONFIGURATION = """
include /etc/ldap/schema/core.schema
include /etc/ldap/schema/cosine.schema
include /etc/ldap/schema/inetorgperson.schema
attributetype ( 1.3.6.1.4.1.55555.1 NAME 'userAccountControl'
  EQUALITY integerMatch SYNTAX 1.3.6.1.4.1.1466.115.121.1.27 SINGLE-VALUE )
objectclass ( 1.3.6.1.4.1.55555.2 NAME 'likeActiveDirectory' SUP top AUXILIARY
  MAY userAccountControl )
modulepath /usr/lib/ldap
moduleload back_mdb
TLSCertificateFile {certificate}
TLSCertificateKeyFile {key}
security simple_bind=128
database mdb
suffix "{base}"
directory {folder}/data
rootdn "cn=root,{base}"
access to attrs=userPassword by anonymous auth by * none
access to * by dn.exact="{finder}" read by * none
"""
PERSON = """
dn: uid={name},{base}
objectClass: inetOrgPerson
objectClass: likeActiveDirectory
uid: {name}
cn: {name}
sn: {name}
userPassword: {password}
userAccountControl: {control}
employeeType: {kind}
"""


def free_port() -> int:
    with socket.create_server((HERE, 0)) as listening:
        port: int = listening.getsockname()[1]
        return port


@dataclass(kw_only=True)
class OpenLdap:
    folder: Path
    certificate: Path
    key: Path
    plain_port: int = field(default_factory=free_port)
    tls_port: int = field(default_factory=free_port)
    address: str = HERE
    """One that this machine gets later is listened for on all."""
    process: subprocess.Popen[bytes] | None = None

    @property
    def with_start_tls(self) -> str:
        return f"ldap://{self.address}:{self.plain_port}"

    @property
    def with_ldaps(self) -> str:
        return f"ldaps://{self.address}:{self.tls_port}"

    def fill(self) -> None:
        (self.folder / "data").mkdir(parents=True)
        (self.folder / "slapd.conf").write_text(
            CONFIGURATION.format(
                certificate=self.certificate,
                key=self.key,
                base=BASE,
                folder=self.folder,
                finder=FINDER,
            )
        )
        people = [("zenobia", 512, "staff"), ("jan", 514, "staff"), ("ewa", 512, "left")]
        text = f"dn: {BASE}\nobjectClass: dcObject\nobjectClass: organization\no: o\ndc: office\n"
        text += (
            f"\ndn: {FINDER}\nobjectClass: person\ncn: finder\nsn: finder\n"
            f"userPassword: {FINDER_PASSWORD}\n"
        )
        for name, control, kind in people:
            text += PERSON.format(
                name=name, base=BASE, password=PASSWORD, control=control, kind=kind
            )
        subprocess.run(
            ["slapadd", "-f", self.folder / "slapd.conf"],
            input=text.encode(), check=True, capture_output=True,
        )  # fmt: skip

    def start(self) -> None:
        """Start, and wait until both doors are open."""
        on = HERE if self.address == HERE else "0.0.0.0"  # noqa: S104 - for a minute
        self.process = subprocess.Popen(
            ["/usr/sbin/slapd", "-d", "0", "-f", self.folder / "slapd.conf",
             "-h", f"ldap://{on}:{self.plain_port}/ ldaps://{on}:{self.tls_port}/"],
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        )  # fmt: skip
        until = time.monotonic() + 10
        for port in (self.plain_port, self.tls_port):
            while True:
                try:
                    socket.create_connection((HERE, port), timeout=1).close()
                    break
                except OSError:
                    assert self.process.poll() is None, "slapd did not start"
                    assert time.monotonic() < until, "slapd does not answer"
                    time.sleep(0.02)

    def kill(self) -> None:
        if self.process is not None:
            self.process.kill()
            self.process.wait()
            self.process = None

    def freeze(self) -> None:
        assert self.process
        self.process.send_signal(signal.SIGSTOP)

    def thaw(self) -> None:
        assert self.process
        self.process.send_signal(signal.SIGCONT)


def install() -> None:
    """Have ``slapd``; it is installed when root asks, and must be there in CI."""
    if Path("/usr/sbin/slapd").exists():
        return
    if os.geteuid() != 0:
        pytest.skip("slapd is missing; as root: apt-get install slapd")
    environment = os.environ | {"DEBIAN_FRONTEND": "noninteractive"}  # noqa: TID251 - apt's
    # Its own service is not to start: the tests run theirs.
    policy = Path("/usr/sbin/policy-rc.d")
    ours = not policy.exists()
    if ours:
        policy.write_text("#!/bin/sh\nexit 101\n")
        policy.chmod(0o755)
    try:
        subprocess.run(["apt-get", "update", "-qq"], check=True, env=environment)
        subprocess.run(
            ["apt-get", "install", "-y", "-qq", "--no-install-recommends", "slapd"],
            check=True, env=environment, stdout=subprocess.DEVNULL,
        )  # fmt: skip
    finally:
        if ours:
            policy.unlink()
    assert shutil.which("slapd", path="/usr/sbin")
