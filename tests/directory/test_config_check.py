"""``recorder config check --directory``: a real OpenLDAP and a provider, right and wrong."""

import subprocess
import sys
from pathlib import Path

import pytest

from recorder.commands.directory_check import directory_checks
from recorder.pbx.model import Grade
from recorder.settings import load_settings
from tests.directory.certificates import Authority
from tests.directory.open_ldap import BASE, FINDER, FINDER_PASSWORD, OpenLdap

ROOT = Path(__file__).parents[2]
AWAY = "ldaps://127.0.0.1:1"


def told(name: str, **given: str) -> list[tuple[Grade, str]]:
    settings = load_settings({f"RECORDER_{key}": value for key, value in given.items()})
    found = [each for each in directory_checks(settings) if each.check == name]
    assert all(each.remedy for each in found if each.weight is Grade.WRONG)
    assert FINDER_PASSWORD not in str(found)
    return [(each.weight, each.says) for each in found]


def of_ldap(server: OpenLdap, authority: Authority, **changed: str) -> list[tuple[Grade, str]]:
    given = {
        "LDAP_SERVERS": f"{server.with_start_tls} {server.with_ldaps}",
        "LDAP_CA_FILE": str(authority.file),
        "LDAP_BIND_DN": FINDER,
        "LDAP_BIND_PASSWORD": FINDER_PASSWORD,
        "LDAP_BASE": BASE,
        "LDAP_NAME_ATTRIBUTE": "uid",
        "LDAP_TIMEOUT_S": "1",
    }
    return told("directory", **(given | changed))


def test_what_is_not_used_is_not_missed() -> None:
    assert {weight for name in ("directory", "OpenID provider") for weight, _ in told(name)} == {
        Grade.OK
    }


def test_each_server_of_the_directory_is_asked_on_its_own(
    server: OpenLdap, authority: Authority
) -> None:
    assert [weight for weight, _ in of_ldap(server, authority)] == [Grade.OK, Grade.OK]
    said = of_ldap(server, authority, LDAP_SERVERS=f"{server.with_ldaps} {AWAY}")
    assert [weight for weight, _ in said] == [Grade.OK, Grade.WRONG]
    assert "127.0.0.1:1 does not answer" in said[1][1]


@pytest.mark.parametrize(
    ("changed", "says"),
    [
        ({"LDAP_BIND_PASSWORD": "another"}, "refuses RECORDER_LDAP_BIND_DN"),
        ({"LDAP_BASE": "dc=elsewhere,dc=example"}, "has nothing at RECORDER_LDAP_BASE"),
        ({"LDAP_FILTER": "(uid=nobody)"}, "shows nobody who fits RECORDER_LDAP_FILTER"),
        ({"LDAP_FILTER": "((((uid=x)"}, "RECORDER_LDAP_FILTER is no filter"),
        ({"LDAP_CA_FILE": ""}, "CERTIFICATE_VERIFY_FAILED"),
        ({"LDAP_BASE": ""}, "RECORDER_LDAP_BASE is needed"),
        ({"LDAP_SERVERS": "http://dc1"}, "a server is ldaps://host"),
    ],
)
def test_what_keeps_the_directory_from_proving_anybody_is_told(
    server: OpenLdap, authority: Authority, changed: dict[str, str], says: str
) -> None:
    if changed.get("LDAP_CA_FILE") == "":
        changed = {"LDAP_CA_FILE": str(Authority(authority.file.parent, "another").file)}
    (weight, said), *_ = of_ldap(server, authority, **changed)
    assert weight is Grade.WRONG
    assert says in said


def of_oidc(issuer: str, **changed: str) -> tuple[Grade, str]:
    given = {
        "OIDC_ISSUER": issuer,
        "OIDC_CLIENT_ID": "rejestrator",
        "OIDC_PLAIN_LOOPBACK": "true",
        "WEB_ORIGIN": "https://rejestrator.example",
    }
    (found,) = told("OpenID provider", **(given | changed))
    return found


def test_a_provider_that_describes_itself_rightly_is_told(issuer: str) -> None:
    assert of_oidc(issuer) == (
        Grade.OK,
        "describes itself rightly and signs with 1 keys that are taken",
    )


@pytest.mark.parametrize(
    ("changed", "says"),
    [
        ({"OIDC_ISSUER": "http://127.0.0.1:1"}, "does not answer"),
        ({"OIDC_ISSUER": "http://provider.example"}, "RECORDER_OIDC_ISSUER"),
        ({"OIDC_CLIENT_ID": ""}, "RECORDER_OIDC_CLIENT_ID is needed"),
    ],
)
def test_what_is_wrong_with_a_provider_is_told(
    issuer: str, changed: dict[str, str], says: str
) -> None:
    weight, said = of_oidc(issuer, **changed)
    assert weight is Grade.WRONG
    assert says in said


def test_a_provider_of_another_name_is_not_called_right(issuer: str) -> None:
    weight, said = of_oidc(f"{issuer}/")
    assert weight is Grade.WRONG
    assert "describes itself as another" in said


def test_a_provider_from_which_nobody_comes_back_is_not_called_right(issuer: str) -> None:
    settings = {"OIDC_ISSUER": issuer, "OIDC_CLIENT_ID": "x", "OIDC_PLAIN_LOOPBACK": "true"}
    ((weight, said),) = told("OpenID provider", **settings)
    assert weight is Grade.WRONG
    assert "RECORDER_WEB_ORIGIN" in said


def check(*arguments: str) -> "subprocess.CompletedProcess[str]":
    program = str(Path(sys.executable).with_name("recorder"))
    environment = {"PATH": "/usr/bin:/bin", "RECORDER_ARI_PASSWORD": ""}
    return subprocess.run(
        [program, "config", "check", *arguments],
        cwd=ROOT, env=environment, text=True, capture_output=True, check=False,
    )  # fmt: skip


def test_where_captures_folders_are_not_the_directory_is_asked_alone() -> None:
    """As in the web's container, which has neither the spool nor ARI's password."""
    assert "RECORDER_ARI_PASSWORD" in check("--directory").stdout
    said = check("--only", "--directory")
    assert (said.returncode, said.stderr) == (0, "")
    assert "0 wrong, 0 to know, 2 right, 0 not asked." in said.stdout


def test_nothing_is_no_check() -> None:
    said = check("--only")
    assert said.returncode == 2
    assert "--only" in said.stderr
