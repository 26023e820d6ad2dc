"""Endpoints of contacts: the list, the search, one contact, and the lists of one contact."""

from typing import Any

from connectors.simulator.rest.calls import Call, Endpoint
from connectors.simulator.rest.lists import ListForm, by_cursor, by_number, cursor, escaped, found_by_search, position
from connectors.simulator.rest.replies import Refused, Reply, missing
from connectors.simulator.rest.search import TimeRules
from connectors.simulator.workspace import catalogue
from connectors.simulator.workspace.contacts import DELETED, MERGED, SimulatedContact

_LIST = ListForm(default=10)  # what Intercom really gives; its documentation says 50
_OWN = ListForm(default=50, most=60)
_EXACT_SINCE, _GONE_SINCE, _EXTERNAL_SINCE = (2, 17), (2, 16), (2, 13)


def contacts(call: Call) -> Reply:
    rows, workspace = call.workspace.contacts, call.workspace
    return by_cursor(
        call,
        _LIST,
        lambda after: ((n, workspace.contact(row)) for n in rows.numbers(after) if (row := rows.get(n)) is not None),
        rows.listed,
    )


def search(call: Call) -> Reply:
    exact = call.version >= _EXACT_SINCE
    rules = TimeRules(None if exact else call.workspace.spec.time_zone, ranges=exact)
    return found_by_search(call, ListForm(), call.workspace.contacts, call.workspace.contact, rules)


def contact(call: Call) -> Reply:
    """Return a contact, archived ones too: who kept the id can ask for it."""
    item = call.workspace.contact(_contact(call))
    return Reply(200, escaped(item) if call.faults.escaped_names else item)


def by_external_id(call: Call) -> Reply:
    """Return the user with that id of one's own. Leads are not found by theirs."""
    (wanted,) = call.ids
    rows, changed = call.workspace.contacts, call.workspace.contacts.changed()
    row = next((row for row in changed if row.external_id == wanted), None)
    if row is None and wanted.removeprefix("user-").isdigit():
        past = rows.get(int(wanted.removeprefix("user-")))
        row = past if past is not None and past.external_id == wanted and not rows.is_changed(past.number) else None
    if row is None or row.role != "user" or not row.listed or call.version < _EXTERNAL_SINCE:
        raise missing("User")
    return Reply(200, call.workspace.contact(row))


def companies(call: Call) -> Reply:
    row, rows = _contact(call), call.workspace.companies
    found = [company for number in row.companies if (company := rows.get(number)) is not None]
    return by_number(call, _OWN, [call.workspace.company(company) for company in found])


def tags(call: Call) -> Reply:
    return by_number(call, _OWN, [catalogue.tag(number) for number in _contact(call).tags])


def segments(call: Call) -> Reply:
    return by_number(call, _OWN, catalogue.segments_of(call.workspace.spec, _contact(call)))


def subscriptions(call: Call) -> Reply:
    return by_number(call, _OWN, catalogue.subscriptions_of(_contact(call)))


def merge_history(call: Call) -> Reply:
    """Return who was merged into a user. There is no such list before 2.16, nor of leads."""
    row = _contact(call)
    if row.role != "user" or call.version < _GONE_SINCE:
        raise missing("User")
    size = call.size(call.query.get("per_page"), 50, 150)
    start = max(0, (position(call.query.get("cursor")) or (0, 0))[1])
    merged = call.workspace.merged_into(row.number)
    entries = [_merge(call, number, at) for number, at in merged[start : start + size]]
    more = start + size < len(merged)
    following = {"next_cursor": cursor((0, start + size))} if more else {}
    return Reply(200, {"type": "list", "data": entries, **following, "has_more": more})


def _merge(call: Call, number: int, at_ms: int) -> dict[str, Any]:
    row = call.workspace.contacts.get(number)
    return {
        "type": "merge_history",
        "source_contact_id": call.workspace.contact_ids.of(number),
        "source_contact_role": row.role if row else "lead",
        "merged_at": at_ms // 1000,
    }


def _contact(call: Call) -> SimulatedContact:
    """Return the contact of the path. Raises the refusal of one that is not there, or was merged."""
    row = call.workspace.contacts.get(call.workspace.contact_ids.number(call.ids[0]))
    if row is None or row.state == DELETED or (row.state == MERGED and call.version < _GONE_SINCE):
        raise missing("User")
    if row.state == MERGED and row.successor is not None:
        successor = call.workspace.contact_ids.of(row.successor)
        raise Refused(
            410,
            "contact_merged",
            "The contact was merged into another one",
            {"Link": f'</contacts/{successor}>; rel="canonical"'},
        )
    return row


ENDPOINTS: dict[tuple[str, str], Endpoint] = {
    ("GET", "/contacts"): contacts,
    ("POST", "/contacts/search"): search,
    ("GET", "/contacts/find_by_external_id/{}"): by_external_id,
    ("GET", "/contacts/{}"): contact,
    ("GET", "/contacts/{}/companies"): companies,
    ("GET", "/contacts/{}/merge_history"): merge_history,
    ("GET", "/contacts/{}/segments"): segments,
    ("GET", "/contacts/{}/subscriptions"): subscriptions,
    ("GET", "/contacts/{}/tags"): tags,
}
