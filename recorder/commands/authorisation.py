"""``recorder authorisation``: the register of § 8.1 and annex 1."""

import re
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Annotated, Any
from uuid import UUID
from zoneinfo import ZoneInfo

import typer

from recorder.access.model import View
from recorder.adapters.regulation_file import load_regulation
from recorder.authorisations.form import as_text, forms_of
from recorder.authorisations.model import Authorisation, AuthorisationId, Scan
from recorder.authorisations.rules import LONGEST_SCAN_BYTES, standing
from recorder.commands.asking import FirstDayOption, JsonOption, LastDayOption
from recorder.commands.gatehouse import account_id, admitted
from recorder.commands.output import print_fields, print_json, print_table
from recorder.commands.parts import Parts
from recorder.commands.sign_in import LoginArgument
from recorder.commands.user import RoleOption, with_parts
from recorder.errors import NotFound, RuleViolation
from recorder.settings import load_settings

app = typer.Typer(help="The register of authorisations (§ 8.1).", no_args_is_help=True)
Which = Annotated[str, typer.Argument(metavar="NUMBER|ID", help="As in 7/2026, or the id.")]
NUMBER = re.compile(r"(\d{1,6})/(\d{4})")
COLUMNS = {
    "number": "no.",
    "name": "person",
    "post": "post",
    "roles": "roles",
    "lines": "lines",
    "valid_from": "from",
    "valid_until": "to",
    "standing": "standing",
    "id": "id",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One authorisation as a list shows it."""

    id: str
    number: str
    name: str
    post: str
    roles: list[str]
    lines: list[str] | str
    recording_id: str | None
    valid_from: str
    valid_until: str
    standing: str
    granted_by: str | None


@app.command("grant")
def grant(
    login: LoginArgument,
    *,
    role: RoleOption,
    until: LastDayOption,
    since: FirstDayOption = None,
    line: Annotated[
        list[str] | None, typer.Option("--line", help="An office number; all unless given.")
    ] = None,
    recording: Annotated[
        UUID | None, typer.Option(help="One recording alone; for the DPO.")
    ] = None,
) -> None:
    """Grant an authorisation; where four eyes are asked for, another administrator confirms it.

    Examples: `recorder authorisation grant zenobia --role listener --to 2027-06-30` ·
    `recorder authorisation grant jan --role copy_maker --line 746640800 --from 2026-12-01
    --to 2026-12-31`
    """
    settings = load_settings()
    zone = settings.office_zone

    async def use(parts: Parts) -> Authorisation:
        holder = await parts.keeper.by_login(login)
        return await parts.registrar.grant(
            holder,
            roles=frozenset(role),
            lines=tuple(line) if line else None,
            recording_id=recording,
            valid_from=_start(since, zone) if since else parts.clock.now(),
            valid_until=_start(until + timedelta(days=1), zone),
            by=account_id(),
        )

    paper = with_parts(settings, use)
    if paper.number is None:
        typer.echo(f"Proposed; another administrator confirms: authorisation confirm {paper.id}")
    else:
        typer.echo(f"Granted: {paper.label}")


@app.command("confirm")
def confirm(which: Which) -> None:
    """Confirm what another administrator proposed; it gets its number.

    Examples: `recorder authorisation confirm 01a20c69-337a-75a6-9b83-bf45ec100461` ·
    `recorder authorisation list && recorder authorisation confirm ID`
    """

    async def use(parts: Parts) -> Authorisation:
        paper = await _find(parts, which)
        return await parts.registrar.confirm(paper.id, by=account_id())

    typer.echo(f"Granted: {with_parts(load_settings(), use).label}")


@app.command("refuse")
def refuse(which: Which) -> None:
    """Refuse what another administrator proposed.

    Examples: `recorder authorisation refuse 01a20c69-337a-75a6-9b83-bf45ec100461` ·
    `recorder authorisation list && recorder authorisation refuse ID`
    """

    async def use(parts: Parts) -> None:
        paper = await _find(parts, which)
        await parts.registrar.refuse(paper.id, by=account_id())

    with_parts(load_settings(), use)
    typer.echo("Refused.")


@app.command("revoke")
def revoke(
    which: Which, *, reason: Annotated[str, typer.Option(help="Why; it is kept in the trail.")]
) -> None:
    """Revoke an authorisation from this instant.

    Examples: `recorder authorisation revoke 7/2026 --reason "koniec zatrudnienia"` ·
    `recorder authorisation revoke 01a20c69-337a-75a6-9b83-bf45ec100461 --reason "inne stanowisko"`
    """

    async def use(parts: Parts) -> None:
        paper = await _find(parts, which)
        await parts.registrar.revoke(paper.id, by=account_id(), reason=reason)

    with_parts(load_settings(), use)
    typer.echo("Revoked.")


@app.command("review")
def review(
    which: Annotated[str | None, typer.Argument(metavar="[NUMBER|ID]")] = None,
    *,
    as_json: JsonOption = False,
) -> None:
    """List what stands for a quarter without anybody's word, or say that one is still needed.

    Examples: `recorder authorisation review` · `recorder authorisation review 7/2026`
    """
    settings = load_settings()

    async def use(parts: Parts) -> list[Line]:
        if which is not None:
            paper = await _find(parts, which)
            await parts.registrar.review(paper.id, by=account_id())
            return []
        now = parts.clock.now()
        return [_line(each, settings.office_zone, now) for each in await parts.registrar.due()]

    lines = with_parts(settings, use)
    if which is not None:
        typer.echo("Noted: still needed.")
    else:
        _print(lines, settings.office_zone, as_json=as_json, empty="Nothing is due for review.")


@app.command("list")
def list_authorisations(*, as_json: JsonOption = False) -> None:
    """List the register; listeners and copy makers see their own.

    Examples: `recorder authorisation list` · `recorder authorisation list --json`
    """
    settings = load_settings()

    async def use(parts: Parts) -> list[Line]:
        now = parts.clock.now()
        own = admitted().decision.view is View.OWN
        papers = await (parts.papers.of(account_id()) if own else parts.papers.all())
        return [_line(each, settings.office_zone, now) for each in papers]

    lines = with_parts(settings, use)
    _print(lines, settings.office_zone, as_json=as_json, empty="The register is empty.")


@app.command("show")
def show(which: Which, *, as_json: JsonOption = False) -> None:
    """Print one authorisation and the scans of its signed paper.

    Examples: `recorder authorisation show 7/2026` · `recorder authorisation show 7/2026 --json`
    """
    settings = load_settings()

    async def use(parts: Parts) -> dict[str, Any]:
        paper = await _find(parts, which)
        line = _line(paper, settings.office_zone, parts.clock.now())
        scans = await parts.papers.scans(paper.id)
        revoked = paper.revoked_at.astimezone(settings.office_zone) if paper.revoked_at else None
        return asdict(line) | {
            "revoked_at": revoked.isoformat(timespec="minutes") if revoked else None,
            "revoked_for": (await parts.papers.reasons([paper.id])).get(paper.id),
            "scans": [{"kind": each.kind.value, "sha256": each.sha256} for each in scans],
        }

    found = with_parts(settings, use)
    (print_json if as_json else print_fields)(found)


@app.command("print")
def print_form(which: Which) -> None:
    """Print annex 1 and the statement of confidentiality, to be signed (R8.1c).

    Examples: `recorder authorisation print 7/2026` · `recorder authorisation print 7/2026 | lp`
    """
    settings = load_settings()
    regulation = load_regulation(settings.regulation_file)

    async def use(parts: Parts) -> str:
        paper = await _find(parts, which)
        (grantor, _) = await parts.store.by_id(paper.granted_by or paper.proposed_by) or (None, 0)
        forms = forms_of(paper, regulation, grantor=grantor, zone=settings.office_zone)
        return "\f".join(as_text(each) for each in forms)

    typer.echo(with_parts(settings, use), nl=False)


@app.command("attach")
def attach(which: Which, file: Annotated[Path, typer.Argument(help="PDF, PNG or JPEG.")]) -> None:
    """Attach the signed scan, at most 20 MB; it is kept by its hash.

    Examples: `recorder authorisation attach 7/2026 signed.pdf` ·
    `recorder authorisation attach 7/2026 /mnt/scans/7-2026.jpg`
    """
    try:
        with file.open("rb") as opened:
            content = opened.read(LONGEST_SCAN_BYTES + 1)
    except OSError as error:
        raise RuleViolation(f"the scan cannot be read ({error.strerror})") from error

    async def use(parts: Parts) -> Scan:
        paper = await _find(parts, which)
        return await parts.registrar.attach(paper.id, content, by=account_id())

    typer.echo(f"Attached: SHA-256 {with_parts(load_settings(), use).sha256}")


async def _find(parts: Parts, which: str) -> Authorisation:
    """Return an authorisation by number or id; another's is as if it were not there."""
    paper = None
    if numbered := NUMBER.fullmatch(which):
        paper = await parts.papers.numbered(int(numbered[2]), int(numbered[1]))
    else:
        try:
            paper = await parts.papers.get(AuthorisationId(UUID(which)))
        except ValueError:
            raise typer.BadParameter("a number such as 7/2026, or an id") from None
    own = admitted().decision.view is View.OWN
    if paper is None or (own and paper.account_id != account_id()):
        raise NotFound("no such authorisation; `recorder authorisation list`")
    return paper


def _start(day: datetime, zone: ZoneInfo) -> datetime:
    return day.replace(tzinfo=zone)


def _line(paper: Authorisation, zone: ZoneInfo, now: datetime) -> Line:
    return Line(
        id=str(paper.id),
        number=paper.label,
        name=paper.name,
        post=paper.post,
        roles=sorted(paper.roles),
        lines="all" if paper.lines is None else list(paper.lines),
        recording_id=str(paper.recording_id) if paper.recording_id else None,
        valid_from=paper.valid_from.astimezone(zone).isoformat(timespec="minutes"),
        valid_until=paper.valid_until.astimezone(zone).isoformat(timespec="minutes"),
        standing=standing(paper, now).value,
        granted_by=str(paper.granted_by) if paper.granted_by else None,
    )


def _print(lines: list[Line], zone: ZoneInfo, *, as_json: bool, empty: str) -> None:
    if as_json:
        print_json([asdict(each) for each in lines])
    else:
        print_table(lines, COLUMNS, zone, reveal=True, empty=empty)
