"""From which workstations the application may be used: the list, and what is put on it (§ 6.2)."""

from collections.abc import Sequence
from uuid import UUID

from starlette.requests import Request
from starlette.responses import Response

from recorder.access.model import Permission, Place
from recorder.errors import NotFound, RuleViolation
from recorder.web.api.routing import asker_of, services_of
from recorder.web.gate import AskAgain, needs
from recorder.web.languages import language_of, later, speaker
from recorder.web.pages.forms import fields_of, see
from recorder.web.pages.people import names_of
from recorder.web.problems import Kind, Problem
from recorder.web.routes import Routes
from recorder.workstations.model import Network, Workstation
from recorder.workstations.rules import WIDEST, parse_network, place_of, problem_of_network

READ, MANAGE = Permission.WORKSTATION_READ, Permission.WORKSTATION_MANAGE
LONGEST = 120
DONE = {
    "added": later("The workstation is on the list."),
    "removed": later("The workstation is off the list; what comes from there is refused."),
}
NO_NETWORK = later("Network: give an address or a network, for example 10.1.2.3 or 10.1.2.0/24.")
TOO_WIDE = later("Network: a network this wide is no list of workstations (§ 6.2).")
ON_THE_LIST = later("Network: it is on the list already.")
NO_NAME = later("Name: say which workstation it is, for example “Room 12, registry”.")
TOO_LONG = later("At most 120 characters.")
LAST_OF_YOURS = later(
    "It is the only entry for your own address: you would shut yourself out. Take it off from "
    "another workstation, or at the machine with `recorder workstation remove`."
)


@needs(READ)
async def overview(request: Request) -> Response:
    """List the networks, and say from where one is reading it."""
    return await _page(request)


@needs(MANAGE)
async def check(request: Request) -> Response:
    """Say what listing a network opens, before it is listed."""
    network, name, place = await _form(request)
    return services_of(request).drawing.page(
        "workstation_confirm.html",
        request.scope,
        act="add",
        network=str(network),
        addresses=network.num_addresses,
        name=name,
        place=place,
    )


@needs(MANAGE)
async def add(request: Request) -> Response:
    """List a network."""
    network, name, place = await _form(request)
    try:
        await services_of(request).people.stations.add(
            str(network), name=name, place=place, by=asker_of(request).actor
        )
    except RuleViolation:
        # Somebody listed it between the form and this.
        raise Problem(kind=Kind.CONFLICT, detail=ON_THE_LIST) from None
    return see("/workstations?done=added")


@needs(MANAGE)
async def check_remove(request: Request) -> Response:
    """Say what taking a network off the list shuts out."""
    one = await _one(request)
    return services_of(request).drawing.page(
        "workstation_confirm.html",
        request.scope,
        act="remove",
        id=one.id,
        network=str(one.network),
        addresses=one.network.num_addresses,
        name=one.name,
        place=one.place,
    )


@needs(MANAGE)
async def remove(request: Request) -> Response:
    """Take a network off the list; its next request is refused."""
    one = await _one(request)
    try:
        await services_of(request).people.stations.remove(one.id, by=asker_of(request).actor)
    except NotFound:
        raise Problem(kind=Kind.NOT_FOUND) from None
    return see("/workstations?done=removed")


async def _one(request: Request) -> Workstation:
    workstation_id: UUID = request.path_params["workstation_id"]
    listed = await services_of(request).people.workstations.listed()
    for each in listed:
        if each.id == workstation_id:
            if not _still_in(request, [other for other in listed if other is not each]):
                raise Problem(kind=Kind.CONFLICT, detail=LAST_OF_YOURS)
            return each
    raise Problem(kind=Kind.NOT_FOUND)


def _still_in(request: Request, listed: Sequence[Workstation]) -> bool:
    return place_of(asker_of(request).address, listed) is Place.LISTED


async def _form(request: Request) -> tuple[Network, str, str]:
    given, name, place = (
        each.strip() for each in await fields_of(request, "network", "name", "place")
    )
    network = parse_network(given)
    listed = await services_of(request).people.workstations.listed()
    faults = {}
    if network is None:
        faults["network"] = NO_NETWORK
    elif problem_of_network(network):
        faults["network"] = TOO_WIDE
    elif network in [each.network for each in listed]:
        faults["network"] = ON_THE_LIST
    if not name:
        faults["name"] = NO_NAME
    faults |= {
        field: TOO_LONG for field, text in (("name", name), ("place", place)) if len(text) > LONGEST
    }
    if network is None or faults:
        raise AskAgain(await _page(request, faults=faults, given=(given, name, place)))
    return network, name, place


async def _page(
    request: Request,
    *,
    faults: dict[str, str] | None = None,
    given: tuple[str, str, str] = ("", "", ""),
) -> Response:
    services, asker = services_of(request), asker_of(request)
    say = speaker(language_of(request.scope))
    listed = await services.people.workstations.listed()
    return services.drawing.page(
        "workstations.html",
        request.scope,
        status=422 if faults else 200,
        listed=sorted(listed, key=lambda each: (each.network.version, each.network)),
        your_own={each.id for each in listed if place_of(asker.address, [each]) is Place.LISTED},
        address=str(asker.address or ""),
        names=await names_of(services),
        may_manage=MANAGE in asker.able,
        widest=WIDEST,
        given=given,
        faults={name: say(text) for name, text in (faults or {}).items()},
        done=say(DONE.get(request.query_params.get("done", ""), "")),
    )


ROUTES: Routes = (
    ("GET", "/workstations", overview),
    ("POST", "/workstations/check", check),
    ("POST", "/workstations", add),
    ("POST", "/workstations/{workstation_id:uuid}/remove/check", check_remove),
    ("POST", "/workstations/{workstation_id:uuid}/remove", remove),
)
