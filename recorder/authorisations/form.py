"""Annex 1 in Polish: the authorisation and the statement of confidentiality (R8.1c).

Plain text, so that it prints anywhere; a PDF is made of the same words.
"""

from dataclasses import dataclass
from datetime import datetime, time, timedelta
from zoneinfo import ZoneInfo

from recorder.accounts.model import Account, Role
from recorder.authorisations.model import Authorisation
from recorder.regulation import Regulation

WIDTH = 78

_ROLES = {
    Role.LISTENER: "odsłuchiwanie nagrań",
    Role.COPY_MAKER: "sporządzanie, oznaczanie i ewidencjonowanie kopii nagrań",
    Role.DPO: "odsłuchanie jednego nagrania na potrzeby kontroli Inspektora Ochrony Danych",
}


_GRANT = """
Na podstawie § 8 ust. 1 Regulaminu rejestrowania rozmów telefonicznych oraz art. 29 i art. 32
ust. 4 rozporządzenia (UE) 2016/679 upoważniam wyżej wymienioną osobę do dostępu do nagrań i
przetwarzania zawartych w nich danych osobowych w podanym zakresie.

Upoważnienie wygasa z upływem podanego terminu, z chwilą odwołania albo ustania zatrudnienia.
"""
_STATEMENT = """
Oświadczam, że zapoznałam/em się z Regulaminem rejestrowania rozmów telefonicznych oraz z
przepisami o ochronie danych osobowych i zobowiązuję się do ich przestrzegania.

Zobowiązuję się zachować w tajemnicy treść nagrań, dane osobowe w nich zawarte oraz sposoby ich
zabezpieczenia, także po wygaśnięciu upoważnienia i ustaniu zatrudnienia.

Nagrań używam wyłącznie w celach określonych w § 3 Regulaminu. Hasła do konta nie udostępniam
nikomu. W razie naruszenia zawiadamiam {dpo}.
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Form:
    """The parts of the printed form; a page or a PDF sets them as it likes."""

    annex: str
    title: str
    number: str
    rows: tuple[tuple[str, str], ...]
    body: tuple[str, ...]
    signatures: tuple[str, ...]


def forms_of(
    authorisation: Authorisation,
    regulation: Regulation,
    *,
    grantor: Account | None,
    zone: ZoneInfo,
) -> tuple[Form, Form]:
    """Return both sheets that are printed and signed."""
    signer = f"{grantor.name}, {grantor.post}" if grantor else ""
    return (
        authorisation_form(authorisation, regulation, grantor=signer, zone=zone),
        confidentiality_statement(authorisation, regulation),
    )


def authorisation_form(
    authorisation: Authorisation, regulation: Regulation, *, grantor: str, zone: ZoneInfo
) -> Form:
    """Return annex 1 filled in from the register."""
    lines = authorisation.lines
    return Form(
        annex="Załącznik nr 1 do Regulaminu rejestrowania rozmów telefonicznych",
        title="UPOWAŻNIENIE",
        number=f"nr {authorisation.label or '(projekt, bez numeru)'}",
        rows=(
            ("Administrator danych", f"{regulation.controller.name}, {regulation.controller.seat}"),
            ("Osoba upoważniona", authorisation.name),
            ("Stanowisko", authorisation.post),
            (
                "Zakres",
                "; ".join(words for role, words in _ROLES.items() if role in authorisation.roles),
            ),
            ("Numery telefonów", "wszystkie" if lines is None else ", ".join(lines)),
            *(
                (("Nagranie", str(authorisation.recording_id)),)
                if authorisation.recording_id
                else ()
            ),
            ("Ważne od", _day(authorisation.valid_from, zone)),
            ("Ważne do", _last(authorisation.valid_until, zone)),
            ("Udzielający upoważnienia", grantor),
            *(
                (("Data udzielenia", _day(authorisation.granted_at, zone)),)
                if authorisation.granted_at
                else ()
            ),
        ),
        body=_paragraphs(_GRANT),
        signatures=("data i podpis Administratora", "data i podpis osoby upoważnionej"),
    )


def confidentiality_statement(authorisation: Authorisation, regulation: Regulation) -> Form:
    """Return the statement that the authorised person signs."""
    return Form(
        annex="",
        title="OŚWIADCZENIE O ZACHOWANIU POUFNOŚCI",
        number=f"do upoważnienia nr {authorisation.label or '(projekt, bez numeru)'}",
        rows=(("Imię i nazwisko", authorisation.name), ("Stanowisko", authorisation.post)),
        body=_paragraphs(_STATEMENT.format(dpo=regulation.dpo.contact)),
        signatures=("data i podpis osoby upoważnionej",),
    )


def as_text(form: Form) -> str:
    """Return the form as plain text for a printer."""
    parts = [form.annex.rjust(WIDTH), ""] if form.annex else []
    parts += [form.title.center(WIDTH).rstrip(), form.number.center(WIDTH).rstrip(), ""]
    parts += [f"{name + ':':28}{value}" for name, value in form.rows]
    for paragraph in form.body:
        parts += ["", *_wrapped(paragraph)]
    for signature in form.signatures:
        parts += ["", "", "." * 40, signature]
    return "\n".join([*parts, ""])


def _paragraphs(text: str) -> tuple[str, ...]:
    return tuple(" ".join(each.split()) for each in text.strip().split("\n\n"))


def _wrapped(paragraph: str) -> list[str]:
    lines, line = [], ""
    for word in paragraph.split():
        if len(line) + len(word) + 1 > WIDTH:
            lines.append(line)
            line = word
        else:
            line = f"{line} {word}".strip()
    return [*lines, line]


def _last(until: datetime, zone: ZoneInfo) -> str:
    """Return the last day, where it ends with a day; a paper names days that count."""
    local = until.astimezone(zone)
    if local.time() != time():
        return _day(until, zone)
    return f"{local.date() - timedelta(days=1):%d.%m.%Y} włącznie"


def _day(at: datetime, zone: ZoneInfo) -> str:
    return f"{at.astimezone(zone):%d.%m.%Y %H:%M}"
