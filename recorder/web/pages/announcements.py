"""Announcements: what callers hear and heard, and what a check of it finds (§ 8.2)."""

from starlette.requests import Request
from starlette.responses import Response

from recorder.access.model import Permission
from recorder.announcements.periods import Gap, State, periods, standing
from recorder.announcements.wording import Content
from recorder.approvals.model import Action
from recorder.commands.announcement_desk import SHORT
from recorder.model import IncidentKind, Layer
from recorder.web.api.routing import asker_of, services_of
from recorder.web.gate import needs
from recorder.web.languages import language_of, later, speaker
from recorder.web.pages.people import names_of
from recorder.web.routes import Routes
from recorder.web.words import LAYERS, SPOKEN

STATES = {
    State.IN_FORCE: (later("in force since"), "good"),
    State.PLANNED: (later("from"), "warning"),
    State.SUPERSEDED: (later("heard until"), "neutral"),
    State.NOT_ACTIVATED: (later("not activated"), "neutral"),
}
DAMAGED = {
    IncidentKind.ANNOUNCEMENT_MISSING: later("A sound or its description is missing."),
    IncidentKind.ANNOUNCEMENT_CHANGED: later("A sound is not the one that was approved."),
}
LACKS = {
    Content.CONTROLLER: later("does not seem to name the controller"),
    Content.RECORDED: later("does not seem to say that the call is recorded"),
    Content.HOW_LONG: later("does not say as the regulation does how long recordings are kept"),
    Content.KEY: later("does not seem to name the key of the choice"),
    Content.CONTINUING: later("does not seem to say what staying on the line means"),
    Content.WHERE: later("does not seem to say where the details are"),
    Content.MODE: later("is for another mode of choice than the one in force"),
    Content.SILENCE_IS_NO_CONSENT: later("seems to call staying on the line a consent"),
    Content.LANGUAGE_KEYS: later("does not name each key of another language"),
    Content.LEGAL_BASIS: later("does not seem to speak of the legal basis"),
    Content.RECIPIENTS: later("does not seem to speak of recipients"),
    Content.RIGHTS: later("does not seem to speak of the rights of the person"),
    Content.DPO: later("does not seem to name the data protection officer"),
    Content.COMPLAINT: later("does not seem to speak of a complaint"),
    Content.LANGUAGE: later("is in a language that no check of words knows"),
}
"""What the text of a version is said to lack; words are looked for, a person decides."""
NO_CALL = later("no call is recorded until one is activated")
NO_KEY = later("the key of this language does nothing")
NO_DETAILS = later("key 3 does nothing in this language")
NO_OFFER = later("callers are not told of the keys for other languages")


WORDS = {
    "states": STATES, "damaged": DAMAGED, "lacks": LACKS, "layers": LAYERS, "spoken": SPOKEN,
}  # fmt: skip
ACTIVATE = Permission.ANNOUNCEMENT_ACTIVATE
DONE = {
    "uploaded": later("It is kept. Nobody hears it until two administrators activate it."),
    "known": later("This very sound with these words is there already: here it is."),
    "proposed": later("The activation is proposed. Another administrator must confirm it."),
    "confirmed": later("It is confirmed. Callers hear it within a minute, or from its day on."),
    "refused": later("The proposal is refused; callers go on hearing what they hear."),
    "discarded": later("The upload is discarded."),
}


@needs(Permission.ANNOUNCEMENT_READ)
async def overview(request: Request) -> Response:
    """List every version with its words, its sound and when callers heard it."""
    services, asker = services_of(request), asker_of(request)
    versions, activations = await services.announcements()
    found = await services.setup.announcement_findings()
    language = services.setup.regulation.announcement.language
    known = periods(activations)
    uploads = await services.announcing.desk.uploads()
    orders = await services.announcing.desk.orders()
    waiting = [
        each
        for each in await services.keeping.approvals.waiting()
        if each.action is Action.ACTIVATE_ANNOUNCEMENT
    ]
    return services.drawing.page(
        "announcements.html",
        request.scope,
        uploads=uploads[::-1],
        waiting={each.subject: each for each in waiting},
        ordered={each.announcement_id: each for each in orders if each.done_at is None},
        versions=sorted(versions, key=lambda each: each.added_at, reverse=True),
        stands={each.id: standing(each.id, known, asker.now) for each in versions},
        by_id={each.id: each for each in versions},
        heard=known[::-1],
        signed=await services.announcing.signed(),
        names=await names_of(services),
        damage=found.damage,
        gaps=[(each, consequence_of(each, language=language)) for each in found.gaps],
        advice=found.advice,
        may_activate=ACTIVATE in asker.able,
        words=WORDS,
        done=done_of(request),
        short=SHORT,
        now=asker.now,
    )


def done_of(request: Request) -> str:
    """Return what was done before this page was led to."""
    say = speaker(language_of(request.scope))
    return say(DONE.get(request.query_params.get("done", ""), ""))


def consequence_of(gap: Gap, *, language: str) -> str:
    """Return what follows for callers; ``language`` is that of whoever chose none.

    >>> consequence_of(Gap(layer=Layer.FIRST, language="uk", advice=""), language="pl")
    'the key of this language does nothing'
    """
    if gap.layer is Layer.FIRST:
        return NO_CALL if gap.language == language else NO_KEY
    return NO_DETAILS if gap.layer is Layer.SECOND else NO_OFFER


ROUTES: Routes = (("GET", "/announcements", overview),)
