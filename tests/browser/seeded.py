"""An office in which every page has something to show, in plain words or in hostile ones."""

import json
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Any
from uuid import UUID

from recorder.accounts.model import Account, Role
from recorder.adapters.announcement_catalogue import AnnouncementCatalogue
from recorder.adapters.regulation_file import load_regulation
from recorder.adapters.starters import load_starters
from recorder.announcements.service import AnnouncementKeeper
from recorder.audit.event import Actor, ActorKind
from recorder.authorisations.rules import ROLES_OF_PAPER
from recorder.completeness.model import Comparison, PbxCall
from recorder.erasure.brakes import Brake
from recorder.holds.model import Ground
from recorder.incidents.model import State
from recorder.model import AnnouncementId, CallRecord, Decision, Reason, RecordingId
from tests.browser.desk import OfficeDesk
from tests.web.office import OPERATOR


@dataclass(frozen=True, slots=True, kw_only=True)
class Words:
    """What people, callers and Asterisk wrote."""

    number: str
    name: str
    line: str
    answered_by: str
    trunk: str
    reference: str
    reason: str
    person: str
    post: str


PLAIN = Words(
    number="600123456",
    name="",
    line="746640800",
    answered_by="desk-1",
    trunk="operator",
    reference="RSD 12/2026",
    reason="groźby wobec pracownika",
    person="Zenobia Kwiatkowska",
    post="inspektor",
)
SPOKEN = '<script data-hostile>alert(2)</script>"><img src=x data-hostile onerror=alert(1)>'
HOSTILE = Words(
    number=SPOKEN,
    name=f"=cmd|'/C calc'!A0{SPOKEN}\u202egnp\x1b[31m",
    line=f"{SPOKEN}\x07",
    answered_by=f"{{{{7*7}}}}{SPOKEN}\u2066",
    trunk=f"'); DROP TABLE call;--{SPOKEN}",
    reference=f"=1+1{SPOKEN}\u202e",
    reason=f"@SUM(A1){SPOKEN}\u202e" + "ż" * 300,
    person=f"-2{SPOKEN}\u202e",
    post=f"+3{SPOKEN}",
)
"""B3. Each begins or ends with what a table, a terminal or a template would take for its own."""


@dataclass(kw_only=True)
class Seeded:
    """The office, its people, and what a page can be about."""

    desk: OfficeDesk
    words: Words = PLAIN
    people: dict[Role, Account] = field(default_factory=dict)
    calls: list[CallRecord] = field(default_factory=list)
    """Recorded, held, erased, declined, withheld, incomplete: one of each."""
    batches: list[UUID] = field(default_factory=list)
    papers: list[UUID] = field(default_factory=list)
    """Authorisations in force with a scan, proposed, revoked."""
    holds: list[UUID] = field(default_factory=list)
    announcements: list[AnnouncementId] = field(default_factory=list)
    incidents: list[UUID] = field(default_factory=list)
    """Open, explained, closed."""
    days: list[date] = field(default_factory=list)
    """Today, with something of everything, and a day of which nothing is known."""

    @property
    def heard(self) -> CallRecord:
        """The call whose recording is there and is not held."""
        return self.calls[0]

    @property
    def erased(self) -> CallRecord:
        return self.calls[3]

    def actor(self, role: Role) -> Actor:
        account = self.people[role]
        return Actor(kind=ActorKind.ACCOUNT, name=str(account.id))


async def seed(desk: OfficeDesk, words: Words) -> Seeded:
    """Fill an office."""
    seeded = Seeded(desk=desk, words=words)
    _announcements(seeded)
    await _people(seeded)
    await _papers(seeded)
    await _calls(seeded)
    await _holds(seeded)
    await _oversight(seeded)
    _logs(seeded)
    return seeded


def _logs(seeded: Seeded) -> None:
    """Let services have written lines, one of them with what no line of ours may hold."""
    office, words = seeded.desk.office, seeded.words
    assert office.settings.log_file is not None
    folder, now = office.settings.log_file.parent, office.parts.clock.now()
    folder.mkdir()
    why = f"row of {words.number}, {words.person}, {words.answered_by} is locked"
    known: list[dict[str, Any]] = [
        {"event": "call_over", "level": "info", "call_id": str(seeded.heard.id)},
        {"event": "sealing_waits", "level": "warning", "who": why, "calls": 3},
        {"event": "bundle_failed", "level": "error", "error": "OSError", "places": ["a.py:1 f"]},
    ]
    lines = [
        each
        | {"logger": f"recorder.{words.name or 'capture.service'}"}
        | {"timestamp": (now - timedelta(minutes=number)).isoformat()}
        for number, each in zip(range(120, 0, -1), known * 40, strict=True)
    ]
    for name in ("capture", "retention"):
        text = "".join(json.dumps(each) + "\n" for each in lines)
        (folder / f"{name}.log").write_text(text, encoding="utf-8")


def _announcements(seeded: Seeded) -> None:
    settings, clock = seeded.desk.office.settings, seeded.desk.office.parts.clock
    catalogue = AnnouncementCatalogue(settings.announcement_dir)
    regulation = load_regulation(settings.regulation_file)
    keeper = AnnouncementKeeper(catalogue=catalogue, regulation=regulation, clock=clock)
    keeper.install(load_starters(), activate=True)
    seeded.announcements = [each.id for each in catalogue.versions()][:1]


async def _people(seeded: Seeded) -> None:
    office = seeded.desk.office
    for role in Role:
        account = await office.person(role, login=f"the-{role.value.replace('_', '-')}")
        if papers := frozenset({role}) & ROLES_OF_PAPER - {Role.DPO}:
            await office.authorise(account, papers)
        if role is Role.CONTRACTOR:
            await office.parts.contractors.open(
                account, contract="S/1", reason="fault", hours=8, by=OPERATOR
            )
        seeded.people[role] = account
    await office.do(
        "UPDATE account SET name = :name, post = :post",
        name=seeded.words.person,
        post=seeded.words.post,
    )


async def _papers(seeded: Seeded) -> None:
    """Have scans attached, one more proposed, one revoked."""
    office, words = seeded.desk.office, seeded.words
    registrar, director = office.parts.registrar, seeded.people[Role.ADMINISTRATOR].id
    for each in await office.parts.papers.all():
        await registrar.attach(each.id, b"%PDF-1.7", by=director)
        seeded.papers.append(each.id)
    now, holder = office.parts.clock.now(), seeded.people[Role.LISTENER]
    proposed = await registrar.grant(
        holder,
        roles=frozenset({Role.LISTENER}),
        lines=(words.line,),
        recording_id=None,
        valid_from=now,
        valid_until=now + timedelta(days=90),
        by=director,
    )
    revoked = await office.authorise(holder, [Role.LISTENER])
    await registrar.revoke(revoked.id, by=director, reason=words.reason)
    seeded.papers += [proposed.id, revoked.id]
    await office.do(
        "UPDATE authorisation SET name = :name, post = :post", name=words.person, post=words.post
    )


async def _calls(seeded: Seeded) -> None:
    desk, words = seeded.desk, seeded.words
    now: datetime = desk.office.parts.clock.now()
    said: dict[str, Any] = {
        "caller_number": words.number,
        "caller_name": words.name,
        "line": words.line,
        "answered_by": words.answered_by,
        "parties": (words.answered_by, "desk-2"),
        "endpoint": words.trunk,
        "context": f"from-{words.trunk}",
    }
    for hours, seconds in ((2, 6.0), (26, 4.0), (27, 2.0), (50, 1.0)):
        ended = now - timedelta(hours=hours)
        seeded.calls.append(await desk.call(seconds=seconds, ended_at=ended, **said))
    erased = seeded.erased
    await desk.office.do(
        "INSERT INTO tombstone SELECT id, id, call_id, first_sample_at, ended_at, erase_by, now(),"
        " now(), 'automatic', 'due', 'process:retention', '2026-11', 30, sha256 FROM recording "
        "WHERE id = :id",
        id=erased.recording_id,
    )
    await desk.office.do("DELETE FROM recording WHERE id = :id", id=erased.recording_id)
    await desk.office.do(
        "UPDATE recording SET one_sided = true, incomplete = true WHERE id = :id",
        id=seeded.calls[2].recording_id,
    )
    unrecorded = Decision(record=False, reason=Reason.DECLINED)
    for hours, changed in ((3, said), (4, said | {"caller_number": "anonymous"})):
        call = await desk.office.call(
            ended_at=now - timedelta(hours=hours),
            scope=unrecorded,
            consent=unrecorded,
            **changed,
        )
        seeded.calls.append(call)


async def _holds(seeded: Seeded) -> None:
    keeping, words = seeded.desk.office.services.keeping, seeded.words
    asked = {"ground": Ground.REQUEST_OF_AUTHORITY, "reference": words.reference}
    director = seeded.actor(Role.ADMINISTRATOR)
    for call, provisional in ((seeded.calls[1], False), (seeded.calls[2], True)):
        assert call.recording_id is not None
        batch, answers = await keeping.holds.place(
            [RecordingId(call.recording_id)],
            **asked,  # type: ignore[arg-type]
            reason=words.reason,
            actor=director,
            review_days=60,
            provisional=provisional,
        )
        assert all(each.allowed for each in answers.values())
        seeded.batches.append(batch)
    holds = await keeping.hold_rows.standing()
    seeded.holds = [each.id for each in holds]
    full = next(each for each in holds if each.lapses_at is None)
    await keeping.holds.lift(
        full.id, reason=words.reason, reference=words.reference, actor=director
    )


async def _oversight(seeded: Seeded) -> None:
    """Let jobs have run, days been compared, a brake be on, incidents be in every state."""
    office, words = seeded.desk.office, seeded.words
    oversight, now = office.services.oversight, office.parts.clock.now()
    today = now.astimezone(office.settings.office_zone).date()
    seeded.days = [today, today - timedelta(days=200)]
    calls = tuple(
        PbxCall(
            channel_id=f"1732.{number}{words.name}",
            endpoint="trunk",
            started_at=now - timedelta(minutes=number),
            ended_at=now,
            answered=True,
        )
        for number in range(3)
    )
    await oversight.comparisons.keep(
        Comparison(
            day=today,
            compared_at=now,
            settled_until=now,
            pbx_calls=9,
            explained=6,
            never_answered=0,
            in_hand=0,
            unexplained=calls,
            without_record=tuple(each.id for each in seeded.calls[:1]),
        )
    )
    director = seeded.actor(Role.ADMINISTRATOR)
    found = await oversight.incidents.rows.page(State.OPEN, kind=None, after=None, limit=9)
    seeded.incidents = [each.id for each in found]
    for each in found[:2]:
        said = words.reason
        await oversight.incidents.explain(each.id, said, all_alike=False, actor=director)
    await oversight.incidents.close(found[0].id, actor=director)
    await oversight.purge_log.put_on(
        Brake.FILE_YOUNGER, detail=words.trunk, at=now, token="9f3ac1d2"
    )
    await office.do("INSERT INTO deletion_report VALUES (:day, 9, 7, 1, 1, 1, now())", day=today)
    await office.do(
        "INSERT INTO job (name, worker, last_started, last_succeeded, last_failed, last_error, "
        "progress, next_due) SELECT name, 'pbx1:1:ab', now(), now() - interval '4 minutes', now(),"
        " error, '5 erased, 0 finished, 2 held, 0 failed', now() + interval '5 minutes' FROM "
        "(VALUES ('purge', ''), ('scrub', 'VaultUnavailable')) given(name, error)"
    )
    await office.services.keeping.by_hand.ask(
        RecordingId(seeded.heard.recording_id or UUID(int=0)), reason=words.reason, actor=director
    )
