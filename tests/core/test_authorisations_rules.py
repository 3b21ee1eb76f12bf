"""The register of authorisations, by its rules alone (§ 8.1, annex 1)."""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

import pytest

from recorder.accounts.model import Account, Role
from recorder.authorisations.form import as_text, authorisation_form, confidentiality_statement
from recorder.authorisations.model import ContractorAccess, ScanKind, Standing
from recorder.authorisations.rules import (
    REVIEW_EVERY,
    covers_line,
    due_for_review,
    kind_of_scan,
    open_access,
    opens,
    problem_of_confirming,
    problem_of_grant,
    problem_of_holder,
    problem_of_opening,
    problem_of_revoking,
    standing,
    standing_findings,
)
from recorder.regulation import parse_regulation
from tests.access_builders import ADMIN, MINE, NOW, OTHER, a_paper

HOUR = timedelta(hours=1)


def an_account(*roles: Role, **changed: Any) -> Account:
    values: dict[str, Any] = {
        "id": MINE,
        "login": "zenobia",
        "name": "Zenobia Kwiatkowska",
        "post": "inspektor",
        "roles": frozenset(roles),
        "created_at": NOW,
        "password_set_at": NOW,
        "must_change_password": False,
    }
    return Account(**values | changed)


def test_it_stands_from_its_first_instant_to_before_its_last() -> None:
    paper = a_paper(Role.LISTENER)
    for at, state in (
        (paper.valid_from - HOUR, Standing.FUTURE),
        (paper.valid_from, Standing.VALID),
        (paper.valid_until - timedelta(microseconds=1), Standing.VALID),
        (paper.valid_until, Standing.ENDED),
    ):
        assert standing(paper, at) is state
    assert standing(a_paper(Role.LISTENER, granted_at=None), NOW) is Standing.PROPOSED
    assert standing(a_paper(Role.LISTENER, revoked_at=NOW), NOW) is Standing.REVOKED
    refused = a_paper(Role.LISTENER, granted_at=None, refused_at=NOW)
    assert standing(refused, NOW) is Standing.REFUSED


def test_what_opens_or_will_open_is_told_from_what_is_over() -> None:
    """R6.3e: what is proposed is confirmed without anybody looking at the account again."""
    for paper, at, found in (
        (a_paper(Role.LISTENER), NOW, True),
        (a_paper(Role.COPY_MAKER), NOW - timedelta(days=9), True),
        (a_paper(Role.DPO, granted_at=None), NOW, True),
        (a_paper(Role.LISTENER), NOW + timedelta(days=9), False),
        (a_paper(Role.LISTENER, granted_at=None), NOW + timedelta(days=9), False),
        (a_paper(Role.LISTENER, revoked_at=NOW), NOW, False),
        (a_paper(Role.LISTENER, granted_at=None, refused_at=NOW), NOW, False),
    ):
        assert opens([paper], at) is found, standing(paper, at)
    over = a_paper(Role.LISTENER, revoked_at=NOW)
    assert opens([over, a_paper(Role.LISTENER)], NOW)
    assert not opens([], NOW)


@pytest.mark.parametrize(
    ("changed", "totp_required", "may"),
    [
        ({}, False, True),
        ({}, True, False),
        ({"totp_since": NOW}, True, True),
        ({"totp_since": NOW, "must_change_password": True}, True, False),
        ({"must_change_password": True}, False, False),
        ({"totp_since": NOW, "disabled_at": NOW}, True, False),
    ],
)
def test_an_authorisation_goes_to_an_account_that_is_its_owners_alone(
    changed: dict[str, Any], *, totp_required: bool, may: bool
) -> None:
    """R6.3e: whoever gave the first password could else hear before its owner came."""
    holder = an_account(Role.LISTENER, **changed)
    assert (problem_of_holder(holder, totp_required=totp_required) == "") is may


@pytest.mark.parametrize(
    ("reason", "can"), [("", False), (" \n", False), ("x" * 501, False), (" koniec pracy ", True)]
)
def test_a_revocation_takes_a_reason(reason: str, *, can: bool) -> None:
    assert (problem_of_revoking(reason) == "") is can


def grant(**changed: Any) -> str:
    values: dict[str, Any] = {
        "holder": MINE,
        "holder_roles": frozenset({Role.LISTENER}),
        "grantor": ADMIN,
        "roles": frozenset({Role.LISTENER}),
        "one_recording": False,
        "valid_from": NOW,
        "valid_until": NOW + HOUR,
        "now": NOW,
    }
    return problem_of_grant(**values | changed)


@pytest.mark.parametrize(
    "changed",
    [
        {"valid_until": datetime.fromisoformat("9999-12-31T23:59:59-14:00")},
        {"valid_until": datetime.fromisoformat("2200-01-01T00:00:01+00:00")},
        {"valid_from": datetime.fromisoformat("0001-01-01T00:00:00+14:00")},
    ],
)
def test_a_period_at_the_ends_of_the_calendar_is_none(changed: dict[str, Any]) -> None:
    """B7: it would be kept, and nobody could read the register any more."""
    assert "century" in grant(**changed)


def test_what_cannot_be_granted_is_told() -> None:
    assert grant() == ""
    assert "himself" in grant(grantor=MINE)
    assert "before it begins" in grant(valid_until=NOW)
    assert "over already" in grant(valid_from=NOW - HOUR, valid_until=NOW)
    assert "does not have" in grant(holder_roles=frozenset({Role.SYSADMIN}))
    assert grant(roles=frozenset())
    for role in set(Role) - {Role.LISTENER, Role.COPY_MAKER, Role.DPO}:
        assert grant(roles=frozenset({role}), holder_roles=frozenset({role}))
    dpo = frozenset({Role.DPO})
    assert "one recording" in grant(roles=dpo, holder_roles=dpo)
    assert grant(roles=dpo, holder_roles=dpo, one_recording=True) == ""


def test_a_second_person_confirms_and_neither_the_proposer_nor_the_holder() -> None:
    proposal = a_paper(Role.LISTENER, granted_at=None, number=None, year=None)
    assert problem_of_confirming(proposal, by=OTHER, now=NOW) == ""
    assert problem_of_confirming(proposal, by=ADMIN, now=NOW)
    assert problem_of_confirming(proposal, by=MINE, now=NOW)
    assert problem_of_confirming(a_paper(Role.LISTENER), by=OTHER, now=NOW)
    assert problem_of_confirming(proposal, by=OTHER, now=proposal.valid_until)


def test_a_line_counts_in_any_spelling() -> None:
    paper = a_paper(Role.LISTENER, lines=("74 664 08 00",))
    assert covers_line(paper, "+48746640800")
    assert not covers_line(paper, "746640801")
    assert not covers_line(paper, "")
    assert covers_line(a_paper(Role.LISTENER), "anything")


def test_a_contractor_comes_in_for_one_fault_and_at_most_eight_hours() -> None:
    """R6.3c."""
    values: dict[str, Any] = {
        "roles": frozenset({Role.CONTRACTOR}),
        "contract": "UM/12/2026",
        "reason": "disk replaced",
        "now": NOW,
        "until": NOW + 8 * HOUR,
    }
    assert problem_of_opening(**values) == ""
    for changed in (
        {"until": NOW + 8 * HOUR + timedelta(seconds=1)},
        {"until": NOW},
        {"contract": " "},
        {"reason": ""},
        {"roles": frozenset({Role.SYSADMIN})},
    ):
        assert problem_of_opening(**values | changed)
    opened = ContractorAccess(
        id=UUID(int=1), account_id=MINE, contract="c", reason="r", opened_at=NOW,
        until=NOW + HOUR, opened_by="a",
    )  # fmt: skip
    assert open_access([opened], NOW) == opened
    assert open_access([opened], NOW + HOUR) is None
    assert open_access([opened], NOW - HOUR) is None


def test_a_quarter_without_a_word_is_due_for_review() -> None:
    paper = a_paper(Role.LISTENER, granted_at=NOW - REVIEW_EVERY)
    assert due_for_review(paper, NOW)
    assert not due_for_review(paper, NOW - timedelta(seconds=1))
    reviewed = a_paper(Role.LISTENER, granted_at=NOW - REVIEW_EVERY, reviewed_at=NOW - HOUR)
    assert not due_for_review(reviewed, NOW)
    assert not due_for_review(a_paper(Role.LISTENER, revoked_at=NOW), NOW + REVIEW_EVERY)


@pytest.mark.parametrize(
    ("content", "kind"),
    [
        (b"%PDF-1.7\n", ScanKind.PDF),
        (b"\x89PNG\r\n\x1a\n....", ScanKind.PNG),
        (b"\xff\xd8\xff\xe0", ScanKind.JPEG),
        (b"", None),
        (b"MZ\x90", None),
        (b"<svg/>", None),
        (b" %PDF-1.7", None),
    ],
)
def test_a_scan_is_what_its_content_says(content: bytes, kind: ScanKind | None) -> None:
    assert kind_of_scan(content) is kind


def test_sysadmin_and_copy_maker_in_one_person_is_told_to_the_dpo() -> None:
    assert standing_findings(frozenset({Role.SYSADMIN, Role.COPY_MAKER}))
    assert not standing_findings(frozenset({Role.SYSADMIN}))


def test_the_printed_form_says_who_what_how_long_and_by_whom() -> None:
    """R8.1c, annex 1."""
    shipped = Path(__file__).parents[2] / "regulation.toml"
    regulation = parse_regulation(shipped.read_text(encoding="utf-8"), source="")
    paper = a_paper(Role.LISTENER, lines=("746640800",))
    form = authorisation_form(
        paper, regulation, grantor="Anna Nowak", zone=ZoneInfo("Europe/Warsaw")
    )
    text = as_text(form)
    for each in ("UPOWAŻNIENIE", "nr 7/2026", "Zenobia Kwiatkowska", "inspektor", "746640800"):
        assert each in text
    for each in ("11.11.2026 13:00", "13.11.2026 13:00", "Anna Nowak", "§ 8 ust. 1", "odsłuch"):
        assert each in text
    assert "Załącznik nr 1" in text
    whole_days = a_paper(Role.LISTENER, valid_until=datetime(2026, 12, 31, 23, tzinfo=UTC))
    form = authorisation_form(
        whole_days, regulation, grantor="Anna Nowak", zone=ZoneInfo("Europe/Warsaw")
    )
    assert "31.12.2026 włącznie" in as_text(form)
    assert max(len(line) for line in text.splitlines()) < 140
    statement = as_text(confidentiality_statement(paper, regulation))
    assert "zachować w tajemnicy" in statement
    assert "7/2026" in statement
