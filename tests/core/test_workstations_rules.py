"""The allow-list against everything a header can claim."""

from dataclasses import replace
from ipaddress import ip_address, ip_network
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from recorder.access.model import Place
from recorder.workstations.model import Workstation
from recorder.workstations.rules import (
    effective_address,
    parse_network,
    place_of,
    problem_of_network,
)
from tests.access_builders import NOW

PROXY = ip_network("10.9.9.9/32")


def listed(*networks: str) -> list[Workstation]:
    found = [parse_network(each) for each in networks]
    return [
        Workstation(
            id=UUID(int=1), network=each, name="biuro", place="p. 12", added_at=NOW, added_by="a"
        )
        for each in found
        if each is not None
    ]


def seen_as(peer: str, *forwarded: str, proxies: bool = True) -> str | None:
    address = effective_address(
        peer=peer, forwarded_for=forwarded, trusted_proxies=[PROXY] if proxies else []
    )
    return str(address) if address else None


@pytest.mark.parametrize(
    ("peer", "forwarded", "expected"),
    [
        ("192.0.2.7", [], "192.0.2.7"),
        # Not the named proxy: the header is a claim and nothing else.
        ("192.0.2.7", ["10.0.0.5"], "192.0.2.7"),
        ("192.0.2.7", ["10.9.9.9"], "192.0.2.7"),
        # The proxy: its own entry counts, what stood before it does not.
        ("10.9.9.9", ["192.0.2.7"], "192.0.2.7"),
        ("10.9.9.9", ["10.0.0.5, 192.0.2.7"], "192.0.2.7"),
        ("10.9.9.9", ["10.0.0.5", "192.0.2.7"], "192.0.2.7"),
        ("10.9.9.9", ["10.0.0.5, 192.0.2.7, 10.9.9.9"], "192.0.2.7"),
        ("10.9.9.9", ["192.0.2.7:55123"], "192.0.2.7"),
        ("10.9.9.9", ["[2001:db8::7]:55123"], "2001:db8::7"),
        # One address in two spellings.
        ("::ffff:192.0.2.7", [], "192.0.2.7"),
        ("::ffff:10.9.9.9", ["::ffff:192.0.2.7"], "192.0.2.7"),
        # What cannot be told is nobody.
        ("10.9.9.9", [], None),
        ("10.9.9.9", ["10.9.9.9"], None),
        ("10.9.9.9", ["unknown"], None),
        ("10.9.9.9", ["192.0.2.7, "], None),
        ("10.9.9.9", [","], None),
        ("10.9.9.9", ["10.0.0.5, 0300.0.2.7"], None),
        ("10.9.9.9", ["1.2.3.4, " * 50 + "192.0.2.7"], None),
        ("10.9.9.9", ["fe80::1%eth0"], None),
        ("", ["192.0.2.7"], None),
        ("unix:", [], None),
    ],
)
def test_the_address_is_the_one_that_our_own_proxy_saw(
    peer: str, forwarded: list[str], expected: str | None
) -> None:
    """R6.2b."""
    assert seen_as(peer, *forwarded) == expected


def test_without_a_named_proxy_no_header_counts() -> None:
    assert seen_as("10.9.9.9", "192.0.2.7", proxies=False) == "10.9.9.9"


@given(st.lists(st.text()), st.ip_addresses())
def test_no_header_moves_a_client_that_is_not_the_proxy(headers: list[str], peer: object) -> None:
    if str(peer) in {"10.9.9.9", "::ffff:10.9.9.9"}:
        return
    expected = getattr(peer, "ipv4_mapped", None) or peer
    assert seen_as(str(peer), *headers) == str(expected)


@given(st.lists(st.text()), st.ip_addresses(v=4))
def test_whatever_a_client_claims_the_proxys_own_word_stands(
    claims: list[str], real: object
) -> None:
    if str(real) == "10.9.9.9":
        return
    claimed = ",".join(claims)
    if claimed.count(",") > 15:
        return
    assert seen_as("10.9.9.9", claimed, str(real)) == str(real)


def test_an_empty_list_is_nobody() -> None:
    """R6.2a."""
    assert place_of(ip_address("127.0.0.1"), []) is Place.UNLISTED
    assert place_of(None, listed("0.0.0.0/0")) is Place.UNLISTED


def test_only_the_listed_are_let_in() -> None:
    stations = listed("10.1.2.0/24", "10.7.7.7", "2001:db8:1::/64", "::ffff:10.8.8.8")
    for address in ("10.1.2.3", "10.7.7.7", "2001:db8:1::5", "10.8.8.8"):
        assert place_of(ip_address(address), stations) is Place.LISTED
    for address in ("10.1.3.1", "10.7.7.8", "2001:db8:2::5", "0.0.0.0"):  # noqa: S104 - an address, not a socket
        assert place_of(ip_address(address), stations) is Place.UNLISTED
    removed = [replace(each, removed_at=NOW) for each in stations]
    assert place_of(ip_address("10.7.7.7"), removed) is Place.UNLISTED


@pytest.mark.parametrize("text", ["0.0.0.0/0", "10.0.0.0/8", "::/0", "2001::/16"])
def test_the_whole_world_is_no_list(text: str) -> None:
    network = parse_network(text)
    assert network is not None
    assert problem_of_network(network)


@pytest.mark.parametrize("text", ["", "10.1.2.3/24", "10.1.2", "host", "10.1.2.3/33", "1.2.3.4 x"])
def test_garbage_is_no_network(text: str) -> None:
    assert parse_network(text) is None
