"""Asks for password and code in the middle of an act, and keeps what was filled in.

Kept are the fields of the form, in the page itself: nothing of them is in an address, nothing
is stored. What comes back with a proof is the same form again, and goes its whole way anew.
"""

from markupsafe import escape
from starlette.requests import Request
from starlette.responses import Response

from recorder.accounts.model import SignsInBy
from recorder.accounts.service import Doorkeeper, SignInRefused
from recorder.errors import DirectoryUnavailable
from recorder.web.asker import Asker
from recorder.web.drawing import Drawing
from recorder.web.languages import language_of, speaker
from recorder.web.pages.forms import form_of, text_of
from recorder.web.pages.sign_in import DIRECTORY_AWAY, in_time

PASSWORD, CODE = "proof-password", "proof-code"
"""The fields of the proof; they are never among what is kept."""


class Proving:
    """Stands between an act that wants a fresh proof and whoever filled in its form."""

    def __init__(self, *, doorkeeper: Doorkeeper, drawing: Drawing) -> None:
        self._doorkeeper, self._drawing = doorkeeper, drawing

    async def asked(self, request: Request, asker: Asker) -> Response | None:
        """Return the page that asks, or None when the proof came with the form and is right."""
        form = await form_of(request)
        password, code = (text_of(form.get(each, "")) for each in (PASSWORD, CODE))
        by_code = asker.account.signs_in_by is SignsInBy.OIDC
        faults: dict[str, str] = {}
        if PASSWORD in form or CODE in form:
            say, where = speaker(language_of(request.scope)), CODE if by_code else PASSWORD
            try:
                await self._doorkeeper.prove_again(asker.visitor, password, code.strip())
            except SignInRefused as refused:
                faults[where] = in_time(refused, say)
            except DirectoryUnavailable:
                faults[where] = say(DIRECTORY_AWAY)
            else:
                return None
        kept = [
            (escape(name), escape(text_of(value)))
            for name, value in form.multi_items()
            if name not in {PASSWORD, CODE}
        ]
        return self._drawing.page(
            "proof.html", request.scope, status=403, kept=kept, by_code=by_code, faults=faults
        )
