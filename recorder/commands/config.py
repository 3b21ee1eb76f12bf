"""``recorder config``: what is in force, and whether it can work."""

from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer
from pydantic import SecretStr

from recorder.adapters.announcement_catalogue import AnnouncementCatalogue
from recorder.adapters.clock import SystemClock
from recorder.adapters.regulation_file import load_regulation
from recorder.adapters.spool import DiskSpool
from recorder.announcements.service import AnnouncementKeeper
from recorder.commands.asking import JsonOption, ask_database
from recorder.commands.asterisk_check import CONSOLE, asterisk_checks
from recorder.commands.backup_findings import about_backups, about_days
from recorder.commands.db import address_of, url_of
from recorder.commands.directory_check import directory_checks
from recorder.commands.finding import Finding, Weight
from recorder.commands.key_findings import about_keys
from recorder.commands.output import print_json, print_table
from recorder.commands.retention_parts import days_in_force, days_part
from recorder.commands.status import vault_problem
from recorder.errors import ConfigurationError, RecorderError, SpoolUnavailable
from recorder.model import Layer, Mode
from recorder.pbx.model import Grade
from recorder.phone_numbers import normalise
from recorder.regulation import Regulation, effective_values
from recorder.settings import PREFIX, Settings, load_settings

app = typer.Typer(help="What is in force, and whether it can work.", no_args_is_help=True)


@app.command("show")
def show(*, as_json: JsonOption = False) -> None:
    """Print the settings, then the regulation's values in force beside their paragraphs (R1.1b).

    Examples: `recorder config show` · `recorder config show --json`
    """
    try:
        settings = load_settings()
    except ConfigurationError:
        # Whoever mistyped a name was told to look for it here.
        for field, told in Settings.model_fields.items():
            typer.echo(f"{_variable(field):30} {told.description}", err=True)
        raise
    machine = without_secrets(settings)
    office = list(effective_values(load_regulation(settings.regulation_file)))
    if as_json:
        values = [
            {"name": name, "value": value, "paragraph": paragraph}
            for name, value, paragraph in office
        ]
        print_json({"settings": machine, "regulation": values})
        return
    for variable, shown in machine.items():
        typer.echo(f"{'':16} {variable:34} {shown}")
    for name, value, paragraph in office:
        typer.echo(f"{paragraph:16} {name:34} {value}")


@app.command("check")
def check(
    *,
    asterisk: Annotated[
        bool, typer.Option("--asterisk", help="Look at Asterisk too; as root on its machine.")
    ] = False,
    console: Annotated[Path, typer.Option(help="The socket of Asterisk's console.")] = CONSOLE,
    directory: Annotated[
        bool, typer.Option("--directory", help="Ask the directory and the OpenID provider too.")
    ] = False,
    only: Annotated[
        bool,
        typer.Option("--only", help="Nothing but them: where capture's folders and keys are not."),
    ] = False,
    as_json: JsonOption = False,
) -> None:
    """Say what keeps calls from being recorded (exit 1), and what a person should know.

    Examples: `recorder config check` · `recorder config check --asterisk --json`
    """
    if only and not (asterisk or directory):
        raise typer.BadParameter("--only goes with --asterisk or --directory")
    settings = load_settings()
    regulation = load_regulation(settings.regulation_file)
    findings = [] if only else list(_about_here(settings, regulation))
    checks = asterisk_checks(settings, regulation, console) if asterisk else []
    if directory:
        checks += directory_checks(settings)
    wrong = sum(each.weight is Weight.WRONG for each in findings)
    wrong += sum(each.weight is Grade.WRONG for each in checks)
    unasked = sum(each.weight is Grade.UNASKED for each in checks)
    right = sum(each.weight is Grade.OK for each in checks)
    if as_json:
        print_json([*map(asdict, findings), *map(asdict, checks)])
    else:
        for each in findings:
            typer.echo(f"{each.weight}: {each.says}")
        if checks:
            columns = {"check": "", "weight": "", "says": "what was found", "remedy": "what to do"}
            print_table(checks, columns, settings.office_zone, reveal=False, empty="")
        told = len(findings) + len(checks) - wrong - unasked - right
        looked = f", {right} right, {unasked} not asked" if checks else ""
        typer.echo(f"{wrong} wrong, {told} to know{looked}.")
    if wrong:
        raise typer.Exit(RecorderError.exit_code)


def _about_here(settings: Settings, regulation: Regulation) -> Iterator[Finding]:
    yield from about_regulation(regulation)
    yield from about_backups(settings, regulation)
    yield from _about_announcements(settings, regulation)
    yield from _about_machine(settings)
    yield from _about_retention(settings, regulation)


def about_regulation(regulation: Regulation) -> Iterator[Finding]:
    """Yield what the regulation's values say together, though each of them is allowed."""
    scope = regulation.scope
    if not scope.recording:
        yield Finding(Weight.REMARK, "scope.recording is false: no call is recorded (R3.2b)")
    elif not scope.trunks:
        yield Finding(
            Weight.WRONG, "scope.trunks is empty: no call comes from outside, so none is recorded"
        )
    if scope.lines != "all":
        if not scope.lines:
            yield Finding(Weight.WRONG, 'scope.lines is empty: list numbers, or say "all"')
        for line in scope.lines:
            if normalise(line) is None:
                yield Finding(
                    Weight.REMARK,
                    f"scope.lines: {line} is no public number; it counts only as the trunk "
                    "delivers it, digit for digit",
                )
    if regulation.announcement.mode is Mode.NOTICE:
        yield Finding(
            Weight.REMARK,
            'announcement.mode is "notice": callers have no unrecorded way through, which data '
            "protection authorities doubt; name the impact assessment that allows it (RG.1)",
        )


def _about_announcements(settings: Settings, regulation: Regulation) -> Iterator[Finding]:
    catalogue = AnnouncementCatalogue(settings.announcement_dir)
    keeper = AnnouncementKeeper(catalogue=catalogue, regulation=regulation, clock=SystemClock())
    found = keeper.check()
    for damage in found.damage:
        yield Finding(Weight.WRONG, f"announcement {damage}")
    for gap in found.gaps:
        decisive = gap.layer is Layer.FIRST and gap.language == regulation.announcement.language
        yield Finding(
            Weight.WRONG if decisive else Weight.REMARK,
            f"no announcement is in force ({gap.layer}, {gap.language}): {gap.advice}",
        )
    for announcement, advice in found.advice:
        yield Finding(
            Weight.REMARK, f"announcement ({announcement.layer}, {announcement.language}): {advice}"
        )


def _about_machine(settings: Settings) -> Iterator[Finding]:
    try:
        free = DiskSpool(settings.spool_dir).free_bytes() >> 20
        if free < settings.spool_floor_mib:
            yield Finding(
                Weight.WRONG,
                f"the spool has {free} MiB left, less than RECORDER_SPOOL_FLOOR_MIB "
                f"({settings.spool_floor_mib}): no call is recorded",
            )
    except SpoolUnavailable as error:
        yield Finding(Weight.WRONG, f"{error}; RECORDER_SPOOL_DIR must name a directory")
    if problem := vault_problem(settings.vault_dir):
        yield Finding(Weight.WRONG, f"{problem}; RECORDER_VAULT_DIR must name a directory")
    yield from about_keys(settings)
    if not settings.ari_password.get_secret_value():
        yield Finding(Weight.WRONG, "RECORDER_ARI_PASSWORD is empty: Asterisk lets nobody in")
    if not settings.ami_password.get_secret_value():
        yield Finding(
            Weight.REMARK,
            "RECORDER_AMI_PASSWORD is empty: after an attended transfer to the outside a recording "
            "goes on (R3.4h); see manager.conf in OPERATIONS.md",
        )
    try:
        url_of(settings)
    except ConfigurationError as error:
        yield Finding(Weight.WRONG, str(error))


def _about_retention(settings: Settings, regulation: Regulation) -> Iterator[Finding]:
    """Yield where the days in force are not those of the file; nothing without a database."""
    configured = regulation.retention.days
    try:
        found = ask_database(settings, lambda engine: days_in_force(engine, configured))
    except RecorderError:
        # Told by `status`; what regulation.toml says can be checked before there is a database.
        return
    if found.days != found.configured:
        yield Finding(Weight.REMARK, f"retention.days: {days_part(found).says} (R7.2c)")
    key_days = regulation.backups.key_days
    if key_days and found.waits_for_a_person:
        # Recordings are kept by the days in force, and so are their keys in a backup.
        yield from about_days(found.days, key_days=key_days)


def without_secrets(settings: Settings) -> dict[str, str]:
    """Return every setting by its variable; of a secret only whether it is set."""
    return dict(_machine(settings))


def _machine(settings: Settings) -> Iterator[tuple[str, str]]:
    for name in Settings.model_fields:
        value = getattr(settings, name)
        if name == "database_url":
            shown = _address(settings)
        elif isinstance(value, SecretStr):
            shown = "(set)" if value.get_secret_value() else "(empty)"
        elif name == "ari_url":
            shown = str(value).replace(f":{settings.ari_url.password}@", ":(set)@")
        else:
            shown = "" if value is None else str(value)
        yield _variable(name), shown


def _address(settings: Settings) -> str:
    try:
        return address_of(settings)
    except ConfigurationError:
        return "(no address of PostgreSQL)"


def _variable(field: str) -> str:
    return f"{PREFIX}{field.upper()}"
