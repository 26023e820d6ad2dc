"""Endpoints of companies. Companies without contacts are in no list, and are found by their ids alone."""

from collections.abc import Iterable, Iterator
from itertools import islice
from typing import Any, Final

from connectors.simulator.rest.calls import Call, Endpoint
from connectors.simulator.rest.lists import LazySequence, ListForm, by_number
from connectors.simulator.rest.replies import Refused, Reply, invalid, missing
from connectors.simulator.rest.search import FIRST, LAST
from connectors.simulator.workspace.companies import SimulatedCompany

SCROLL_PAGE: Final = 100
_CAP: Final = 10_000  # what the list by page numbers gives
_LIST = ListForm(default=15, most=60)
_MEMBERS = ListForm(default=50, most=60)


def scroll(call: Call) -> Reply:
    """Return the next hundred companies. The parameter stays the same; an empty page is the end of the scroll."""
    if call.faults.scroll_taken:
        raise Refused(400, "scroll_exists", "scroll already exists for this workspace")
    parameter = call.query.get("scroll_param")
    after = -1
    if parameter is None:
        parameter = call.scrolls.open(call.now_ms)
    else:
        after = call.scrolls.resume(parameter, call.now_ms)
    page = list(islice(_with_members(call, call.workspace.companies.numbers(after)), SCROLL_PAGE))
    if page:
        call.scrolls.advance(page[-1][0])
    else:
        call.scrolls.close()
    body = {"type": "list", "data": [item for _, item in page], "pages": None, "total_count": None, "scroll_param": parameter}
    return Reply(200, body)


def listed(call: Call) -> Reply:
    """Return companies by page numbers, the first ten thousand."""
    size, page = call.size(call.query.get("per_page"), 15, 60), call.number(call.query.get("page"), 1)
    if page * size > _CAP + size - 1:
        raise invalid("more than 10,000 companies cannot be listed: use the scroll", "page_limit_exceeded")
    descending = call.query.get("order", "desc") == "desc"

    def every() -> Iterator[dict[str, Any]]:
        numbers = (number for _, number in call.workspace.companies.between(FIRST, LAST, descending=descending))
        return (item for _, item in _with_members(call, numbers))

    return by_number(call, _LIST, LazySequence(every, min(_CAP, call.workspace.populated_count())))


def filtered(call: Call) -> Reply:
    """Return the company with a `company_id`, those of a `name`, or all by page numbers."""
    wanted = {name: call.query[name] for name in ("company_id", "name") if name in call.query}
    if not wanted:
        return listed(call)
    rows = call.workspace.companies
    every = (row for number in rows.numbers() if (row := rows.get(number)) is not None)
    found = [row for row in every if all(getattr(row, name) == value for name, value in wanted.items())]
    if "company_id" not in wanted:
        return by_number(call, _LIST, [call.workspace.company(row) for row in found])
    if not found:
        raise missing("Company")
    return Reply(200, call.workspace.company(found[0]))


def company(call: Call) -> Reply:
    return Reply(200, call.workspace.company(_company(call)))


def members(call: Call) -> Reply:
    rows = call.workspace.contacts
    found = (rows.get(number) for number in call.workspace.memberships.of(_company(call).number))
    return by_number(call, _MEMBERS, [call.workspace.contact(row) for row in found if row is not None])


def _with_members(call: Call, numbers: Iterable[int]) -> Iterator[tuple[int, dict[str, Any]]]:
    """Yield the companies that have contacts."""
    workspace = call.workspace
    rows = (workspace.companies.get(number) for number in numbers if workspace.memberships.populated(number))
    return ((row.number, workspace.company(row)) for row in rows if row is not None)


def _company(call: Call) -> SimulatedCompany:
    row = call.workspace.companies.get(call.workspace.company_ids.number(call.ids[0]))
    if row is None or row.deleted:
        raise missing("Company")
    return row


ENDPOINTS: dict[tuple[str, str], Endpoint] = {
    ("GET", "/companies"): filtered,
    ("POST", "/companies/list"): listed,
    ("GET", "/companies/scroll"): scroll,
    ("GET", "/companies/{}"): company,
    ("GET", "/companies/{}/contacts"): members,
}
