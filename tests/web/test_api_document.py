"""The description of the API is valid, and the API does what it says under any input (B7)."""

import asyncio
import json
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from openapi_spec_validator import OpenAPIV31SpecValidator
from schemathesis import GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from recorder.access.matrix import mark_of
from recorder.access.model import Permission
from recorder.accounts.model import Role
from recorder.web.api.me import describe
from recorder.web.rules import parse_origin
from recorder.web.server import listen
from tests.web.office import OUR_PAGE, WebOffice, open_office
from tests.web.test_server import served_at
from tests.web.test_who_may_do_what import application

pytestmark = pytest.mark.postgres
EXAMPLES = 12
CHECKS = (
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_schema_conformance,
)


async def test_the_description_is_a_valid_one_and_names_every_permission(
    office: WebOffice,
) -> None:
    browser = office.browser()
    answer = await browser.get("/api/v1/openapi.json")
    document = answer.json()
    assert document["openapi"].startswith("3.1")
    OpenAPIV31SpecValidator(document).validate()
    operations = [each for path in document["paths"].values() for each in path.values()]
    assert len(operations) > 30
    known = {each.value for each in Permission}
    assert {each["x-permission"] for each in operations} <= known
    for each in operations:
        assert {"401", "403", "404", "422", "429", "503"} <= set(each["responses"])


async def test_no_number_or_name_can_be_asked_for_in_an_address(office: WebOffice) -> None:
    """A10: what stands in an address stands in the logs of every proxy."""
    document = describe(application(office))
    in_addresses = {
        parameter["name"]
        for path in document["paths"].values()
        for operation in path.values()
        for parameter in operation.get("parameters", [])
    }
    assert {each for each in in_addresses if not each.endswith("_id")} == {
        "after",
        "due",
        "limit",
        "state",
    }


@pytest.fixture
def served(database_url: str, tmp_path: Path) -> Iterator[tuple[str, dict[str, str]]]:
    """Serve a whole office on loopback, in a thread; yield its address and a cookie."""
    ready: asyncio.Future[tuple[str, dict[str, str]]]
    loop = asyncio.new_event_loop()
    ready = loop.create_future()
    stop = asyncio.Event()

    async def serve() -> None:
        listening = listen("127.0.0.1", 0)
        origin = parse_origin(f"http://127.0.0.1:{listening.getsockname()[1]}")
        async with (
            open_office(database_url, tmp_path, origin=origin, listed="127.0.0.1") as office,
            served_at(listening, office.app, origin),
        ):
            office.services.limits.within = always  # type: ignore[method-assign]
            cookies, ids = {}, {}
            for role in (Role.SYSADMIN, Role.LISTENER, Role.ADMINISTRATOR, Role.DPO):
                account = await office.person(role)
                if role is Role.LISTENER:
                    await office.authorise(account, [role])
                    call = await office.call(seconds=1)
                    ids = {"call_id": str(call.id), "recording_id": str(call.recording_id)}
                browser = await office.sign_in(account.login, address="127.0.0.1")
                cookies[role.value] = browser.cookies["rejestrator-demo-session"]
            ready.set_result((str(origin), cookies | {"ids": json.dumps(ids)}))
            await stop.wait()

    thread = threading.Thread(target=loop.run_until_complete, args=(serve(),))
    thread.start()
    try:
        yield asyncio.run_coroutine_threadsafe(asyncio.wait_for(ready, 30), loop).result(30)
    finally:
        loop.call_soon_threadsafe(stop.set)
        thread.join()
        loop.close()


async def always(key: str, *, a_minute: int, now: object) -> bool:
    return True


def test_any_input_is_answered_as_described(served: tuple[str, dict[str, str]]) -> None:
    """B7: no 5xx, no undeclared status, no answer of another form."""
    origin, cookies = served
    known, ids = json.loads(cookies["ids"]), "01a20c69-337a-75a6-9b83-bf45ec100461"
    document = httpx.get(f"{origin}/api/v1/openapi.json").json()
    schema = schemathesis.openapi.from_dict(document)
    asked = 0
    for operation in schema.get_all_operations():
        api: Any = operation.ok()  # type: ignore[union-attr]
        permission = Permission(api.definition.raw["x-permission"])
        role = next(each for each in Role if each in cookies and mark_of(permission, each) != "–")
        headers = {"Cookie": f"rejestrator-demo-session={cookies[role]}", **OUR_PAGE}
        names = {each.name for each in api.path_parameters}
        some = {name: known.get(name, ids) for name in names} if names else None
        cases = st.one_of(
            api.as_strategy(GenerationMode.POSITIVE, path_parameters=some),
            api.as_strategy(GenerationMode.POSITIVE),
            api.as_strategy(GenerationMode.NEGATIVE),
        )

        @settings(
            max_examples=EXAMPLES,
            deadline=None,
            phases=[Phase.generate],
            suppress_health_check=list(HealthCheck),
            database=None,
        )
        @given(case=cases)
        def try_it(case: Any) -> None:
            nonlocal asked
            asked += 1
            # Of what proves who asks nothing is guessed: that is another test's.
            case.cookies.clear()
            case.headers.pop("Authorization", None)
            answer = case.call(base_url=origin, headers=headers)  # noqa: B023 - called in this turn
            case.validate_response(answer, checks=list(CHECKS))

        try_it()
    assert asked > 300
