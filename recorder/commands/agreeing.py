"""At the prompt: the word of whoever must agree, proved by password and code (R6.3e)."""

from collections.abc import Collection

from recorder.access.model import Permission, Place
from recorder.access.service import Asking
from recorder.accounts.model import AccountId, Role, SessionKind
from recorder.accounts.service import Visitor
from recorder.commands.parts import Parts
from recorder.commands.sign_in import secret

ASKED = {
    Role.ADMINISTRATOR: "An administrator who agrees, login",
    Role.DPO: "No administrator is enabled. The data protection officer who agrees, login",
}
PROVED = {Role.ADMINISTRATOR: Permission.AUTHORISATION_GRANT, Role.DPO: Permission.AUDIT_EXPORT}
"""What the person must be able to do, so that nobody agrees with an unfinished account."""


async def agreed(parts: Parts, touched: Collection[Role]) -> AccountId | None:
    """Have whoever must agree prove who they are, and return them; None = nobody must."""
    agreement = parts.keeper.agreement
    if not await agreement.needed(touched):
        return None
    wanted = await agreement.whose()
    login = secret(ASKED[wanted])
    signed = await parts.door.sign_in(
        login, secret("Password"), secret("Code"), source="prompt", kind=SessionKind.PROMPT
    )
    asking = Asking(account=signed.account, session=signed.session, place=Place.PROMPT)
    try:
        await parts.gate.require(PROVED[wanted], asking, source="prompt")
    finally:
        await parts.door.sign_out(Visitor(session=signed.session, account=signed.account))
    return signed.account.id
