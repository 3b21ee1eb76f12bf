"""How ``recorder audit verify`` says what it found."""

from typing import Any

import typer

from recorder.audit.service import Report


def for_machines(report: Report, *, editable: bool) -> dict[str, Any]:
    """Return it as one document."""
    fault = report.fault
    return {
        "sound": report.sound,
        "verified_to": report.last.seq if fault is None else fault.seq - 1,
        "hash": report.last.hash.hex() if fault is None else None,
        "first_bad": None if fault is None else fault.seq,
        "why": None if fault is None else fault.why.value,
        "checkpoints": len(report.notes),
        "bad_checkpoints": dict(report.bad_notes),
        "editable_by_this_login": editable,
    }


def tell(report: Report, *, editable: bool) -> None:
    """Say it to a person."""
    for name, why in report.bad_notes.items():
        typer.echo(f"checkpoint {name}: {why}")
    if report.fault is not None:
        typer.echo(f"The trail is broken at {report.fault}. OPERATIONS.md: the audit trail.")
    else:
        typer.echo(
            f"The trail is whole up to entry {report.last.seq}, hash {report.last.hash.hex()}; "
            f"compared with {len(report.notes)} checkpoints."
        )
        if not report.notes:
            typer.echo("Without a checkpoint nobody sees a trail rewritten from its beginning.")
    if editable:
        typer.echo(
            "RECORDER_DATABASE_URL is an owner's or a superuser's, who can edit the trail: "
            "give the processes logins of their own (OPERATIONS.md, Install).",
            err=True,
        )
