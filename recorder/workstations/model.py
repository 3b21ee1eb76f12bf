"""The nouns of the allow-list (§ 6.2)."""

from dataclasses import dataclass
from datetime import datetime
from ipaddress import IPv4Network, IPv6Network
from uuid import UUID

Network = IPv4Network | IPv6Network


@dataclass(frozen=True, slots=True, kw_only=True)
class Workstation:
    """A network, often one address, from which the application may be used."""

    id: UUID
    network: Network
    name: str
    place: str
    added_at: datetime
    added_by: str
    removed_at: datetime | None = None
