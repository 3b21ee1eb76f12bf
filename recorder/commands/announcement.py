"""``recorder announcement``: what callers are told, from the prompt."""

from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import soundfile
import typer
from rich import box
from rich.table import Table

from recorder.adapters.sounds import read_sound
from recorder.adapters.speech import WORDS_PER_MINUTE, speak
from recorder.adapters.starters import load_starters
from recorder.announcements.periods import periods
from recorder.announcements.rules import TELEPHONE_RATE
from recorder.announcements.service import check_language
from recorder.approvals.model import signature
from recorder.commands.acting import operator
from recorder.commands.announcement_desk import (
    SHORT,
    Desk,
    add_sound,
    console,
    instant_of,
    print_json,
    say_proposed,
    say_so,
    text_of,
    warn,
)
from recorder.errors import ConfigurationError, RuleViolation
from recorder.model import Layer

TEXT_SHOWN = 44
"""Characters of a text that a list shows."""

app = typer.Typer(
    help="What callers are told before anything is recorded (§ 8.2).", no_args_is_help=True
)

Language = Annotated[str, typer.Option(help="Two letters: pl, en, uk.", metavar="LANGUAGE")]
Words = Annotated[str, typer.Option(help="The words that the sound says.")]
WordsFile = Annotated[Path | None, typer.Option(help="The same, from a UTF-8 file.")]
ForLayer = Annotated[Layer, typer.Option(help="What it is: see docs/announcements.md.")]
AllowLong = Annotated[
    bool, typer.Option("--allow-long", help="For the second layer: no limit of length.")
]
Activate = Annotated[bool, typer.Option("--activate", help="Have callers hear it from now on.")]
Speed = Annotated[int, typer.Option(min=80, max=300, help="Words a minute.")]
AsJson = Annotated[bool, typer.Option("--json", help="For machines.")]
Which = Annotated[
    str, typer.Argument(metavar="ID", help="The id, or enough of its beginning or end.")
]


@app.command("add")
def add(
    file: Annotated[Path, typer.Argument(help="WAV, FLAC, OGG, MP3: what libsndfile reads.")],
    *,
    language: Language,
    text: Words = "",
    text_file: WordsFile = None,
    layer: ForLayer = Layer.FIRST,
    allow_long: AllowLong = False,
    activate: Activate = False,
    as_json: AsJson = False,
) -> None:
    """Add a sound file as a new version; it is judged first and refused with the reason.

    Examples: `recorder announcement add studio.wav --language pl --text "Nagrywamy rozmowy…"` ·
    `recorder announcement add rights.flac --language pl --layer second --allow-long
    --text-file rights.txt --activate`
    """
    desk = Desk()
    add_sound(
        desk,
        read_sound(file),
        language=language,
        text=text_of(text, text_file),
        layer=layer,
        allow_long=allow_long,
        activate=activate,
        as_json=as_json,
    )


@app.command("say")
def say(
    *,
    language: Language,
    text: Words = "",
    text_file: WordsFile = None,
    layer: ForLayer = Layer.FIRST,
    speed: Speed = WORDS_PER_MINUTE,
    allow_long: AllowLong = False,
    activate: Activate = False,
    as_json: AsJson = False,
) -> None:
    """Have espeak-ng speak a text and add that, for a start; a human voice is better.

    Examples: `recorder announcement say --language pl --text "Nagrywamy rozmowy…"` ·
    `recorder announcement say --language en --speed 160 --text-file english.txt`
    """
    desk = Desk()
    words = text_of(text, text_file)
    check_language(language)
    add_sound(
        desk,
        speak(words, language=language, words_per_minute=speed),
        language=language,
        text=words,
        layer=layer,
        allow_long=allow_long,
        activate=activate,
        as_json=as_json,
    )


@app.command("list")
def list_versions(*, as_json: AsJson = False) -> None:
    """List every version and where it stands.

    Examples: `recorder announcement list` · `recorder announcement list --json`
    """
    desk = Desk()
    versions = desk.catalogue.versions()
    if as_json:
        print_json([desk.as_mapping(each) for each in versions])
        return
    if not versions:
        say_so(
            "No announcement yet, so no call can be recorded. "
            "`recorder announcement install-starters --activate` installs those that ship."
        )
        return
    stands = desk.standing_of()
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    for heading in ("id", "layer", "language", "state", "length", "level", "sound", "text"):
        table.add_column(heading, justify="right" if heading in ("length", "level") else "left")
    for each in versions:
        cut = "…" * (len(each.text) > TEXT_SHOWN)
        table.add_row(
            str(each.id)[-SHORT:],
            each.layer,
            each.language,
            desk.words(stands(each)),
            f"{each.length_ms / 1000:.1f} s",
            f"{each.level_dbfs:.0f} dBFS",
            each.sha256[:SHORT],
            f"{each.text[:TEXT_SHOWN]}{cut}",
        )
    console().print(table)


@app.command("activate")
def activate_version(
    which: Which,
    from_: Annotated[
        str, typer.Option("--from", help="2026-12-01, '2026-12-01 08:00' (office time), or now.")
    ] = "now",
    *,
    reason: Annotated[str, typer.Option(help="Why, where it is proposed.")] = "",
    as_json: AsJson = False,
) -> None:
    """Have callers hear a version from now or from a date on.

    The first of its layer and language at once; in place of another it is proposed, signed in as
    an administrator, and another one confirms it.

    Examples: `recorder announcement activate 0f150eca` ·
    `recorder announcement activate 0f150eca --from "2026-12-01 08:00" --reason "new address"`
    """
    desk = Desk()
    found = desk.keeper.find(which)
    active_from = instant_of(from_, desk.zone)
    warn(str(each) for each in desk.keeper.advise(found))
    if not desk.is_first(found):
        approval = desk.propose(found, active_from=active_from, reason=reason)
        say_proposed(found, approval, as_json=as_json)
        return
    activated = desk.activate(found, active_from)
    if as_json:
        print_json(desk.as_mapping(activated))
        return
    heard_from = desk.day(activated.active_from or desk.clock.now())
    say_so(f"Callers hear {activated.id} ({found.layer}, {found.language}) from {heard_from}.")


@app.command("show")
def show(which: Which, *, as_json: AsJson = False) -> None:
    """Print one version whole: its words, its sound, and when callers heard it.

    Examples: `recorder announcement show 0f150eca` · `recorder announcement show 0f150eca --json`
    """
    desk = Desk()
    found = desk.keeper.find(which)
    advice = desk.keeper.advise(found)
    if as_json:
        print_json({**desk.as_mapping(found), "advice": [str(each) for each in advice]})
        return
    own = [p for p in periods(desk.catalogue.activations()) if p.announcement_id == found.id]
    rows = [
        ("id", str(found.id)),
        ("layer, language", f"{found.layer}, {found.language}"),
        ("state", desk.words(desk.standing_of()(found))),
        *(
            ("heard", f"{desk.day(p.valid_from)} – {desk.day(p.valid_until)}")
            for p in own
            if p.valid_until
        ),
        ("added", desk.day(found.added_at)),
        ("length, level", f"{found.length_ms / 1000:.1f} s, {found.level_dbfs:.1f} dBFS"),
        ("SHA-256", found.sha256),
        ("text", found.text),
        *(("look at", f"the text {each}") for each in advice),
    ]
    for name, value in rows:
        typer.echo(f"{name:16} {value}")


@app.command("export")
def export(which: Which, file: Annotated[Path, typer.Argument(help="A new WAV file.")]) -> None:
    """Write the sound of a version as WAV, to listen to what callers hear or heard (R8.2d).

    Examples: `recorder announcement export 0f150eca heard.wav` ·
    `recorder announcement export 0f150eca /tmp/heard.wav && aplay /tmp/heard.wav`
    """
    desk = Desk()
    found = desk.keeper.find(which)
    samples = desk.catalogue.samples(found.id)
    if file.exists():
        raise RuleViolation(f"{file.name} is there already; name a new file")
    try:
        with soundfile.SoundFile(
            file, "w", TELEPHONE_RATE, 1, subtype="PCM_16", format="WAV"
        ) as wav:
            wav.buffer_write(samples, dtype="int16")
    except (OSError, soundfile.SoundFileError) as error:
        raise ConfigurationError(f"{file.name} cannot be written; check its folder") from error
    say_so(f"Wrote {found.length_ms / 1000:.1f} s to {file.name}; its sound is {found.sha256}.")


@app.command("check")
def check(*, as_json: AsJson = False) -> None:
    """Look for missing or changed sounds (exit 1), and for what callers are not told (R8.2e).

    Examples: `recorder announcement check` · `recorder announcement check --json`
    """
    findings = Desk().keeper.check()
    if as_json:
        print_json(
            {
                "damage": [asdict(each) for each in findings.damage],
                "gaps": [asdict(each) for each in findings.gaps],
                "advice": [
                    {"announcement_id": announcement.id, **asdict(advice)}
                    for announcement, advice in findings.advice
                ],
            }
        )
    else:
        for damage in findings.damage:
            typer.echo(f"damaged: {damage}")
        for gap in findings.gaps:
            typer.echo(f"nothing in force: {gap.layer}, {gap.language}: {gap.advice}")
        for announcement, advice in findings.advice:
            typer.echo(f"look at {str(announcement.id)[-SHORT:]}: the text {advice}")
        damaged = "No sound is missing or changed."
        if findings.damage:
            damaged = "Add the same sound again to restore it, or activate another version."
        say_so(damaged)
    if findings.damage:
        raise typer.Exit(1)


@app.command("install-starters")
def install_starters(*, activate: Activate = False, as_json: AsJson = False) -> None:
    """Install the announcements that ship, spoken by espeak-ng, for a start. Twice is once.

    Examples: `recorder announcement install-starters` ·
    `recorder announcement install-starters --activate`
    """
    desk = Desk()
    by = signature(operator())
    installed = desk.keeper.install(load_starters(), activate=activate, by=by)
    if as_json:
        print_json([asdict(each) for each in installed])
        return
    for each in installed:
        name = f"{each.announcement.layer}, {each.announcement.language}"
        done = "activated" if each.activated else each.kept_back or "not activated"
        typer.echo(f"{str(each.announcement.id)[-SHORT:]}  {name:14} {done}")
        warn([f"{name}: {each.remark}"] if each.remark and each.new else [])
    say_so(
        f"{sum(each.new for each in installed)} added, "
        f"{sum(each.activated for each in installed)} activated. "
        "Have your data protection officer approve the texts."
    )
