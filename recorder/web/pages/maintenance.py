"""Maintenance: how the machine is, what runs on it, and one file for whoever looks for a fault.

Of nobody: it is for the system administrator and for the contractor of § 6.3.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from starlette.requests import Request
from starlette.responses import Response

from recorder.access.model import Permission
from recorder.audit.event import AuditEvent
from recorder.maintenance.model import Hit
from recorder.maintenance.rules import Kind as HitKind
from recorder.maintenance.rules import is_nearly_full
from recorder.web.alarms import alarms_for
from recorder.web.api.routing import asker_of, services_of
from recorder.web.bundling import KEPT_FOR, Wanted
from recorder.web.condition import condition_of
from recorder.web.gate import needs
from recorder.web.languages import later
from recorder.web.pages.forms import fields_of, see
from recorder.web.problems import Kind, Problem
from recorder.web.routes import Routes
from recorder.web.told import JOBS, PARTS

READ = Permission.LOG_READ
SHOWN_HITS = 100
GZIP = "application/gzip"
OF_THE_MACHINE = {
    "rejestrator": later("Rejestrator"),
    "python": later("Python"),
    "system": later("System"),
    "kernel": later("Kernel"),
    "machine": later("Processor"),
}
"""What runs here besides libraries, by the name that `machine_facts.releases` gives it."""
DISKS = {
    "spool": later("Live calls"),
    "vault": later("Recordings"),
    "keys": later("Keys of the recordings"),
    "announcements": later("Announcements"),
    "checkpoints": later("Checkpoints of the audit trail"),
    "logs": later("Logs"),
}
"""What is on the disks, as `diagnosis.volumes_of` names it."""
NO_BUNDLE = later("There is no bundle to take: make one.")
KINDS = {
    HitKind.TELEPHONE_NUMBER.value: later("a telephone number"),
    HitKind.CALLERS_NUMBER.value: later("a caller's number"),
    HitKind.NAME.value: later("a name of a caller or of a person of the office"),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where a bundle seems to hold somebody's data; never what stands there."""

    file: str
    line: str
    """Number of a line; empty = the file has no lines."""
    field: str
    kind: str


@needs(READ)
async def overview(request: Request) -> Response:
    """Show alarms, parts, jobs, disks and versions, and lead to the logs and the bundle."""
    asker = asker_of(request)
    await asker.require(READ)
    await asker.require(Permission.STATUS_READ)
    return await page(request)


async def page(request: Request, findings: Sequence[str] = ()) -> Response:
    """Draw the overview, which is a contractor's first page too."""
    services, asker = services_of(request), asker_of(request)
    versions = await services.maintenance.versions()
    condition = await condition_of(services, asker.now)
    standing = await services.oversight.overview.standing(asker.now)
    return services.drawing.page(
        "maintenance.html",
        request.scope,
        findings=findings,
        alarms=await alarms_for(request, standing, condition),
        condition=condition,
        parts_named=PARTS,
        jobs_named=JOBS,
        disks=[
            (DISKS.get(name, name), disk, disk is not None and is_nearly_full(disk))
            for name, disk in (await services.maintenance.disks()).items()
        ],
        machine=[
            (name, versions.releases[code])
            for code, name in OF_THE_MACHINE.items()
            if code in versions.releases
        ],
        libraries=[each for each in versions.releases.items() if each[0] not in OF_THE_MACHINE],
        versions=versions,
        now=asker.now,
    )


@needs(READ)
async def bundle(request: Request) -> Response:
    """Show how far the bundle is; where somebody seems to be in it, never what stands there."""
    services, asker = services_of(request), asker_of(request)
    await asker.require(READ)
    bundles = services.maintenance.bundles
    made = bundles.of(asker.account.id)
    hits = made.hits if made else ()
    found = {each.file.partition(".")[0] for each in hits}
    left_out = made.leave_out if made else frozenset()
    return services.drawing.page(
        "bundle.html",
        request.scope,
        made=made,
        steps=len(bundles.parts) - len(left_out) + 1,
        until=made.at + KEPT_FOR if made else None,
        places=places_of(hits[:SHOWN_HITS]),
        kinds=KINDS,
        more=max(0, len(hits) - SHOWN_HITS),
        leave_out=sorted({*left_out, *found} & set(bundles.parts)),
        can_leave_out=found <= set(bundles.parts),
        now=asker.now,
    )


@needs(READ, a_minute=6)
async def begin(request: Request) -> Response:
    """Begin a bundle; it is made when the page is left as well."""
    services, asker = services_of(request), asker_of(request)
    await asker.require(READ)
    (given,) = await fields_of(request, "leave_out")
    leave_out = frozenset(each for each in given.split(" ") if each)
    bundles = services.maintenance.bundles
    if not leave_out <= set(bundles.parts):
        raise Problem(kind=Kind.BAD_REQUEST)
    condition = await condition_of(services, asker.now)
    bundles.begin(
        Wanted(
            account_id=asker.account.id,
            actor=asker.actor,
            health=condition.told(),
            leave_out=leave_out,
        )
    )
    return see("/maintenance/bundle")


@needs(READ, a_minute=30)
async def take(request: Request) -> Response:
    """Give the bundle that was made for this person, once its taking is in the trail."""
    services, asker = services_of(request), asker_of(request)
    await asker.require(READ)
    made = services.maintenance.bundles.of(asker.account.id)
    if made is None or not made.content:
        raise Problem(kind=Kind.CONFLICT, detail=NO_BUNDLE)
    await services.trail.record(
        AuditEvent(action="diagnosis:taken", at=asker.now, actor=asker.actor)
    )
    disposition = {"Content-Disposition": f'attachment; filename="{made.name}"'}
    return Response(made.content, media_type=GZIP, headers=disposition)


def places_of(hits: Sequence[Hit]) -> list[Place]:
    """Return where each is, in parts that a table can hold.

    >>> places_of([Hit(file="logs.jsonl", place="line 12, why", kind="name")])[0].field
    'why'
    """
    places = []
    for each in hits:
        first, _, rest = each.place.partition(", ")
        line = first.removeprefix("line ") if first.startswith("line ") else ""
        field = rest if line else each.place
        places.append(Place(file=each.file, line=line, field=field, kind=each.kind))
    return places


ROUTES: Routes = (
    ("GET", "/maintenance", overview),
    ("GET", "/maintenance/bundle", bundle),
    ("POST", "/maintenance/bundle", begin),
    ("POST", "/maintenance/bundle/file", take),
)
