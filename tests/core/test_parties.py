"""Who is on the line with the caller, through Local channels, whatever order the news has (F14)."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from recorder.capture import parties
from recorder.capture.parties import Bridges, endpoint_of, first_of_the_office

CALLER = ("caller", "PJSIP/operator-00000001")
DESK = ("desk", "PJSIP/desk-2-00000002")
OTHER = ("other", "PJSIP/desk-3-00000003")
HALF_1 = ("half1", "Local/201@office-00000007;1")
HALF_2 = ("half2", "Local/201@office-00000007;2")


def bridges(**members: tuple[tuple[str, str], ...]) -> Bridges:
    made = Bridges()
    for bridge_id, channels in members.items():
        for channel in channels:
            made.entered(bridge_id, *channel)
    return made


@pytest.mark.parametrize(
    ("name", "endpoint"),
    [
        ("PJSIP/operator-0000001a", "operator"),
        ("PJSIP/desk-2-0000001b", "desk-2"),
        ("PJSIP/alone", "alone"),
        ("strange", "strange"),
        ("", ""),
    ],
)
def test_an_endpoint_is_read_from_a_channels_name(name: str, endpoint: str) -> None:
    assert endpoint_of(name) == endpoint


def test_two_in_one_bridge_are_on_the_line_with_each_other() -> None:
    made = bridges(b1=(CALLER, DESK))
    assert made.on_the_line("caller") == ("desk-2",)
    assert made.on_the_line("desk") == ("operator",)


def test_a_queue_reaches_the_desk_through_both_halves_of_a_local_channel() -> None:
    """R5.1a: who answered is found behind queues and ring groups."""
    made = bridges(b1=(CALLER, HALF_1), b2=(HALF_2, DESK))
    assert made.on_the_line("caller") == ("desk-2",)
    assert made.on_the_line("desk") == ("operator",)
    assert made.touched_by("b2") == {"caller", "half1", "half2", "desk"}


def test_a_half_whose_other_half_is_in_no_bridge_leads_to_nobody() -> None:
    made = bridges(b1=(CALLER, HALF_1))
    assert made.is_bridged("caller")
    assert made.on_the_line("caller") == ()


def test_halves_of_different_local_channels_are_not_one_line() -> None:
    stranger = ("half9", "Local/201@office-00000008;2")
    made = bridges(b1=(CALLER, HALF_1), b2=(stranger, DESK))
    assert made.on_the_line("caller") == ()


def test_a_chain_of_local_channels_that_bites_its_tail_still_has_an_end() -> None:
    made = bridges(b1=(CALLER, HALF_1, HALF_2))
    assert made.on_the_line("caller") == ()


def test_the_desk_that_leaves_is_no_longer_on_the_line() -> None:
    made = bridges(b1=(CALLER, HALF_1), b2=(HALF_2, DESK))
    made.left("b2", "desk")
    assert made.on_the_line("caller") == ()
    assert not made.is_bridged("desk")


def test_who_moves_to_another_bridge_has_left_the_one_before_without_a_word() -> None:
    """F14: a missing ``ChannelLeftBridge``."""
    made = bridges(b1=(CALLER, DESK))
    made.entered("b2", *DESK)
    assert made.on_the_line("caller") == ()


def test_a_late_word_of_leaving_the_bridge_before_changes_nothing() -> None:
    """F14: ``ChannelLeftBridge`` of the old bridge after ``ChannelEnteredBridge`` of the new."""
    made = bridges(b1=(CALLER, DESK))
    made.entered("b2", *CALLER)
    made.entered("b2", *OTHER)
    made.left("b1", "caller")
    assert made.on_the_line("caller") == ("desk-3",)
    assert made.on_the_line("desk") == ()


def test_the_same_news_twice_changes_nothing() -> None:
    """F14."""
    made = bridges(b1=(CALLER, DESK, CALLER, DESK))
    assert made.on_the_line("caller") == ("desk-2",)
    made.left("b1", "desk")
    made.left("b1", "desk")
    assert made.is_bridged("caller")
    assert made.on_the_line("caller") == ()
    made.destroyed("b1")
    made.destroyed("b1")
    assert not made.is_bridged("caller")


def test_a_channel_that_is_gone_is_gone_from_the_line() -> None:
    made = bridges(b1=(CALLER, HALF_1), b2=(HALF_2, DESK))
    made.gone("half2")
    made.gone("nobody")
    assert made.on_the_line("caller") == ()
    assert made.is_bridged("desk")


def test_the_pbxs_own_list_replaces_what_was_believed() -> None:
    made = bridges(b1=(CALLER, DESK))
    made.replace_all({"b7": dict([CALLER, HALF_1]), "b8": dict([HALF_2, OTHER]), "b9": {}})
    assert made.on_the_line("caller") == ("desk-3",)
    assert not made.is_bridged("desk")
    assert made.touched_by("b1") == made.touched_by("b9") == frozenset()


def test_bridges_whose_end_is_never_reported_do_not_fill_the_memory(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """F19: the oldest is forgotten, the newest is right, and nothing of the oldest stays."""
    monkeypatch.setattr(parties, "MOST_BRIDGES", 10)
    made = Bridges()
    for number in range(100):
        made.entered(f"b{number}", f"c{number}", f"PJSIP/operator-{number:08x}")
        made.entered(f"b{number}", f"l{number}", f"Local/1@office-{number:08x};1")
    assert made.is_bridged("c99")
    assert made.is_bridged("c90")
    assert not made.is_bridged("c89")
    assert len(made._members) == 10
    assert len(made._bridge_of) == 20
    assert len(made._local_halves) == 10


def test_the_first_of_nobody_has_no_name() -> None:
    assert first_of_the_office(()) == ""
    assert first_of_the_office(("desk-2", "desk-3")) == "desk-2"


CHANNELS = st.sampled_from([CALLER, DESK, OTHER, HALF_1, HALF_2])
BRIDGE_IDS = st.sampled_from(["b1", "b2", "b3", ""])
NEWS = st.lists(
    st.tuples(st.sampled_from(["entered", "left", "destroyed", "gone"]), BRIDGE_IDS, CHANNELS),
    max_size=30,
)


@given(NEWS)
def test_no_order_of_news_leaves_somebody_on_a_line_that_the_other_is_not_on(
    news: list[tuple[str, str, tuple[str, str]]],
) -> None:
    """F14: being connected is mutual, and who left is nowhere."""
    made = Bridges()
    where: dict[str, str] = {}
    for what, bridge_id, (channel_id, name) in news:
        if what == "entered":
            made.entered(bridge_id, channel_id, name)
            where[channel_id] = bridge_id
        elif what == "left":
            made.left(bridge_id, channel_id)
            if where.get(channel_id) == bridge_id:
                del where[channel_id]
        elif what == "destroyed":
            made.destroyed(bridge_id)
            where = {each: at for each, at in where.items() if at != bridge_id}
        else:
            made.gone(channel_id)
            where.pop(channel_id, None)
    people = dict([CALLER, DESK, OTHER])
    for channel_id, own_name in people.items():
        assert made.is_bridged(channel_id) == (channel_id in where)
        for other_id, other_name in people.items():
            if other_id == channel_id:
                continue
            heard = endpoint_of(other_name) in made.on_the_line(channel_id)
            mutual = endpoint_of(own_name) in made.on_the_line(other_id)
            same_bridge = channel_id in where and where[channel_id] == where.get(other_id)
            assert heard == mutual
            assert heard or not same_bridge
    assert set(made._bridge_of) == set(where)
