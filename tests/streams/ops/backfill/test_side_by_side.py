"""Pages read side by side and stored together: whenever the process is killed, what was stored and what remains are everything."""

import asyncio
import random
from collections.abc import Sequence
from typing import Any

import pytest

from connectors.intercom.rest.paging import Page
from connectors.intercom.rest.refusals import AccessRefused
from connectors.intercom.rest.requests import RestRequest, get
from streams.ops.backfill.objects import PageRecords
from streams.ops.backfill.side_by_side import ReadPage, SideBySide
from tests.streams.ops.backfill.virtual_time import run_in_virtual_time

CHAINS, LENGTH = 5, 12  # as a listing in parts has them: each page but the last leads to the next of its chain
PAGES = {f"{chain}-{number}" for chain in range(CHAINS) for number in range(LENGTH)}


def request_of(page: str) -> RestRequest:
    return get("/contacts", starting_after=page)


def page_of(request: RestRequest) -> str:
    return dict(request.query)["starting_after"]


class Chains:
    """Intercom's part: each page takes a while, and one may be refused."""

    def __init__(self, seed: int, refused: str | None = None) -> None:
        self._rng, self._refused = random.Random(seed), refused
        self.read: list[str] = []

    async def page(self, request: RestRequest) -> Page:
        await asyncio.sleep(self._rng.random())
        name = page_of(request)
        if name == self._refused:
            raise AccessRefused("the plan does not include this", "api_plan_restricted")
        self.read.append(name)
        chain, number = map(int, name.split("-"))
        then = (request_of(f"{chain}-{number + 1}"),) if number + 1 < LENGTH else ()
        return Page(items=(name.encode(),), requested_at=0, then=then)


class Stores:
    """Kafka's part: each store takes a while. Notes the pages of each, and what remained."""

    def __init__(self, seconds: float) -> None:
        self.seconds = seconds
        self.done: list[tuple[list[str], list[str]]] = []

    async def __call__(self, read: Sequence[ReadPage], then: tuple[RestRequest, ...]) -> None:
        await asyncio.sleep(self.seconds)
        self.done.append(([item.decode() for each in read for item in each.page.items], [page_of(each) for each in then]))

    @property
    def stored(self) -> list[str]:
        return [page for pages, _ in self.done for page in pages]


async def made(page: Page) -> ReadPage:
    await asyncio.sleep(0.1)
    return ReadPage(page, PageRecords([], 1, 0))


def read(intercom: Any, stores: Stores, start: Sequence[str], *, most: int = 4, together: int = 1) -> None:
    requests = [request_of(page) for page in start]
    run_in_virtual_time(SideBySide(intercom, requests, made, stores, most=most, together=together).to_the_end(lambda: False))


@pytest.mark.parametrize("together", [1, 3])
@pytest.mark.parametrize("seed", range(20))
def test_after_any_store_what_remains_leads_to_all_that_is_not_stored(seed: int, together: int) -> None:
    stores = Stores(seconds=0.7)
    read(Chains(seed), stores, [f"{chain}-0" for chain in range(CHAINS)], together=together)
    assert sorted(stores.stored) == sorted(PAGES), "each page is stored once"
    before: set[str] = set()
    for pages, then in stores.done:
        before.update(pages)
        reached = {f"{page.split('-')[0]}-{n}" for page in then for n in range(int(page.split("-")[1]), LENGTH)}
        assert before | reached == PAGES
    again = Stores(seconds=0.7)
    read(Chains(seed), again, stores.done[len(stores.done) // 2][1])
    assert {page for pages, _ in stores.done[: len(stores.done) // 2 + 1] for page in pages} | set(again.stored) == PAGES


def test_pages_are_read_while_others_are_stored_and_those_that_wait_are_stored_together() -> None:
    intercom, stores = Chains(1), Stores(seconds=5.0)
    read(intercom, stores, [f"{chain}-0" for chain in range(CHAINS)], most=4)
    assert max(len(pages) for pages, _ in stores.done) >= 4
    assert len(stores.done) < len(PAGES) / 3


def test_a_store_waits_for_several_pages_or_for_as_many_as_are_under_way() -> None:
    stores = Stores(seconds=0.0)
    read(Chains(1), stores, [f"{chain}-0" for chain in range(CHAINS)], together=3)
    sizes = [len(pages) for pages, _ in stores.done]
    assert set(sizes[:10]) == {3}, "as long as all chains go on"
    assert sum(sizes) == len(PAGES)


def test_a_listing_that_is_read_page_after_page_is_stored_so() -> None:
    stores = Stores(seconds=0.0)
    read(Chains(1), stores, ["0-0"], together=3)
    assert stores.stored == [f"0-{number}" for number in range(LENGTH)]
    assert max(len(pages) for pages, _ in stores.done) <= 2, "a page, and one that came while it was completed"


def test_no_more_pages_are_held_than_are_read_side_by_side() -> None:
    intercom, stores = Chains(1), Stores(seconds=500.0)
    read(intercom, stores, [f"{chain}-0" for chain in range(CHAINS)], most=2)
    assert max(len(pages) for pages, _ in stores.done) <= 4
    assert max(len(then) for _, then in stores.done) <= 4 + CHAINS, "those that are held, and those that nobody has asked for yet"


def test_what_was_read_before_a_refusal_is_stored_and_the_refused_page_remains() -> None:
    intercom, stores = Chains(3, refused="2-6"), Stores(seconds=0.7)
    with pytest.raises(AccessRefused):
        read(intercom, stores, [f"{chain}-0" for chain in range(CHAINS)])
    assert {f"2-{number}" for number in range(6)} <= set(stores.stored)
    _, then = stores.done[-1]
    assert "2-6" in then


def test_what_cannot_be_stored_ends_the_reading() -> None:
    class Away(Exception):
        pass

    async def store(read: Sequence[ReadPage], then: tuple[RestRequest, ...]) -> None:
        raise Away

    intercom = Chains(1)
    with pytest.raises(Away):
        run_in_virtual_time(SideBySide(intercom, [request_of("0-0")], made, store, most=4).to_the_end(lambda: False))  # type: ignore[arg-type]
    assert len(intercom.read) <= 2


@pytest.mark.parametrize("seed", range(10))
def test_what_finds_the_changes_is_read_behind_everything_else(seed: int) -> None:
    intercom, stores = Chains(seed), Stores(seconds=0.7)
    requests = [request_of(f"{chain}-0") for chain in range(CHAINS)]
    reading = SideBySide(intercom, requests, made, stores, most=16, last=(requests[-1],))  # type: ignore[arg-type]
    run_in_virtual_time(reading.to_the_end(lambda: False))
    assert sorted(stores.stored) == sorted(PAGES)
    first = intercom.read.index(f"{CHAINS - 1}-0")
    assert {page.split("-")[0] for page in intercom.read[first:]} == {str(CHAINS - 1)}
