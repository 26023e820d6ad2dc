"""Presences of a teammate, from events in any order."""

from itertools import permutations

import msgspec

from streams.core.access.checks.presence import REMEMBERED, SECOND, periods, presence_of, with_presence_event, with_seen
from streams.core.access.state.rows import AccountRow
from streams.core.access.state.values import FactReference, PresenceEvent


def event(time: int, *, added: bool, id_: str = "") -> PresenceEvent:
    return PresenceEvent(time * SECOND, added, FactReference(id_ or f"{time}{added}", "kind", time, time, 0, 0, ""))


def account_of(*events: PresenceEvent) -> AccountRow:
    account = AccountRow("ws1", "7")
    for each in events:
        account = with_presence_event(account, each) or account
    return account


def test_stays_are_the_same_in_whatever_order_they_were_heard_of():
    events = [event(1, added=True), event(2, added=False), event(3, added=True), event(5, added=False)]
    accounts = [account_of(*order) for order in permutations(events)]
    assert all(account == accounts[0] for account in accounts)
    assert [
        (period.start.time // SECOND, period.end.time // SECOND if period.end else None)
        for period in periods(accounts[0].presence_events)
    ] == [
        (1, 2),
        (3, 5),
    ]


def test_added_twice_is_one_stay_and_removed_without_added_is_none():
    assert [
        period.start.time // SECOND for period in periods(account_of(event(1, added=True), event(2, added=True)).presence_events)
    ] == [1]
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
    assert presence_of(seen).period is not None
    assert presence_of(with_presence_event(seen, event(1, added=False)) or seen).period is None


def test_of_mere_sightings_the_earliest_counts():
    seen = with_seen(AccountRow("ws1", "7"), event(4, added=True))
    assert seen is not None
    assert with_seen(seen, event(5, added=True)) is None
    assert with_seen(seen, event(3, added=True)) is not None


def test_a_contradiction_within_one_second_is_unsettled_in_both_orders_and_only_while_it_is_the_last_word():
    added, removed = event(1, added=True, id_="a"), event(1, added=False, id_="b")
    for order in ((added, removed), (removed, added)):
        account = account_of(*order)
        assert presence_of(account).unsettled is not None
        assert presence_of(account).period is None
        assert presence_of(with_presence_event(account, event(2, added=False)) or account).unsettled is None


def test_events_are_compared_by_the_second():
    added, removed = event(1, added=True), event(1, added=False)
    account = account_of(added, msgspec.structs.replace(removed, time=1999))
    assert presence_of(account).unsettled is not None


def test_a_contradiction_keeps_the_presence_before_it():
    account = account_of(event(1, added=True), event(5, added=True, id_="a"), event(5, added=False, id_="b"))
    present = presence_of(account)
    assert present.period is not None
    assert (present.period.start.time, present.unsettled is not None) == (SECOND, True)
