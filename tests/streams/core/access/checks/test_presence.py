"""Presences of a teammate, from events in any order."""

from itertools import permutations

from streams.core.access.checks.presence import REMEMBERED, current_presence, periods, unsettled, with_presence_event, with_seen
from streams.core.access.state.rows import AccountRow, FactReference, PresenceEvent


def event(time: int, *, added: bool, id_: str = "") -> PresenceEvent:
    return PresenceEvent(time, added, FactReference(id_ or f"{time}{added}", "kind", time, 0, 0, ""))


def account_of(*events: PresenceEvent) -> AccountRow:
    account = AccountRow("ws1", "7")
    for each in events:
        account = with_presence_event(account, each) or account
    return account


def test_stays_are_the_same_in_whatever_order_they_were_heard_of():
    events = [event(1, added=True), event(2, added=False), event(3, added=True), event(5, added=False)]
    accounts = [account_of(*order) for order in permutations(events)]
    assert all(account == accounts[0] for account in accounts)
    assert [(period.start.time, period.end.time if period.end else None) for period in periods(accounts[0].presence_events)] == [
        (1, 2),
        (3, 5),
    ]


def test_added_twice_is_one_stay_and_removed_without_added_is_none():
    assert [period.start.time for period in periods(account_of(event(1, added=True), event(2, added=True)).presence_events)] == [
        1
    ]
    assert periods(account_of(event(1, added=False)).presence_events) == []


def test_a_sighting_heard_again_is_not_new():
    account = account_of(event(1, added=True))
    assert with_presence_event(account, event(1, added=True)) is None


def test_only_the_latest_sightings_are_kept_and_older_ones_say_nothing_new():
    account = account_of(*(event(time, added=time % 2 == 0) for time in range(10, 10 + 2 * REMEMBERED)))
    assert len(account.presence_events) == REMEMBERED
    assert with_presence_event(account, event(1, added=True)) is None


def test_being_seen_makes_present_only_who_was_never_said_to_be_added_or_removed():
    seen = with_seen(AccountRow("ws1", "7"), event(4, added=True))
    assert seen is not None
    assert current_presence(seen) is not None
    assert current_presence(with_presence_event(seen, event(1, added=False)) or seen) is None


def test_of_mere_sightings_the_earliest_counts():
    seen = with_seen(AccountRow("ws1", "7"), event(4, added=True))
    assert seen is not None
    assert with_seen(seen, event(5, added=True)) is None
    assert with_seen(seen, event(3, added=True)) is not None


def test_a_contradiction_within_one_second_is_unsettled_only_while_it_is_the_last_word():
    account = account_of(event(1, added=True, id_="a"), event(1, added=False, id_="b"))
    assert unsettled(account)
    assert not unsettled(with_presence_event(account, event(2, added=False)) or account)
