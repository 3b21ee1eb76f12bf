"""Uploading an announcement: a sound file and its words, judged before it is kept (§ 8.2)."""

from uuid import UUID

from starlette.requests import Request
from starlette.responses import Response

from recorder.announcements.changing import OtherText, SoundRefused
from recorder.announcements.rules import SoundReason, refusals
from recorder.errors import AnnouncementRefused, RuleViolation, SoundCutShort
from recorder.model import AnnouncementId, Layer
from recorder.web.api.routing import asker_of, services_of
from recorder.web.gate import AskAgain, needs
from recorder.web.languages import language_of, later, speaker
from recorder.web.pages.announcements import ACTIVATE
from recorder.web.pages.forms import form_with_file, see
from recorder.web.problems import Kind, Problem
from recorder.web.routes import Routes
from recorder.web.words import LAYERS, SPOKEN

LARGEST_FILE = 20 << 20
LONGEST_TEXT = 10_000
UPLOADS_A_MINUTE = 10
FIELDS = ("layer", "language", "text")
NO_FILE = later("Sound: choose a file.")
TOO_LARGE = later("Sound: at most 20 MB.")
NO_SOUND = later("Sound: this is no WAV and no FLAC that can be read, whatever its name says.")
CUT_SHORT = later("Sound: the file ends before the sound that it promises; copy it again.")
NO_LAYER = later("Which text it is: choose one.")
NO_LANGUAGE = later("Language: choose one that the regulation names.")
NO_TEXT = later("Text: write down the words that the sound says.")
OTHER_TEXT = later("Text: this very sound is there already, with other words.")
TOO_MANY = later("Twenty uploads wait already: discard what is not needed.")
PROPOSED = later("Its activation is proposed: refuse that first.")
FAULTS = {
    SoundReason.EMPTY: later("Sound: the file holds none; record it again."),
    SoundReason.NOT_A_NUMBER: later("Sound: export it again as 16-bit WAV."),
    SoundReason.SAMPLE_RATE_LOW: later(
        "Sound: fewer than 8000 samples a second; record it again at 16 000 Hz or more."
    ),
    SoundReason.TOO_LONG: later("Sound: longer than every caller may be made to wait; shorten it."),
    SoundReason.SILENT: later("Sound: nothing of it would be heard on a telephone."),
    SoundReason.TOO_QUIET: later(
        "Sound: too quiet, below −40 dBFS; about −20 is right. Record it again, louder."
    ),
    SoundReason.CLIPPED: later("Sound: clipped, so words are unclear; record it again, quieter."),
}
"""Why a sound is refused; what was measured is said beside."""


@needs(ACTIVATE)
async def form(request: Request) -> Response:
    """Ask for a sound file and its words."""
    await asker_of(request).require(ACTIVATE)
    return _form(request)


@needs(ACTIVATE, a_minute=UPLOADS_A_MINUTE)
async def upload(request: Request) -> Response:
    """Keep a sound that nobody hears yet, if it is good enough."""
    services, asker = services_of(request), asker_of(request)
    await asker.require(ACTIVATE)
    given, content = await form_with_file(
        request, FIELDS, "sound", longest=LARGEST_FILE, longest_field=LONGEST_TEXT
    )
    if faults := _faults(request, given, content):
        raise AskAgain(_form(request, given=given, faults=faults))
    layer = Layer(given["layer"])
    try:
        kept = await services.announcing.office.upload(
            content,
            layer=layer,
            language=given["language"],
            text=given["text"],
            actor=asker.actor,
        )
    except SoundRefused as refused:
        text = FAULTS.get(refusals(refused.findings)[0].reason, NO_SOUND)
        raise AskAgain(
            _form(request, given=given, faults={"sound": text}, measured=refused.figures)
        ) from None
    except OtherText:
        raise AskAgain(_form(request, given=given, faults={"text": OTHER_TEXT})) from None
    except AnnouncementRefused as error:
        text = CUT_SHORT if isinstance(error, SoundCutShort) else NO_SOUND
        raise AskAgain(_form(request, given=given, faults={"sound": text})) from None
    except RuleViolation:
        raise AskAgain(_form(request, given=given, faults={"sound": TOO_MANY})) from None
    return see(f"/announcements/{kept.announcement.id}?done={'uploaded' if kept.new else 'known'}")


@needs(ACTIVATE)
async def discard(request: Request) -> Response:
    """Drop an upload that nobody proposed."""
    asker = asker_of(request)
    announcement_id: UUID = request.path_params["announcement_id"]
    await asker.require(ACTIVATE)
    try:
        await services_of(request).announcing.office.discard(
            AnnouncementId(announcement_id), actor=asker.actor
        )
    except RuleViolation:
        raise Problem(kind=Kind.CONFLICT, detail=PROPOSED) from None
    return see("/announcements?done=discarded")


def _faults(request: Request, given: dict[str, str], content: bytes) -> dict[str, str]:
    faults = {}
    if given["layer"] not in set(Layer):
        faults["layer"] = NO_LAYER
    if given["language"] not in _languages(request):
        faults["language"] = NO_LANGUAGE
    if not "".join(each for each in given["text"] if each.isprintable()).strip():
        faults["text"] = NO_TEXT
    if not content:
        faults["sound"] = NO_FILE
    elif len(content) > LARGEST_FILE:
        faults["sound"] = TOO_LARGE
    return faults


def _languages(request: Request) -> dict[str, str]:
    terms = services_of(request).setup.regulation.announcement
    spoken = [terms.language, *sorted({*terms.language_keys.values()} - {terms.language})]
    return {each: SPOKEN.get(each, each) for each in spoken}


def _form(
    request: Request,
    *,
    given: dict[str, str] | None = None,
    faults: dict[str, str] | None = None,
    measured: object = None,
) -> Response:
    services = services_of(request)
    say = speaker(language_of(request.scope))
    return services.drawing.page(
        "announcing.html",
        request.scope,
        status=422 if faults else 200,
        given=given or dict.fromkeys(FIELDS, ""),
        faults={name: say(text) for name, text in (faults or {}).items()},
        measured=measured,
        offered={name: say(text) for name, text in _languages(request).items()},
        layers={name: say(text) for name, text in LAYERS.items()},
        longest=services.setup.regulation.announcement.longest_s,
    )


ROUTES: Routes = (
    ("GET", "/announcements/new", form),
    ("POST", "/announcements/new", upload),
    ("POST", "/announcements/{announcement_id:uuid}/discard", discard),
)
