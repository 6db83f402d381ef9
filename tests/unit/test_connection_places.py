"""Who gets a place, and whose place it gets."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from relaydesk.config.settings import Settings
from relaydesk.message import Origin
from relaydesk.smtpd.connection_places import ConnectionPlaces, Familiarity, TakenPlace
from relaydesk.smtpd.limits import Limits
from relaydesk.smtpd.reception import Claimant, Room

STRANGER, KNOWN, PROVEN = Familiarity
TEN = Limits(connections=10, connections_per_peer=4, connections_per_known_peer=7)  # 6 for strangers


def taken(place: TakenPlace | str) -> TakenPlace:
    assert isinstance(place, TakenPlace), place
    return place


class Sent:
    """Remembers who had to give way."""

    def __init__(self) -> None:
        self.names: list[str] = []

    def watch(self, name: str, place: TakenPlace | str) -> TakenPlace:
        taken(place).give_way = lambda: self.names.append(name)
        return taken(place)


def test_strangers_never_fill_what_is_kept_for_those_we_know() -> None:
    places = ConnectionPlaces(TEN)
    for number in range(6):
        taken(places.take(f"s{number}", STRANGER, 0))
    assert places.take("s6", STRANGER, 0) == "kept_for_known"
    for number in range(4):
        taken(places.take(f"l{number}", PROVEN, 0))


def test_who_is_known_gets_the_place_of_the_most_idle_stranger_and_never_that_of_a_message() -> None:
    places, sent = ConnectionPlaces(TEN), Sent()
    strangers = [sent.watch(f"s{n}", places.take(f"s{n}", STRANGER, n)) for n in range(6)]
    for number in range(4):
        sent.watch("listed", places.take(f"l{number}", PROVEN, 0))
    strangers[0].idle = False  # it is in the middle of DATA
    strangers[1].since = 99.0  # it has brought a message a moment ago
    assert [type(places.take(f"m{n}", PROVEN, 100)) for n in range(5)] == [TakenPlace] * 5
    assert sent.names == ["s2", "s3", "s4", "s5", "s1"]
    assert places.taken == TEN.connections
    assert places.take("m5", PROVEN, 100) == "too_many_connections"


def test_a_newcomer_gets_a_place_of_the_stranger_that_holds_most() -> None:
    places, sent = ConnectionPlaces(TEN), Sent()
    for number in range(4):
        sent.watch(f"a{number}", places.take("a", STRANGER, 10 - number))
    for number in range(2):
        sent.watch(f"b{number}", places.take("b", STRANGER, 0))
    assert places.take("a", STRANGER, 20) == "too_many_of_peer"
    taken(places.take("c", STRANGER, 20))
    assert sent.names == ["a3"]
    taken(places.take("c", STRANGER, 21))
    assert places.take("c", STRANGER, 22) == "kept_for_known"  # two each is fair
    assert sent.names == ["a3", "a2"][: len(sent.names)]


def test_the_wide_cap_is_for_those_we_know() -> None:
    places = ConnectionPlaces(TEN)
    results = [places.take("relay", PROVEN, 0) for _ in range(8)]
    assert results[7:] == ["too_many_of_peer"]
    assert [places.take("stranger", STRANGER, 0) for _ in range(5)][3:] == ["too_many_connections"] * 2


def test_a_crowd_at_the_address_of_a_help_desk_does_not_shut_it_out() -> None:
    places, sent = ConnectionPlaces(TEN), Sent()
    desk = sent.watch("desk", places.take("shared", KNOWN, 0))
    assert places.change(desk, "shared", PROVEN, 0) == ""
    for number in range(6):
        sent.watch(f"crowd{number}", places.take("shared", KNOWN, 1 + number))
    taken(places.take("shared", KNOWN, 20))
    assert sent.names == ["crowd0"]


def test_a_socket_that_only_lingers_is_the_first_to_go_and_is_no_longer_its_peers() -> None:
    places, sent = ConnectionPlaces(TEN), Sent()
    leaving = sent.watch("leaving", places.take("l0", PROVEN, 0))
    places.leave(leaving)
    for _ in range(7):
        sent.watch("relay", places.take("l0", PROVEN, 0))
    for _ in range(2):
        sent.watch("other", places.take("l1", PROVEN, 0))
    assert places.taken == TEN.connections
    taken(places.take("l2", PROVEN, 0))
    assert sent.names == ["leaving"]


def test_strangers_hurry_from_three_quarters_to_one_half() -> None:
    places = ConnectionPlaces(TEN)
    hurried: list[int] = []
    strangers = []
    for number in range(5):
        strangers.append(taken(places.take(f"s{number}", STRANGER, 0)))
        strangers[-1].hurry = lambda number=number: hurried.append(number)  # type: ignore[misc]
    listed = taken(places.take("l", PROVEN, 0))
    assert sorted(hurried) == [0, 1, 2, 3]  # the fifth was the one too many
    assert [places.hurries(strangers[0]), places.hurries(listed)] == [True, False]
    places.give_back(strangers[0])
    places.give_back(strangers[1])
    assert places.hurries(strangers[2])
    places.give_back(strangers[2])
    assert not places.hurries(strangers[3])


def test_the_share_of_a_known_host_is_wider_than_that_of_a_process() -> None:
    share = Limits().divided(4)
    assert (share.connections, share.connections_per_peer, share.connections_per_known_peer) == (125, 12, 100)
    assert Limits().divided(1) == Limits()
    assert Limits().within(40).connections == 40
    assert Limits().within(0).connections == 1
    assert Limits(connections=1).strangers == 1


@pytest.mark.parametrize("processes", [1, 2, 4, 16, 64])
@pytest.mark.parametrize(
    "limits", [Limits(), Limits(connections=10), Limits(connections=1, concurrent_data=1)]
)
def test_no_share_is_so_small_that_one_peer_takes_it_all(limits: Limits, processes: int) -> None:
    share = limits.divided(processes)
    assert share.of_known_peer <= share.connections - 2
    assert share.strangers <= share.connections - 2
    room = Room(share)
    for origin in (Origin(None, "origin", True, "peer"), Origin(None, "relay", False, "peer")):
        claimant = Claimant("one", origin)
        for places in (room.receiving, room.in_work):
            assert max(claimant.shares(places).values()) < places.size


def test_one_known_host_leaves_places_for_the_others_when_there_are_few() -> None:
    few = Limits().within(8)  # as where there are few file descriptors
    places = ConnectionPlaces(few)
    of_one = [places.take("a", PROVEN, 0) for _ in range(9)]
    for place in of_one[:6]:
        taken(place).idle = False  # all in the middle of a message
    assert of_one[6:] == ["too_many_of_peer"] * 3
    assert [type(places.take(peer, PROVEN, 0)) for peer in "bc"] == [TakenPlace] * 2


STEPS = st.lists(
    st.tuples(st.sampled_from("abcdefgh"), st.sampled_from(Familiarity), st.integers(0, 4), st.booleans()),
    max_size=120,
)


@given(STEPS)
def test_places_never_exceed_the_caps_whatever_happens(
    steps: list[tuple[str, Familiarity, int, bool]],
) -> None:
    places, open_places, cut = ConnectionPlaces(TEN), [], set()
    for peer, familiarity, act, idle in steps:
        if act < 3:
            place = places.take(peer, familiarity, len(open_places))
            if isinstance(place, TakenPlace):
                place.idle = idle
                place.give_way = lambda place=place: cut.add(id(place))
                open_places.append(place)
        elif open_places and act == 3:
            places.leave(open_places[-1])
        elif open_places:
            places.give_back(open_places.pop())
        there = [place for place in open_places if id(place) not in cut]
        assert places.taken == len(there) <= TEN.connections
        assert sum(place.familiarity is STRANGER for place in there) <= TEN.strangers
    for place in open_places:
        places.give_back(place)
    assert (places.taken, places.scarce) == (0, False)


def test_no_setting_leaves_all_places_to_strangers() -> None:
    with pytest.raises(ValueError, match="strangers_percent must be at most 95"):
        Limits(strangers_percent=96)
    with pytest.raises(ValueError, match="strangers_percent must be at most 95"):
        Settings(mailboxes=("help@shop.example",), limits={"strangers_percent": 100})  # type: ignore[arg-type]


def test_a_storm_of_strangers_is_turned_away_and_no_one_of_them_keeps_out_the_others() -> None:
    places = ConnectionPlaces(Limits(strangers_per_second=8))
    storm = [places.take("storm", STRANGER, 5.0) for _ in range(9)]
    for place in storm[:4]:
        places.give_back(taken(place))
    assert storm[4:] == ["too_often"] * 5
    more = [places.take(f"s{number}", STRANGER, 5.5) for number in range(5)]
    assert more[4:] == ["too_often"]
    taken(places.take("listed", PROVEN, 5.5))
    taken(places.take("storm", STRANGER, 6.1))
    proxied = taken(places.take("proxy", KNOWN, 6.2))
    assert [places.change(proxied, "storm", STRANGER, 6.2) for _ in range(4)][3:] == ["too_often"]
