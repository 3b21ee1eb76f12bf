"""Reads a form: short texts, as many as were asked for, or one file."""

from collections.abc import Sequence

from starlette.datastructures import FormData, UploadFile
from starlette.requests import Request
from starlette.responses import RedirectResponse

from recorder.web.problems import Kind, Problem

LONGEST_FIELD = 1000
FIELDS = 50
FORM = "application/x-www-form-urlencoded"
FILES = "multipart/form-data"


async def fields_of(request: Request, *names: str, longest: int = LONGEST_FIELD) -> list[str]:
    """Return the named fields in order; what is missing is empty, what is too long a problem."""
    form = await form_of(request)
    return [text_of(form.get(name, ""), longest=longest) for name in names]


async def form_of(request: Request) -> FormData:
    """Return the whole form."""
    sent = request.headers.get("content-type", FORM).partition(";")[0].strip().lower()
    if sent != FORM:
        raise Problem(kind=Kind.WRONG_MEDIA)
    return await request.form(max_fields=FIELDS, max_files=0)


def is_form(request: Request) -> bool:
    """Tell whether a form came whose fields a page can show again; a file cannot be."""
    sent = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    return request.method == "POST" and sent in {FORM, ""}


async def file_of(request: Request, name: str, *, longest: int) -> bytes:
    """Return the one file of a form, cut one byte past the longest; empty when none was chosen."""
    sent = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if sent != FILES:
        raise Problem(kind=Kind.WRONG_MEDIA)
    async with request.form(max_fields=1, max_files=1) as form:
        found = form.get(name)
        return await found.read(longest + 1) if isinstance(found, UploadFile) else b""


async def form_with_file(
    request: Request, names: Sequence[str], file: str, *, longest: int, longest_field: int
) -> tuple[dict[str, str], bytes]:
    """Return the named texts of a form and its one file, cut one byte past the longest."""
    sent = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if sent != FILES:
        raise Problem(kind=Kind.WRONG_MEDIA)
    async with request.form(max_fields=FIELDS, max_files=1) as form:
        found = form.get(file)
        content = await found.read(longest + 1) if isinstance(found, UploadFile) else b""
        return {each: text_of(form.get(each, ""), longest=longest_field) for each in names}, content


def text_of(value: object, *, longest: int = LONGEST_FIELD) -> str:
    """Return one field's text."""
    if not isinstance(value, str) or len(value) > longest:
        raise Problem(kind=Kind.TOO_LARGE)
    return value


def see(path: str) -> RedirectResponse:
    """Lead on after a form: repeating the page then sends nothing twice."""
    return RedirectResponse(path, status_code=303)
