"""What is true in the simulated workspace: what a complete reading has to come to."""

from collections.abc import Iterator
from typing import Any, Final

from connectors.simulator.workspace.contacts import ARCHIVED, DELETED, MERGED
from connectors.simulator.workspace.teammates import rest_teammate
from connectors.simulator.workspace.workspace import SimulatedWorkspace

_ALL: Final = 1 << 30


def counts(workspace: SimulatedWorkspace) -> dict[str, int]:
    """Return how many objects of each kind Intercom's lists have."""
    return {
        "contacts": workspace.contacts.listed,
        "companies": workspace.populated_count(),
        "conversations": workspace.conversations.listed,
        "tickets": workspace.tickets.listed,
        "teammates": len(workspace.teammates),
        "activities": workspace.activities.listed,
    }


def contacts(workspace: SimulatedWorkspace) -> Iterator[dict[str, Any]]:
    """Yield every contact as REST has it, its lists whole, with its `state`; also those merged, archived or deleted."""
    rows = workspace.contacts
    for number in range(rows.next_number):
        row = rows.get(number)
        if row is None:
            continue
        gone = row.state in {ARCHIVED, DELETED, MERGED}
        successor = None if row.successor is None else workspace.contact_ids.of(row.successor)
        yield {"state": row.state, "merged_into": successor, "id": workspace.contact_ids.of(number)} | (
            {} if gone else workspace.contact(row, shown=_ALL)
        )


def companies(workspace: SimulatedWorkspace) -> Iterator[dict[str, Any]]:
    """Yield every company that was not deleted, also those without contacts (`user_count` 0), which are in no list."""
    rows = (workspace.companies.get(number) for number in workspace.companies.numbers())
    return (workspace.company(row) for row in rows if row is not None)


def conversations(workspace: SimulatedWorkspace) -> Iterator[dict[str, Any]]:
    """Yield the conversations as the version of the workspace lists them."""
    major, _, minor = workspace.spec.version.partition(".")
    rows = (workspace.conversations.get(number) for number in workspace.conversations.numbers())
    return (workspace.conversation(row, (int(major), int(minor))) for row in rows if row is not None)


def tickets(workspace: SimulatedWorkspace) -> Iterator[dict[str, Any]]:
    rows = (workspace.tickets.get(number) for number in workspace.tickets.numbers())
    return (workspace.ticket(row) for row in rows if row is not None)


def teammates(workspace: SimulatedWorkspace) -> Iterator[dict[str, Any]]:
    return (rest_teammate(each, with_role=True) for each in workspace.teammates.values())
