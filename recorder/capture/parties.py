"""Who is connected with whom: bridges, and the two halves of Local channels between them.

A queue or a ring group reaches a telephone through a Local channel, a pair of halves ``;1`` and
``;2`` in two bridges. Whoever is on the line with the caller is found by crossing such pairs.
Names of channels live here in memory only, while they are connected.
"""

from collections.abc import Iterable, Mapping

LOCAL = "Local/"
MOST_BRIDGES = 10_000
"""Bridges remembered at once; a PBX that never reports their end must not fill the memory."""


def endpoint_of(channel_name: str) -> str:
    """Return the endpoint in a channel's name; an unknown form is returned whole.

    >>> endpoint_of("PJSIP/operator-0000001a"), endpoint_of("PJSIP/desk-2-0000001b")
    ('operator', 'desk-2')
    """
    technology, slash, rest = channel_name.partition("/")
    return rest.rpartition("-")[0] or rest if slash else technology


class Bridges:
    """The connections of the PBX, told in events that may be late, doubled or missing."""

    def __init__(self) -> None:
        self._members: dict[str, dict[str, str]] = {}
        self._bridge_of: dict[str, str] = {}
        self._local_halves: dict[str, str] = {}

    def entered(self, bridge_id: str, channel_id: str, channel_name: str) -> None:
        """Note that a channel came into a bridge; it leaves whichever it was in."""
        self.left(self._bridge_of.get(channel_id, ""), channel_id)
        if bridge_id not in self._members and len(self._members) >= MOST_BRIDGES:
            self.destroyed(next(iter(self._members)))
        self._members.setdefault(bridge_id, {})[channel_id] = channel_name
        self._bridge_of[channel_id] = bridge_id
        if channel_name.startswith(LOCAL):
            self._local_halves[channel_name] = bridge_id

    def left(self, bridge_id: str, channel_id: str) -> None:
        """Note that a channel left a bridge."""
        members = self._members.get(bridge_id, {})
        name = members.pop(channel_id, None)
        if name is not None:
            self._bridge_of.pop(channel_id, None)
            self._local_halves.pop(name, None)
        if not members:
            self._members.pop(bridge_id, None)

    def destroyed(self, bridge_id: str) -> None:
        """Note that a bridge is gone with all who were in it."""
        for channel_id in tuple(self._members.get(bridge_id, {})):
            self.left(bridge_id, channel_id)

    def gone(self, channel_id: str) -> None:
        """Note that a channel is gone from wherever it was."""
        self.left(self._bridge_of.get(channel_id, ""), channel_id)

    def replace_all(self, bridges: Mapping[str, Mapping[str, str]]) -> None:
        """Take the PBX's own list of bridges (id → channel id → name) for the truth."""
        self._members, self._bridge_of, self._local_halves = {}, {}, {}
        for bridge_id, members in bridges.items():
            for channel_id, name in members.items():
                self.entered(bridge_id, channel_id, name)

    def is_bridged(self, channel_id: str) -> bool:
        """Tell whether the channel is in a bridge."""
        return channel_id in self._bridge_of

    def on_the_line(self, channel_id: str) -> tuple[str, ...]:
        """Return the endpoints connected with this channel, itself left out, sorted."""
        return tuple(
            sorted(
                {
                    endpoint_of(name)
                    for each, name in self._reachable(channel_id).items()
                    if each != channel_id and not name.startswith(LOCAL)
                }
            )
        )

    def channels_on_the_line(self, channel_id: str, channel_name: str = "") -> frozenset[str]:
        """Return the channels connected with this one, itself among them; Local ones left out.

        With its name also a Local half that has just left its bridge leads through its other half.
        """
        reachable = self._reachable(channel_id, channel_name).items()
        return frozenset(
            {channel_id} | {each for each, name in reachable if not name.startswith(LOCAL)}
        )

    def touched_by(self, bridge_id: str) -> frozenset[str]:
        """Return the channels whose line may have changed because of this bridge."""
        first = next(iter(self._members.get(bridge_id, {})), None)
        return frozenset(self._reachable(first)) if first else frozenset()

    def _reachable(self, channel_id: str, channel_name: str = "") -> dict[str, str]:
        found: dict[str, str] = {}
        waiting = {
            self._bridge_of.get(channel_id),
            self._local_halves.get(_other_half(channel_name)),
        }
        seen: set[str] = set()
        while waiting:
            bridge_id = waiting.pop()
            if bridge_id is None or bridge_id in seen:
                continue
            seen.add(bridge_id)
            members = self._members[bridge_id]
            found |= members
            waiting |= {self._local_halves.get(_other_half(name)) for name in members.values()}
        return found


def _other_half(name: str) -> str:
    halves = {";1": ";2", ";2": ";1"}
    return name[:-2] + halves.get(name[-2:], "") if name.startswith(LOCAL) else ""


def first_of_the_office(parties: Iterable[str]) -> str:
    """Return the endpoint to name as the one who answered; empty if nobody is there."""
    return next(iter(parties), "")
