"""Placing holds: a frozen list first, then the ground, then what will happen (R7.3a, R7.3h)."""

from dataclasses import dataclass
from uuid import UUID

from starlette.requests import Request
from starlette.responses import Response

from recorder.access.model import Permission
from recorder.adapters.postgres.rows import RecordingRow
from recorder.audit.event import AuditEvent
from recorder.commands.output import masked
from recorder.holds.model import Ground
from recorder.holds.rules import LONGEST_REVIEW, PROVISIONAL
from recorder.model import RecordingId
from recorder.web.api.routing import asker_of, services_of
from recorder.web.gate import needs
from recorder.web.languages import language_of, later, speaker
from recorder.web.pages.forms import form_of, see, text_of
from recorder.web.pages.holding import NO_DAYS, NO_REASON, NO_REFERENCE
from recorder.web.pages.kept import kept
from recorder.web.pages.search import find
from recorder.web.problems import Kind, Problem
from recorder.web.routes import Routes
from recorder.web.words import GROUNDS, REFUSED_PLACING

PLACE = Permission.HOLD_PLACE_PROVISIONAL
MOST_AT_ONCE = 100
LONGEST_LIST = MOST_AT_ONCE * 40
NONE_CHOSEN = later("Choose at least one recording.")
TOO_MANY = later("At most 100 recordings are held in one act: narrow the search.")
NO_GROUND = later("Ground: choose one.")
FIELDS = ("ground", "reference", "reason", "kind", "days")


@dataclass(frozen=True, slots=True, kw_only=True)
class Chosen:
    """One recording of the list."""

    recording: RecordingRow
    caller: str | None


@needs(PLACE)
async def begin(request: Request) -> Response:
    """Freeze the list: what was chosen or found now is held, and nothing that comes later."""
    form = await form_of(request)
    ids = [_id(text_of(each)) for each in form.getlist("recording")]
    if search := text_of(form.get("search", "")):
        given = await kept(request, _id(search))
        if given is None:
            raise Problem(kind=Kind.NOT_FOUND)
        found = await find(given, request, after=None, limit=MOST_AT_ONCE + 1)
        if len(found) > MOST_AT_ONCE:
            raise Problem(kind=Kind.INVALID, detail=TOO_MANY)
        ids = [each.recording_id for each in found if each.recording_id is not None]
    chosen = await _chosen(request, ids)
    if not chosen:
        raise Problem(kind=Kind.INVALID, detail=NONE_CHOSEN)
    return _form(request, chosen)


@needs(PLACE)
async def check(request: Request) -> Response:
    """Say what placing will do, before it is done."""
    chosen, given, faults = await _given(request)
    if faults:
        return _form(request, chosen, given=given, faults=faults)
    if given["kind"] == "full":
        await asker_of(request).require(Permission.HOLD_PLACE)
    return services_of(request).drawing.page(
        "placing_confirm.html",
        request.scope,
        chosen=chosen,
        recordings=_listed(chosen),
        given=given,
        grounds=GROUNDS,
        provisional_days=PROVISIONAL.days,
        now=asker_of(request).now,
    )


@needs(PLACE)
async def place(request: Request) -> Response:
    """Hold what was listed, in one act."""
    services, asker = services_of(request), asker_of(request)
    chosen, given, faults = await _given(request)
    if faults:
        return _form(request, chosen, given=given, faults=faults)
    if given["kind"] == "full":
        await asker.require(Permission.HOLD_PLACE)
    batch, answers = await services.keeping.holds.place(
        [RecordingId(each.recording.id) for each in chosen],
        ground=Ground(given["ground"]),
        reference=given["reference"],
        reason=given["reason"],
        actor=asker.actor,
        review_days=int(given["days"]),
        provisional=given["kind"] != "full",
    )
    refused = [each for each in answers.values() if not each.allowed]
    if len(refused) == len(answers):
        raise Problem(
            kind=Kind.CONFLICT, detail=REFUSED_PLACING.get(refused[0].why.value, ""),
            reason=refused[0].why.value,
        )  # fmt: skip
    return see(f"/holds/batches/{batch}" + (f"?refused={len(refused)}" if refused else ""))


async def _given(request: Request) -> tuple[list[Chosen], dict[str, str], dict[str, str]]:
    form = await form_of(request)
    listed = text_of(form.get("recordings", ""), longest=LONGEST_LIST).split()
    given = {name: text_of(form.get(name, "")).strip() for name in FIELDS}
    chosen = await _chosen(request, [_id(each) for each in listed[:MOST_AT_ONCE]])
    if not chosen:
        raise Problem(kind=Kind.INVALID, detail=NONE_CHOSEN)
    faults = {}
    if given["ground"] not in GROUNDS:
        faults["ground"] = NO_GROUND
    if not given["reference"]:
        faults["reference"] = NO_REFERENCE
    if not given["reason"]:
        faults["reason"] = NO_REASON
    days = given["days"] or str(LONGEST_REVIEW.days)
    given["days"] = days
    if not (days.isascii() and days.isdigit() and len(days) < 4 and 1 <= int(days) <= 90):  # noqa: PLR2004 - R7.3d
        faults["days"] = NO_DAYS
    return chosen, given, faults


async def _chosen(request: Request, ids: list[UUID]) -> list[Chosen]:
    services, asker = services_of(request), asker_of(request)
    rows = [await services.finder.recording(each) for each in dict.fromkeys(ids)]
    found = [each for each in rows if each is not None]
    entry = AuditEvent(
        action="recording:listed",
        at=asker.now,
        actor=asker.actor,
        details={"recordings": len(found)},
    )
    if found:
        await services.finder.note(entry)
    return [
        Chosen(recording=each, caller=masked(each.caller_number) if each.caller_number else "")
        for each in found
    ]


def _form(
    request: Request,
    chosen: list[Chosen],
    *,
    given: dict[str, str] | None = None,
    faults: dict[str, str] | None = None,
) -> Response:
    services, asker = services_of(request), asker_of(request)
    say = speaker(language_of(request.scope))
    empty = dict.fromkeys(FIELDS, "") | {"days": str(LONGEST_REVIEW.days), "kind": "provisional"}
    return services.drawing.page(
        "placing.html",
        request.scope,
        status=422 if faults else 200,
        chosen=chosen,
        recordings=_listed(chosen),
        given=given or empty,
        faults={name: say(text) for name, text in (faults or {}).items()},
        grounds=GROUNDS,
        may_place_fully=Permission.HOLD_PLACE in asker.able,
        provisional_days=PROVISIONAL.days,
        longest=LONGEST_REVIEW.days,
    )


def _listed(chosen: list[Chosen]) -> str:
    return " ".join(str(each.recording.id) for each in chosen)


def _id(text: str) -> UUID:
    try:
        return UUID(text)
    except ValueError:
        raise Problem(kind=Kind.BAD_REQUEST) from None


ROUTES: Routes = (
    ("POST", "/holds/list", begin),
    ("POST", "/holds/check", check),
    ("POST", "/holds", place),
)
