"""Whose address is it really, and is it on the list?"""

from collections.abc import Iterable, Sequence
from ipaddress import (
    IPv4Address,
    IPv6Address,
    IPv6Network,
    ip_address,
    ip_network,
)

from recorder.access.model import Place
from recorder.workstations.model import Network, Workstation

Address = IPv4Address | IPv6Address

LONGEST_CHAIN = 20
"""More addresses than any honest chain of proxies: then nothing of it is believed."""

LONGEST_WORDS = 120

WIDEST = {4: 16, 6: 48}
"""A list entry wider than this is a slip of the pen, not a workstation."""


def effective_address(
    *, peer: str, forwarded_for: Sequence[str], trusted_proxies: Iterable[Network]
) -> Address | None:
    """Return the address of the client; None = it cannot be told, which is nobody's.

    ``peer`` is who opened the connection; ``forwarded_for`` all values of ``X-Forwarded-For``,
    in order. The header counts only when the peer is the named proxy (R6.2b), and then only from
    its right end: what a proxy of ours appended is true, what stood there before is the client's
    own claim.
    """
    address = _address(peer)
    trusted = tuple(trusted_proxies)
    if address is None or not _within(address, trusted):
        return address
    chain = [each.strip() for value in forwarded_for for each in value.split(",")]
    if not chain or len(chain) > LONGEST_CHAIN:
        return None
    for claimed in reversed(chain):
        address = _address(claimed)
        if address is None:
            return None
        if not _within(address, trusted):
            return address
    # Only our own proxies: nobody outside has asked.
    return None


def place_of(address: Address | None, workstations: Iterable[Workstation]) -> Place:
    """Tell whether the address is on the list. An empty list is nobody (R6.2a)."""
    networks = [each.network for each in workstations if each.removed_at is None]
    if address is None or not _within(address, networks):
        return Place.UNLISTED
    return Place.LISTED


def parse_network(text: str) -> Network | None:
    """Read a network or one address; None = it is none, or has bits set behind its prefix.

    >>> parse_network("10.1.2.3"), parse_network("10.1.2.3/24")
    (IPv4Network('10.1.2.3/32'), None)
    """
    try:
        network = ip_network(text.strip())
    except ValueError:
        return None
    if isinstance(network, IPv6Network) and (mapped := network.network_address.ipv4_mapped):
        return ip_network(f"{mapped}/{max(network.prefixlen - 96, 0)}")
    return network


def problem_of_network(network: Network) -> str:
    """Return why a network cannot be listed; empty when it can."""
    if network.prefixlen < WIDEST[network.version]:
        return f"a network wider than /{WIDEST[network.version]} is no list of workstations"
    return ""


def problem_of_words(name: str, place: str) -> str:
    """Return why an entry cannot be called so; empty when it can."""
    if max(len(name), len(place)) > LONGEST_WORDS:
        return f"name and place have at most {LONGEST_WORDS} characters"
    return ""


def _address(text: str) -> Address | None:
    bare = text.strip()
    # Some proxies write [2001:db8::1]:443 or 192.0.2.1:443.
    if bare.startswith("["):
        bare = bare[1:].partition("]")[0]
    elif bare.count(":") == 1:
        bare = bare.partition(":")[0]
    try:
        address = ip_address(bare)
    except ValueError:
        return None
    if isinstance(address, IPv6Address):
        if address.scope_id is not None:
            return None
        return address.ipv4_mapped or address
    return address


def _within(address: Address, networks: Iterable[Network]) -> bool:
    return any(address.version == each.version and address in each for each in networks)
