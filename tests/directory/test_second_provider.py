"""An OpenID provider of somebody else's signs a person in, by its own form over real HTTP.

The tests' own provider (test_oidc.py) lies as it is told; this one, oidc-provider from npm, has
never heard of us. It is installed once, by its lock, under the cache.
"""

import hashlib
import os
import shutil
import subprocess
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest

from recorder.accounts.claims import Refused
from recorder.accounts.provider import Entered, ProviderRefused
from recorder.accounts.service import SignInRefused
from recorder.commands.directory_check import directory_checks
from recorder.pbx.model import Grade
from recorder.settings import load_settings
from tests.directory.provider import CLIENT, SECRET
from tests.directory.serving import serving
from tests.directory.test_oidc import RETURN_TO, Entrance, open_entrance
from tests.postgres.access_world import DESK, PASSWORD

pytestmark = pytest.mark.postgres
SOURCE = Path(__file__).with_name("second_provider")
CACHE = Path.home() / ".cache" / "rejestrator"
OLDEST_NODE = 20
LOGIN, CONSENT = {"prompt": "login", "password": "theirs"}, {"prompt": "consent"}
PERSON = "zenobia.kwiatkowska"
NO_NODE = "node 20 or newer and npm are missing; as root: apt-get install nodejs npm"


def node_release() -> int:
    if shutil.which("node") is None or shutil.which("npm") is None:
        return 0
    told = subprocess.run(["node", "--version"], capture_output=True, text=True, check=True).stdout
    return int(told.lstrip("v").partition(".")[0])


def install() -> Path:
    """Return where the provider is installed; by npm from its lock at the first time."""
    if node_release() == 0 and os.geteuid() == 0:
        environment = os.environ | {"DEBIAN_FRONTEND": "noninteractive"}  # noqa: TID251 - apt's
        command = ["apt-get", "install", "-y", "-qq", "--no-install-recommends", "nodejs", "npm"]
        subprocess.run(["apt-get", "update", "-qq"], check=True, env=environment)
        subprocess.run(command, check=True, env=environment, stdout=subprocess.DEVNULL)
    if node_release() < OLDEST_NODE:
        pytest.skip(NO_NODE)
    files = sorted(SOURCE.iterdir())
    digest = hashlib.sha256(b"".join(each.read_bytes() for each in files)).hexdigest()[:16]
    home = CACHE / f"second-provider-{digest}"
    if not (home / "node_modules").exists():
        unfinished = home.with_name(f"{home.name}.{os.getpid()}")
        unfinished.mkdir(parents=True)
        for each in files:
            shutil.copy(each, unfinished)
        quiet = ["--ignore-scripts", "--omit=dev", "--no-audit", "--no-fund", "--silent"]
        subprocess.run(["npm", "ci", *quiet], cwd=unfinished, check=True)
        try:
            unfinished.rename(home)
        except OSError:
            # Another worker was quicker.
            shutil.rmtree(unfinished)
    return home


@pytest.fixture(scope="module")
def issuer() -> Iterator[str]:
    command = ["node", "provider.mjs", CLIENT, SECRET, RETURN_TO]
    with serving(command, cwd=install(), stderr=subprocess.DEVNULL) as address:
        yield address


@pytest.fixture
async def entrance(database_url: str, issuer: str) -> AsyncIterator[Entrance]:
    async with open_entrance(database_url, issuer) as entrance:
        yield entrance


async def sent_back(entrance: Entrance, *, person: str = PERSON) -> dict[str, str]:
    """Go to the provider as a browser does, fill its forms in, and come back."""
    sent = await entrance.door.begin("/")
    async with httpx.AsyncClient(base_url=entrance.provider.issuer) as browser:
        answer = await browser.get(sent.address)
        for form in (LOGIN | {"login": person}, CONSENT):
            page = answer.headers["location"]
            assert "<form" in (await browser.get(page)).text
            answer = await browser.post(page, data=form)
            answer = await browser.get(answer.headers["location"])
    location = answer.headers["location"]
    assert location.startswith(f"{RETURN_TO}?"), location
    query = {name: each[0] for name, each in parse_qs(urlsplit(location).query).items()}
    return {
        "state": query["state"],
        "code": query["code"],
        "issuer": query["iss"],
        "browser": sent.browser,
    }


async def test_a_person_signs_in_by_the_form_of_a_provider_that_is_not_ours(
    entrance: Entrance,
) -> None:
    """Issue 4, 7: code flow, PKCE, a confidential client, keys as it publishes them."""
    await entrance.linked(subject=PERSON)
    entered = await entrance.door.come_back(source=DESK, **await sent_back(entrance))
    assert isinstance(entered, Entered)
    visitor = await entrance.world.visitor(entered.signed)
    assert visitor is not None
    assert visitor.account.login == "zenobia"
    with pytest.raises(SignInRefused):
        await entrance.world.sign_in("zenobia", PASSWORD)


async def test_who_is_known_there_and_not_linked_here_is_not_let_in(entrance: Entrance) -> None:
    await entrance.linked(subject=PERSON)
    with pytest.raises(ProviderRefused) as caught:
        await entrance.door.come_back(source=DESK, **await sent_back(entrance, person="anna"))
    assert (caught.value.why, caught.value.subject) == (Refused.NOT_LINKED, "anna")


async def test_a_code_of_another_sign_in_proves_nobody(entrance: Entrance) -> None:
    """PKCE: the provider itself refuses a code that comes with the verifier of another."""
    await entrance.linked(subject=PERSON)
    back = await sent_back(entrance)
    stolen = await sent_back(entrance)
    crossed = stolen | {"code": back["code"]}
    with pytest.raises(ProviderRefused) as caught:
        await entrance.door.come_back(source=DESK, **crossed)
    assert caught.value.why is Refused.PROVIDER_SAYS_NO
    assert await entrance.reasons() == [Refused.PROVIDER_SAYS_NO.value]


def test_its_description_and_keys_are_those_that_config_check_takes(issuer: str) -> None:
    settings = load_settings(
        {
            "RECORDER_OIDC_ISSUER": issuer,
            "RECORDER_OIDC_CLIENT_ID": CLIENT,
            "RECORDER_OIDC_PLAIN_LOOPBACK": "true",
            "RECORDER_WEB_ORIGIN": "https://rejestrator.example",
        }
    )
    (check,) = [each for each in directory_checks(settings) if each.check == "OpenID provider"]
    assert check.weight is Grade.OK, check.says
