"""Reads a form: short texts only, as many as were asked for."""

from starlette.requests import Request
from starlette.responses import RedirectResponse

from recorder.web.problems import Kind, Problem

LONGEST_FIELD = 1000
FIELDS = 50
FORM = "application/x-www-form-urlencoded"


async def fields_of(request: Request, *names: str) -> list[str]:
    """Return the named fields in order; what is missing is empty, what is too long a problem."""
    sent = request.headers.get("content-type", FORM).partition(";")[0].strip().lower()
    if sent != FORM:
        raise Problem(kind=Kind.WRONG_MEDIA)
    form = await request.form(max_fields=FIELDS, max_files=0)
    values = []
    for name in names:
        value = form.get(name, "")
        if not isinstance(value, str) or len(value) > LONGEST_FIELD:
            raise Problem(kind=Kind.TOO_LARGE)
        values.append(value)
    return values


def see(path: str) -> RedirectResponse:
    """Lead on after a form: repeating the page then sends nothing twice."""
    return RedirectResponse(path, status_code=303)
