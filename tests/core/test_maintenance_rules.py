"""What a contractor may see of a log line, and what must never be in a bundle (RG.16)."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from recorder.maintenance.model import Bundle, Part
from recorder.maintenance.rules import (
    Kind,
    hits_in,
    numbers_in,
    redacted,
    said_in,
    vocabulary,
    without_numbers,
    words_to_look_for,
)

NUMBER = "+48600123456"
SPELLINGS = (
    *("60.012.34.56", "600123456", "600 123 456", "600-123-456", "600.123.456", "60 012 34 56"),
    *("+48600123456", "+48 600 123 456", "0048600123456", "0048 600 123 456", "48600123456"),
    *("(+48) 600 123 456", "+48 (600) 123-456", "600\u00a0123\u00a0456", "tel:+48600123456"),
    *("<sip:600123456@10.1.2.3>", '"600123456"', "caller=600123456,", "/600123456/"),
)
NOBODYS = (
    "019a2f5e-7c1d-7e40-8a3b-2f1d5c6b7a80",
    "2026-11-25T10:00:00.123456+01:00",
    "at 2026-11-25 10:00 by pbx1:12345:ab12",
    "1801234567.1",
    "172.30.91.3:8090",
    "172.30.90.0/24",
    "release 22.10.1, Python 3.11.7",
    "service.py:129 run",
    "3 erased, 120 kept",
    "a" * 64,
    "6001234567890123456789",
)


@pytest.mark.parametrize("spelt", SPELLINGS)
def test_a_number_is_seen_in_every_usual_spelling(spelt: str) -> None:
    assert list(numbers_in(f"from {spelt} to the desk")) == [NUMBER]
    assert "600" not in without_numbers(f"from {spelt} to the desk")


@pytest.mark.parametrize("text", NOBODYS)
def test_ids_times_addresses_and_releases_are_nobodys_number(text: str) -> None:
    assert list(numbers_in(text)) == []
    assert without_numbers(text) == text


@given(st.sampled_from(SPELLINGS), st.text(max_size=20), st.text(max_size=20))
def test_whatever_stands_around_a_number_it_does_not_hide_it(
    spelt: str, before: str, after: str
) -> None:
    assert NUMBER in list(numbers_in(f"{before} , {spelt} , {after}"))


@given(st.dictionaries(st.text(max_size=8), st.text() | st.integers() | st.lists(st.text())))
def test_any_line_can_be_cut_down_and_then_holds_no_number(line: dict[str, object]) -> None:
    cut = redacted(line)
    assert set(cut) == set(line)
    assert all(list(numbers_in(str(value))) == [] for value in cut.values())


def test_a_field_that_nobody_declared_harmless_is_cut_out() -> None:
    line = {"event": "x", "caller": "Jan Nowak", "why": "the disk is full", "places": ["a.py:1 b"]}
    assert redacted(line) == line | {"caller": "(removed)"}


def bundle(**fields: object) -> Bundle:
    return Bundle(parts=(Part(file="log.json", content=[{"event": "sealing_waits", **fields}]),))


@pytest.mark.parametrize("spelt", SPELLINGS)
def test_a_number_blocks_a_bundle_and_is_not_repeated(spelt: str) -> None:
    found = bundle(why=f"from {spelt}")
    (hit,) = hits_in(found, callers=frozenset(), names=(), public=frozenset())
    assert (hit.place, hit.kind) == ("line 1, why", Kind.TELEPHONE_NUMBER)
    (hit,) = hits_in(found, callers=frozenset({NUMBER}), names=(), public=frozenset())
    assert hit.kind is Kind.CALLERS_NUMBER
    assert "600" not in str(hit)


def test_the_offices_own_number_blocks_nothing() -> None:
    found = hits_in(bundle(why="746640800"), callers=frozenset(), names=(),
                    public=frozenset({"+48746640800"}))  # fmt: skip
    assert list(found) == []


def test_digits_of_a_caller_that_are_no_public_number_are_found_by_the_ledger() -> None:
    found = bundle(why="from 99887766")
    assert list(hits_in(found, callers=frozenset(), names=(), public=frozenset())) == []
    (hit,) = hits_in(found, callers=frozenset({"99887766"}), names=(), public=frozenset())
    assert hit.kind is Kind.CALLERS_NUMBER


@pytest.mark.parametrize(
    ("name", "text", "found"),
    [
        ("Jan Kowalski", "KOWALSKI called", True),
        ("Jan Kowalski", "mr kowalski-nowak", True),
        ("Jan Lis", "said jan lis", True),
        ("Jan Lis", "lis is a fox", False),
        ("Jan Kowalski", "kowalskiego", False),
        ("Zażółć Gęśla", "zażółć", True),
        ("sealing", "sealing waits", False),
        ("Jo", "jo", False),
        ("", "", False),
    ],
)
def test_a_name_is_found_by_its_words_but_the_programs_own_words_prove_nothing(
    name: str, text: str, *, found: bool
) -> None:
    whole = bundle(why=text)
    wanted = frozenset(words_to_look_for(name, said=said_in(whole), known=vocabulary(whole)))
    hits = list(hits_in(whole, callers=frozenset(), names=wanted, public=frozenset()))
    assert bool(hits) is found
    assert all(hit.kind is Kind.NAME for hit in hits)
