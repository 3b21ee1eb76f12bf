"""``recorder config check --directory``: would the directory and the provider let people in?"""

import asyncio

from recorder.errors import ConfigurationError, RecorderError
from recorder.pbx.model import Check, Grade
from recorder.settings import Settings

OF_LDAP = "the RECORDER_LDAP_ settings; OPERATIONS.md, By the office's directory (LDAP)"
OF_OIDC = "the RECORDER_OIDC_ settings; OPERATIONS.md, By an OpenID provider (OIDC)"


def directory_checks(settings: Settings) -> list[Check]:
    """Return a check for each server of the directory, and one for the OpenID provider."""
    return [*asyncio.run(_directory(settings)), asyncio.run(_provider(settings))]


async def _directory(settings: Settings) -> list[Check]:
    if not settings.ldap_servers:
        says = "not used: RECORDER_LDAP_SERVERS is empty"
        return [Check("directory", Grade.OK, says)]
    try:
        from recorder.adapters.ldap import directory_of  # noqa: PLC0415 - an optional extra

        directory = directory_of(settings)
    except ImportError:
        remedy = "pip install 'rejestrator[ldap]'"
        return [Check("directory", Grade.WRONG, "the extra for LDAP is not installed", remedy)]
    except ConfigurationError as error:
        return [Check("directory", Grade.WRONG, str(error), OF_LDAP)]
    problems = {} if directory is None else await directory.problems()
    return [
        Check("directory", Grade.WRONG, f"{server} {problem}", OF_LDAP)
        if problem
        else Check("directory", Grade.OK, f"{server} lets this service look people up")
        for server, problem in problems.items()
    ]


async def _provider(settings: Settings) -> Check:
    name = "OpenID provider"
    if not settings.oidc_issuer:
        return Check(name, Grade.OK, "not used: RECORDER_OIDC_ISSUER is empty")
    try:
        from recorder.adapters.oidc import provider_of  # noqa: PLC0415 - an optional extra

        provider = provider_of(settings, return_to="")
        keys = await provider.count_keys()
    except ImportError:
        remedy = "pip install 'rejestrator[oidc]'"
        return Check(name, Grade.WRONG, "the extra for OIDC is not installed", remedy)
    except RecorderError as error:
        return Check(name, Grade.WRONG, str(error), OF_OIDC)
    if not keys:
        says = "publishes no key of a kind that is taken: nobody's token could be believed"
        return Check(name, Grade.WRONG, says, "RS256 or ES256 at the provider")
    if settings.web_origin is None:
        says = (
            "describes itself rightly; RECORDER_WEB_ORIGIN is empty, so nobody comes back from it"
        )
        return Check(name, Grade.WRONG, says, "RECORDER_WEB_ORIGIN as people type it")
    says = f"describes itself rightly and signs with {keys} keys that are taken"
    return Check(name, Grade.OK, says)
