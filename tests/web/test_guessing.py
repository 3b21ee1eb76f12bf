"""Ten thousand wrong passwords through the door, and programs with tokens of their own (A6)."""

import asyncio
import json
from datetime import timedelta

import pytest

from recorder.access.model import Permission
from recorder.accounts.model import Role
from tests.access_builders import whoever_agrees
from tests.signed_in import PURPOSE
from tests.web.office import OPERATOR, OUR_PAGE, PASSWORD, WebOffice

pytestmark = pytest.mark.postgres
GUESSES = 10_000
AT_ONCE = 10


@pytest.mark.timeout(900)  # half a minute on a machine that is quiet
async def test_ten_thousand_wrong_passwords_try_few_and_keep_nobody_out(
    office: WebOffice,
) -> None:
    await office.person(Role.LISTENER, login="olga")
    own = office.browser("10.1.9.9")
    first = await own.post("/sign-in", data={"login": "olga", "password": PASSWORD})
    assert first.status_code == 303
    guesser = office.browser("10.1.66.6")
    statuses: dict[int, int] = {}

    async def guess(numbers: range) -> None:
        for number in numbers:
            answer = await guesser.post(
                "/sign-in", data={"login": "olga", "password": f"guess number {number}"}
            )
            statuses[answer.status_code] = statuses.get(answer.status_code, 0) + 1

    share = GUESSES // AT_ONCE
    await asyncio.gather(
        *(guess(range(each * share, (each + 1) * share)) for each in range(AT_ONCE))
    )
    assert sum(statuses.values()) == GUESSES
    # 503 is what a busy machine says, clearly, and it tries no password.
    assert set(statuses) <= {401, 429, 503}
    tried = [
        each
        for each in await office.trail()
        if each.action == "session:refused" and each.reason == "credentials"
    ]
    assert 1 <= len(tried) < 40, "what was tried is what the rule of delays allows"
    # The owner, at her own desk, is let in at once.
    again = office.browser("10.1.9.9")
    answer = await again.post("/sign-in", data={"login": "olga", "password": PASSWORD})
    assert answer.status_code == 303


async def test_a_program_does_what_its_token_is_for_and_no_more(office: WebOffice) -> None:
    call = await office.call(seconds=1, caller_number="600123456")
    admin = await office.at_work(Role.SYSADMIN)
    account = await office.person(Role.LISTENER, login="program")
    await office.authorise(account, [Role.LISTENER])
    issued = await office.services.tokens.issue(
        account,
        name="statistics",
        may=[Permission.CALL_LIST, Permission.RECORDING_LISTEN],
        days=30,
        by=OPERATOR,
        agreed_by=await whoever_agrees(office.parts.store),
    )
    bearer = {"Authorization": f"Bearer {issued.token}"}
    program = office.browser()
    for name in OUR_PAGE:
        del program.headers[name]
    found = await program.post("/api/v1/calls/search", json={}, headers=bearer)
    assert len(found.json()["calls"]) == 1
    opened = await program.post(
        f"/api/v1/recordings/{call.recording_id}/playbacks",
        json={"purpose": PURPOSE},
        headers=bearer,
    )
    assert (await program.get(opened.json()["audio"], headers=bearer)).status_code == 200
    beyond = await program.post(
        f"/api/v1/calls/{call.id}/reveal", json={"purpose": PURPOSE}, headers=bearer
    )
    assert (beyond.status_code, beyond.json()["reason"]) == (403, "role_lacks_it")
    assert (await program.get("/account", headers=bearer)).status_code in {303, 403}
    for wrong in ("", "x", issued.token[:-1]):
        answer = await program.get("/api/v1/me", headers={"Authorization": f"Bearer {wrong}"})
        assert answer.status_code == 401
    # The paper behind it ends, and so does what it may hear.
    await office.do("UPDATE authorisation SET revoked_at = now()")
    assert (await program.get(opened.json()["audio"], headers=bearer)).status_code == 403
    token = str(issued.id)
    (listed,) = (await admin.get("/api/v1/tokens")).json()["tokens"]
    assert (listed["id"], listed["account"], listed["revoked_at"]) == (token, "program", None)
    assert issued.token not in json.dumps(listed)
    assert (await admin.post(f"/api/v1/tokens/{token}/revoke")).status_code == 204
    assert (await admin.post(f"/api/v1/tokens/{token}/revoke")).status_code == 404
    assert (await program.post("/api/v1/calls/search", json={}, headers=bearer)).status_code == 401
    assert {"token:issued", "token:revoked"} <= set(await office.actions())


async def test_a_token_ends_on_its_day(office: WebOffice) -> None:
    admin = await office.at_work(Role.SYSADMIN)
    account = await office.person(Role.DPO, login="program")
    new = {"name": "a", "account_id": str(account.id), "may": ["status:read"], "days": 1}
    issued = (await admin.post("/api/v1/tokens", json=new)).json()
    bearer = {"Authorization": f"Bearer {issued['token']}"}
    assert (await office.browser().get("/api/v1/status", headers=bearer)).status_code == 200
    await office.do("UPDATE program_token SET expires_at = now() - :s", s=timedelta(seconds=1))
    assert (await office.browser().get("/api/v1/status", headers=bearer)).status_code == 401


async def test_what_needs_a_fresh_proof_asks_for_it(office: WebOffice) -> None:
    admin = await office.at_work(Role.SYSADMIN)
    await office.do("UPDATE session SET fresh_at = now() - interval '11 minutes'")
    new = {"network": "10.9.9.9"}
    stale = await admin.post("/api/v1/workstations", json=new)
    assert (stale.status_code, stale.json()["type"]) == (403, "urn:rejestrator:problem:prove-again")
    wrong = await admin.post("/api/v1/me/proof", json={"password": "wrong"})
    assert wrong.status_code == 403
    proof = await admin.post("/api/v1/me/proof", json={"password": PASSWORD})
    assert proof.status_code == 204
    assert (await admin.post("/api/v1/workstations", json=new)).status_code == 201


@pytest.mark.parametrize(
    ("content", "status"),
    [
        (b"%PDF-1.7 signed", 201),
        (b"<svg xmlns='http://www.w3.org/2000/svg'><script>alert(1)</script></svg>", 409),
        (b"PK\x03\x04" + b"\0" * 1000, 409),
        (b"", 409),
        (b"%PDF-" + b"a" * (20 << 20), 413),
        (b"%PDF-" + b"a" * (21 << 20), 413),
    ],
)
async def test_a_scan_is_told_by_its_content_and_kept_under_our_own_id(
    office: WebOffice, content: bytes, status: int
) -> None:
    """B8."""
    holder = await office.person(Role.LISTENER, login="olga")
    paper = await office.authorise(holder, [Role.LISTENER])
    admin = await office.sign_in("anna")
    answer = await admin.post(
        f"/api/v1/authorisations/{paper.id}/scans",
        files={"scan": ("../../etc/passwd.pdf", content, "application/pdf")},
    )
    assert answer.status_code == status, answer.text
    kept = [each for each in office.settings.scan_dir.rglob("*") if each.is_file()]
    assert len(kept) == (status == 201)
    assert all("passwd" not in each.name for each in kept)
