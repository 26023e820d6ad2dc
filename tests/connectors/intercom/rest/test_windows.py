"""Searches by time find everything in their window, however Intercom compares times."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from connectors.intercom.rest import listings
from connectors.intercom.rest.answers import RestAnswer
from connectors.intercom.rest.paging import Search
from connectors.intercom.rest.requests import RestRequest

DAY = 86_400
BASE = 1_790_000_000


def searched(request: RestRequest, times: list[int], day_cut_at: int | None) -> RestAnswer:
    """Answer as Intercom does: two to a page; with `day_cut_at`, times are days of a zone that many hours from UTC."""
    body = request.body or {}

    def day(at: int) -> int:
        moved = datetime.fromtimestamp(at, UTC) + timedelta(hours=day_cut_at or 0)
        return moved.date().toordinal()

    def fits(at: int) -> bool:
        for test in body["query"]["value"]:
            left, right = (at, test["value"]) if day_cut_at is None else (day(at), day(test["value"]))
            if not (left > right if test["operator"] == ">" else left < right):
                return False
        return True

    found = sorted(at for at in times if fits(at))
    start = int(body["pagination"].get("starting_after", 0))
    pages: dict[str, Any] = {"next": {"starting_after": str(start + 2)}} if start + 2 < len(found) else {}
    answer = {"data": [{"updated_at": at} for at in found[start : start + 2]], "total_count": len(found), "pages": pages}
    return RestAnswer(status=200, headers={}, body=json.dumps(answer).encode(), seconds=0, at=0)


def read(listing: Search, times: list[int], day_cut_at: int | None) -> list[int]:
    remaining: tuple[RestRequest, ...] = (listing.first,)
    items: list[int] = []
    for _ in range(2_000):
        if not remaining:
            return items
        request, *others = remaining
        page = listing.page(request, searched(request, times, day_cut_at))
        items += [json.loads(item)["updated_at"] for item in page.items]
        remaining = (*page.then, *others)
    raise AssertionError("the search does not end")


times = st.lists(st.integers(BASE - 6 * DAY, BASE + 6 * DAY), max_size=30)
edge = st.integers(BASE - 4 * DAY, BASE + 4 * DAY)


@given(times, edge, st.integers(0, 5 * DAY), st.sampled_from([-11, -5, 0, 1, 9, 14]), st.integers(1, 20))
def test_a_search_that_cuts_times_to_days_finds_the_window_once(
    at: list[int], start: int, length: int, zone: int, cap: int
) -> None:
    listing = listings.contacts_updated(start, start + length, "2.16")
    listing = Search(listing.first, listing.keys, listing.keeps, listing.split, cap)
    assert sorted(read(listing, at, zone)) == sorted(x for x in at if start <= x < start + length)


@given(times, edge, st.integers(0, 5 * DAY), st.integers(1, 20))
def test_an_exact_search_finds_the_window_once(at: list[int], start: int, length: int, cap: int) -> None:
    listing = listings.contacts_updated(start, start + length, "2.17")
    listing = Search(listing.first, listing.keys, listing.keeps, listing.split, cap)
    assert sorted(read(listing, at, None)) == sorted(x for x in at if start <= x < start + length)


@given(times, st.sampled_from([None, -12, -11, -5, 0, 1, 9, 11, 12, 14]), st.integers(1, 20))
def test_parts_of_all_time_have_everything_and_days_have_it_once(at: list[int], zone: int | None, cap: int) -> None:
    parts = listings.all_contacts(BASE + 3 * DAY, "2.17" if zone is None else "2.16").parts
    found = read(Search(parts.first, parts.keys, split=parts.split, cap=cap), at, zone)
    assert set(found) == set(at)
    if zone is None or -11 <= zone <= 11:
        assert len(found) == len(at)


@given(times, st.sampled_from([None, -12, 0, 5, 14]), st.integers(1, 20))
def test_parts_of_conversations_miss_nothing_however_their_times_are_compared(at: list[int], zone: int | None, cap: int) -> None:
    parts = listings.all_conversations(BASE + 3 * DAY).parts
    assert set(read(Search(parts.first, ("data",), split=parts.split, cap=cap), at, zone)) == set(at)


@given(times, edge, st.sampled_from([-11, 0, 9, 14]))
def test_what_changes_while_the_parts_are_read_is_in_the_last_search(at: list[int], since: int, zone: int) -> None:
    for version, cut in (("2.16", zone), ("2.17", None)):
        (last,) = listings.all_contacts(since + 900, version).last
        found = read(Search(last, ("data",)), at, cut)
        assert set(found) >= {each for each in at if each >= since}


def test_a_window_with_more_than_the_cap_is_read_as_several() -> None:
    at = [BASE + n for n in range(40)]
    listing = listings.conversations_updated(BASE, BASE + 40)
    listing = Search(listing.first, ("data",), listing.keeps, listing.split, 10)
    assert read(listing, at, None) == at


def test_an_item_without_a_readable_time_is_kept() -> None:
    listing = listings.contacts_updated(BASE, BASE + 1, "2.16")
    body = b'{"data":[{"updated_at":"soon"},{"id":"7"},{"updated_at":1}],"total_count":3}'
    page = listing.page(listing.first, RestAnswer(status=200, headers={}, body=body, seconds=0, at=0))
    assert page.items == (b'{"updated_at":"soon"}', b'{"id":"7"}')
